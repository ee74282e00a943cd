package sweep

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/sessions"
	"github.com/superduperai/sessionbot/store/stats"
)

var (
	// at is the moment at which the tests judge.
	at     = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	limits = diagnosis.Thresholds{OrphanGrace: 10 * time.Minute, StallAfter: 30 * time.Minute}
)

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }

// everywhere runs a story on the embedded server, on one server and on three
// masters. A Sentinel's master is queried like a single server.
func everywhere(t *testing.T, story func(t *testing.T, client redis.UniversalClient, r *rdb.Redis)) {
	for name, place := range map[string]func(t *testing.T) (string, redis.UniversalClient){
		"embedded": func(t *testing.T) (string, redis.UniversalClient) {
			addr := miniredis.RunT(t).Addr()
			client := redis.NewClient(&redis.Options{Addr: addr})
			t.Cleanup(func() { _ = client.Close() }) // nothing hangs on it any more
			return "redis://" + addr, client
		},
		"server": func(t *testing.T) (string, redis.UniversalClient) {
			d := redistest.NewDatabase(t)
			return d.URL(), d.Client()
		},
		"cluster": func(t *testing.T) (string, redis.UniversalClient) {
			c := redistest.LockCluster(t)
			return c.URL(), c.Client()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, client := place(t)
			story(t, client, open(t, url))
		})
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, url string) *rdb.Redis {
	t.Helper()
	r, err := rdb.Open(t.Context(), redistest.Patient(t, url))
	must(t, err)
	t.Cleanup(func() { _ = r.Close() }) // nothing hangs on it any more
	return r
}

// ago is a time before the judgement as the product writes it.
func ago(d time.Duration) string { return at.Add(-d).Format("2006-01-02T15:04:05.000Z") }

// set stores values under their keys, all at once, with the life that the
// product gives them.
func set(t testing.TB, client redis.UniversalClient, values map[string]string) {
	t.Helper()
	pipe := client.Pipeline()
	for key, value := range values {
		pipe.Set(context.Background(), key, value, store.KeyLife)
	}
	_, err := pipe.Exec(context.Background())
	must(t, err)
}

const doneFile = "0a1b2c3d-0000-4000-8000-000000000001"

// evidence is of sessions of which one file is known to be finished.
func evidence(_ context.Context, read []store.Session) ([]diagnosis.Evidence, error) {
	found := make([]diagnosis.Evidence, len(read))
	for i, s := range read {
		found[i] = diagnosis.Evidence{Session: s, File: store.File{State: store.FileUnknown}}
		switch s.FileID() {
		case "":
			found[i].File.State = store.FileNone
		case doneFile:
			found[i].File.State = store.FileCompleted
		}
	}
	return found, nil
}

// observed is a sweep with what it read, by session.
type observed struct {
	Result
	verdicts map[string]diagnosis.Verdict
}

// sweepOnce sweeps, and holds that each session is visited at most once.
func sweepOnce(t testing.TB, s *Sweeper, now time.Time, options ...func(*Options)) observed {
	t.Helper()
	got := observed{verdicts: map[string]diagnosis.Verdict{}}
	o := Options{Now: now, Limits: limits, Evidence: evidence}
	for _, option := range options {
		option(&o)
	}
	inner := o.Visit
	o.Visit = func(ctx context.Context, found []Observation) error {
		for _, seen := range found {
			if got.verdicts[seen.Session.ID] != "" {
				t.Errorf("%s was visited twice", seen.Session.ID)
			}
			got.verdicts[seen.Session.ID] = seen.Verdict
		}
		if inner == nil {
			return nil
		}
		return inner(ctx, found)
	}
	var err error
	got.Result, err = s.Sweep(context.Background(), o)
	must(t, err)
	if !got.Count.Complete {
		t.Error("the sweep is not complete")
	}
	return got
}

// naively reads all sessions one by one, and counts them.
func naively(t testing.TB, r *rdb.Redis, ids []string, now time.Time) stats.Count {
	t.Helper()
	tally := stats.NewTally(now)
	for _, id := range ids {
		s, err := (sessions.Reader{Redis: r}).Session(context.Background(), id)
		must(t, err)
		if s.Layout() != store.LayoutNone {
			e, err := evidence(context.Background(), []store.Session{s})
			must(t, err)
			tally.Add(s, diagnosis.Diagnose(e[0], now, limits))
		}
	}
	c := tally.Count()
	c.Complete = true
	return c
}

// sameCount compares all but the survey, and which of equally long prompts is named.
func sameCount(t interface{ Errorf(string, ...any) }, want, got stats.Count) {
	for _, c := range []*stats.Count{&want, &got} {
		c.Survey = stats.Survey{}
		for _, p := range []**stats.PromptLength{&c.Longest, &c.Shortest} {
			if *p != nil {
				*p = &stats.PromptLength{Length: (*p).Length}
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("count (-want +got):\n%s", diff)
	}
}

// manyFinished are sessions in three keys whose status says completed.
func manyFinished(n int) map[string]string {
	values := map[string]string{}
	for i := range n {
		id := fmt.Sprint("cs_live_done", i)
		values["prompt:"+id] = `{"prompt":"` + strings.Repeat("x", 1+i%300) + `","timestamp":"` + ago(2*time.Hour) + `"}`
		values["webhook:"+id] = `{"status":"completed","fileId":"0f000000-0000-4000-8000-00000000000f","timestamp":"` + ago(time.Hour) + `"}`
		values["session:"+id] = `{"fileId":"0f000000-0000-4000-8000-00000000000f","timestamp":"` + ago(time.Hour) + `"}`
	}
	return values
}

func sessionIDs(values map[string]string) []string {
	ids := map[string]bool{}
	for key := range values {
		if id, ok := store.SessionOf(key); ok {
			ids[id] = true
		}
	}
	var list []string
	for id := range ids {
		list = append(list, id)
	}
	slices.Sort(list)
	return list
}
