package sweep

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/rdb"
)

var picture = strings.Repeat("iVBORw0KGgo", 300)

// oddValues are what a key may hold.
var oddValues = []string{
	`{"prompt":"A fox","timestamp":"` + ago(2*time.Hour) + `"}`, `{"prompt":""}`, `{"prompt":"a\"b","timestamp":"` + ago(9*time.Hour) + `"}`,
	`{"prompt":"no time"}`, `{"prompt":"from the future","timestamp":"` + ago(-24*time.Hour) + `"}`,
	`{"prompt":"of the last century","timestamp":"1960-01-02T03:04:05.000Z","status":"completed"}`,
	`{"status":"completed","fileId":"0f000000-0000-4000-8000-00000000000f","timestamp":"` + ago(time.Hour) + `"}`,
	`{"status":"processing","fileId":"` + doneFile + `","timestamp":"` + ago(time.Hour) + `"}`,
	`{"status":"processing","timestamp":"` + ago(2*time.Hour) + `"}`,
	`{"status":"completed"}`, `{"status":"pending"}`, `{"status":"done"}`, `{"status":"comp`, `[]`, `7`,
	`{"fileId":"0f000000-0000-4000-8000-00000000000f","timestamp":"` + ago(time.Hour) + `"}`, `{"fileId":"` + doneFile + `"}`,
	`{"prompt":"one","createdAt":"` + ago(3*time.Hour) + `","status":"completed","fileId":"0f000000-0000-4000-8000-00000000000f","timestamp":"` + ago(time.Minute) + `"}`,
	`{"prompt":"` + strings.Repeat("ж", 700) + `","createdAt":"` + ago(time.Hour) + `","status":"processing","fileId":"` + doneFile + `"}`,
	`{"prompt":"pic","imageFile":{"name":"x","content":"` + picture + `"},"createdAt":"` + ago(time.Hour) + `","status":"completed","timestamp":"` + ago(time.Hour) + `"}`,
	`{"prompt":"pic","imageFile":{"content":"` + picture + `","status":"completed"},"createdAt":"` + ago(time.Hour) + `"}`,
	`{"prompt":"pic","imageFile":{"content":"` + picture + `\n"},"status":"error","createdAt":"` + ago(time.Hour) + `"}`,
	`{"prompt":"` + strings.Repeat("long ", 1_000) + `","timestamp":"` + ago(time.Hour) + `"}`,
	`{"imageFile":{"content":"` + picture, `{"status":"completed","error":"` + strings.Repeat("x", 3000) + `"}`,
}

// TestSweepsAreAsGoodAsReadingAll stores, rewrites and deletes anything between
// sweeps. Without notifications of the writes the next full sweep agrees.
func TestSweepsAreAsGoodAsReadingAll(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		var ids []string
		for n := range 8 {
			ids = append(ids, fmt.Sprint("cs_live_", n))
		}
		ctx := t.Context()
		rapid.Check(t, func(rt *rapid.T) {
			write := func(ids []string) {
				pipe := client.Pipeline()
				for _, id := range ids {
					for _, prefix := range prefixes {
						key := prefix + id
						pipe.Del(ctx, key)
						switch n := rapid.IntRange(-3, len(oddValues)-1).Draw(rt, key); n {
						case -3, -2:
						case -1:
							pipe.HSet(ctx, key, "a", "b")
						default:
							pipe.Set(ctx, key, oddValues[n], store.KeyLife-62*time.Minute)
						}
					}
				}
				_, err := pipe.Exec(ctx)
				must(t, err)
			}
			write(ids)
			s, now, full := New(r), at, true
			for range rapid.IntRange(1, 4).Draw(rt, "sweeps") {
				got := sweepOnce(t, s, now)
				if got.Full != full {
					rt.Errorf("full: %v", got.Full)
				}
				sameCount(rt, naively(t, r, ids, now), got.Count)
				changed := ids[:rapid.IntRange(0, 4).Draw(rt, "rewritten")]
				write(changed)
				if full = rapid.Bool().Draw(rt, "silent"); !full {
					for _, id := range changed {
						s.Written(id)
					}
				} else {
					now = now.Add(FullEvery)
				}
			}
		})
	})
}

func TestSweepBehindASentinel(t *testing.T) {
	t.Parallel()
	d := redistest.NewSentinelDatabase(t)
	values := manyFinished(60)
	set(t, d.Client(), values)
	r := open(t, d.URL())
	s := New(r)
	for _, full := range []bool{true, false} {
		got := sweepOnce(t, s, at)
		if got.Full != full {
			t.Errorf("full: %v", got.Full)
		}
		sameCount(t, naively(t, r, sessionIDs(values), at), got.Count)
	}
}

