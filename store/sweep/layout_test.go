package sweep

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/watchstate"
)

// TestLayoutBySweep: every sweep reports what the site reads, also the
// finished sessions that it does not read again.
func TestLayoutBySweep(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		s := New(r)
		paid := func(o *Options) { // just now, whenever the session was made
			o.Evidence = func(ctx context.Context, sessions []store.Session) ([]diagnosis.Evidence, error) {
				found, err := evidence(ctx, sessions)
				for i := range found {
					found[i].Payment = store.Payment{State: store.PaymentPaid, PaidAt: at.Add(-time.Hour)}
				}
				return found, err
			}
		}
		check := func(step string, want store.Layout) {
			t.Helper()
			for range 2 {
				if got := sweepOnce(t, s, at, paid).SiteLayout; got != want {
					t.Errorf("%s: %q, want %q", step, got, want)
				}
			}
		}
		check("nothing", store.LayoutNone)
		set(t, client, map[string]string{"prompt:cs_live_1": `{"prompt":"A fox","timestamp":"` + ago(8*24*time.Hour) + `"}`})
		check("three keys of long ago", store.LayoutNone)
		set(t, client, map[string]string{"prompt:cs_live_4": `{"prompt":"A fox","timestamp":"` + ago(8*24*time.Hour) + `"}`,
			"webhook:cs_live_4": `{"status":"completed","fileId":"` + doneFile + `","timestamp":"` + ago(time.Hour) + `"}`,
			"webhook:cs_live_5": `{"status":"completed","fileId":"` + doneFile + `","timestamp":"` + ago(time.Hour) + `"}`})
		check("three keys of long ago, or of nobody knows when, repaired just now", store.LayoutNone)
		set(t, client, map[string]string{"prompt:cs_live_2": `{"prompt":"A fox","timestamp":"` + ago(6*24*time.Hour) + `"}`,
			"webhook:cs_live_2": `{"status":"completed","fileId":"` + doneFile + `","timestamp":"` + ago(time.Hour) + `"}`})
		check("three keys, finished", store.LayoutThreeKey)
		set(t, client, map[string]string{"session:cs_live_3": `{"prompt":"A fox","createdAt":"` + ago(9*24*time.Hour) + `","status":"processing","fileId":"` + doneFile + `"}`})
		check("a full object, finished", store.LayoutOneKey)
	})
}

// TestLayouts: the watch is queried, and without it the sessions, now and then.
func TestLayouts(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		now := at
		records := incident.NewRecords(r)
		l := NewLayouts(r, records, func() time.Time { return now })
		l.within = time.Minute
		check := func(step string, want store.Layout) {
			t.Helper()
			if got := l.SiteLayout(t.Context()); got != want {
				t.Errorf("%s: %q, want %q", step, got, want)
			}
		}
		must(t, records.Begin(t.Context(), now))
		lead, _, err := records.Lead(t.Context(), "one")
		must(t, err)
		note := func(siteLayout store.Layout) {
			t.Helper()
			must(t, records.Note(t.Context(), lead, watchstate.Swept(now), watchstate.SiteLayout(siteLayout)))
		}
		check("nothing is known", store.LayoutOneKey)
		set(t, client, map[string]string{"prompt:cs_live_1": `{"prompt":"A fox","timestamp":"` + ago(time.Hour) + `"}`})
		check("at the same time", store.LayoutOneKey)
		now = now.Add(lookedFor)
		check("the first session is evidence", store.LayoutThreeKey)
		note(store.LayoutOneKey)
		check("the watch saw more", store.LayoutOneKey)
		now = now.Add(2 * time.Hour)
		check("it does not watch any more", store.LayoutThreeKey)
		note(store.LayoutNone)
		check("it saw no evidence", store.LayoutThreeKey)
		set(t, client, map[string]string{"session:cs_live_2": `{"prompt":"A fox","createdAt":"` + ago(time.Hour) + `"}`})
		now = now.Add(2 * time.Minute)
		check("looked again", store.LayoutOneKey)
	})
}

// TestLayoutsBySome: only a look at all sessions proves that there is no full object.
func TestLayoutsBySome(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		check := func(step string, want store.Layout) {
			t.Helper()
			l := NewLayouts(r, incident.NewRecords(r), func() time.Time { return at })
			l.within = time.Minute
			if got := l.SiteLayout(t.Context()); got != want {
				t.Errorf("%s: %q, want %q", step, got, want)
			}
		}
		values := map[string]string{}
		for n := range 3 * readSize {
			values[fmt.Sprint("prompt:cs_live_", n)] = `{"prompt":"A fox","timestamp":"` + ago(time.Hour) + `"}`
		}
		set(t, client, values)
		check("three keys", store.LayoutThreeKey)
		asking, err := r.Client(t.Context())
		must(t, err)
		broken := &breaks{}
		asking.AddHook(broken)
		for name, err := range map[string]error{"time runs out": os.ErrDeadlineExceeded, "it is refused": errors.New("READONLY")} {
			broken.read, broken.err = 0, err
			check(name, store.LayoutOneKey)
		}
		broken.err = nil
		check("it answers again", store.LayoutThreeKey)
		for n := range 3000 {
			values[fmt.Sprint("prompt:cs_live_", n)] = `{"prompt":"A fox","timestamp":"` + ago(time.Hour) + `"}`
		}
		for n := range 3 {
			values[fmt.Sprint("session:cs_test_", n)] = `{"prompt":"A fox","createdAt":"` + ago(20*24*time.Hour) + `"}`
		}
		set(t, client, values)
		check("a few full objects among many", store.LayoutOneKey)
	})
}

// breaks lets Redis answer the first reading of sessions only, where err is set.
type breaks struct {
	mu   sync.Mutex
	read int
	err  error
}

// DialHook does nothing.
func (*breaks) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook does nothing.
func (*breaks) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

// ProcessPipelineHook has what reads sessions fail.
func (b *breaks) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if cmds[0].Name() == "getrange" {
			if b.read++; b.err != nil && b.read > 1 {
				for _, cmd := range cmds {
					cmd.SetErr(b.err)
				}
				return b.err
			}
		}
		return next(ctx, cmds)
	}
}