// TestFinishedSessionsAreNotReadAgain, but for those that were written.
func TestFinishedSessionsAreNotReadAgain(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		const done, fresh = 150, 10
		values := manyFinished(done)
		for n := range fresh {
			values[fmt.Sprint("prompt:cs_test_", n)] = oddValues[0]
		}
		set(t, client, values)
		reads, s := watch(t, r), New(r)
		for _, c := range []struct {
			name  string
			do    func()
			now   time.Time
			read  int
			whole bool
		}{
			{"the first", func() {}, at, done + fresh, true},
			{"the second", func() {}, at.Add(FullEvery - time.Second), fresh, false},
			{"one was written", func() { s.Written("cs_live_done7") }, at, fresh + 1, false},
			{"it is known again", func() {}, at, fresh, false},
			{"one that is not there was written", func() { s.Written("cs_live_none") }, at, fresh, false},
			{"some may have been missed", s.Missed, at, done + fresh, true},
			{"and then none", func() {}, at, fresh, false},
			{"after half an hour", func() {}, at.Add(FullEvery), done + fresh, true},
		} {
			c.do()
			got := sweepOnce(t, s, c.now)
			if n := reads.count("getrange"); n != 3*c.read || got.Full != c.whole || len(got.verdicts) != c.read || got.Count.Sessions != done+fresh {
				t.Errorf("%s: %d reads of %d sessions, %d in all, full %v", c.name, n, len(got.verdicts), got.Count.Sessions, got.Full)
			}
		}
		for _, prefix := range prefixes {
			must(t, client.Del(t.Context(), prefix+"cs_live_done1").Err())
		}
		if got := sweepOnce(t, s, at.Add(FullEvery)); got.Count.Sessions != done+fresh-1 || len(s.known) != done-1 {
			t.Errorf("one is gone: %d sessions, %d known", got.Count.Sessions, len(s.known))
		}
	})
}

// TestWritesDuringASweep: a session that is written while it is visited is read by the next
// sweep, and this one counts it once, wherever its other keys are.
func TestWritesDuringASweep(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		const n = 2000
		set(t, client, manyFinished(n))
		s := New(r)
		for range 2 {
			s.Missed()
			got := sweepOnce(t, s, at, func(o *Options) {
				o.Visit = func(_ context.Context, found []Observation) error {
					for _, seen := range found {
						s.Written(seen.Session.ID)
					}
					return nil
				}
			})
			if got.Count.Sessions != n || len(got.verdicts) != n {
				t.Errorf("%d sessions, %d were visited", got.Count.Sessions, len(got.verdicts))
			}
		}
		failed := false
		got := sweepOnce(t, s, at, func(o *Options) {
			o.Evidence = func(ctx context.Context, sessions []store.Session) ([]diagnosis.Evidence, error) {
				written := slices.ContainsFunc(sessions, func(s store.Session) bool { return s.ID == "cs_live_done7" })
				if written && !failed { // after it was read, and before it is remembered
					failed = true
					set(t, client, map[string]string{"webhook:cs_live_done7": `{"status":"error","timestamp":"` + ago(time.Minute) + `"}`})
					s.Written("cs_live_done7")
				}
				return evidence(ctx, sessions)
			}
		})
		if len(got.verdicts) != n || !failed {
			t.Errorf("%d of the written were visited", len(got.verdicts))
		}
		if got := sweepOnce(t, s, at); got.Full || len(got.verdicts) != 1 || got.verdicts["cs_live_done7"] != diagnosis.VerdictFailed {
			t.Errorf("what was written during the sweep: %v", got.verdicts)
		}
	})
}

// TestEntries: what is before 1970 counts as very old, and a length is never so
// large that it touches the time.
func TestEntries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		length int
		at     time.Time
		want   time.Time
	}{
		{0, at, at}, {5, at.Add(299 * time.Second), at}, {maxLength, at, at},
		{7, time.Date(1960, 1, 2, 3, 4, 5, 0, time.UTC), time.Unix(0, 0)}, {7, time.Time{}, time.Unix(0, 0)},
	} {
		e := finishedEntry(c.length, c.at)
		if e.length() != c.length || !e.at().Equal(c.want) || e&finished == 0 || e&seen != 0 {
			t.Errorf("%d at %s: %x is %d at %s", c.length, c.at, e, e.length(), e.at())
		}
	}
	if e := finishedEntry(maxLength+9, at); e.length() != maxLength || !e.at().Equal(at) {
		t.Errorf("too long: %d at %s", e.length(), e.at())
	}
}
