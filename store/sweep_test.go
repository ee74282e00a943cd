package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/superduperai/sessionbot/internal/redistest"
)

// sweepTold is what a sweep told.
type sweepTold struct {
	SweepSums
	verdicts map[string]Verdict // of what was read
	rested   map[string]Resting
}

func sweepOnce(t testing.TB, s *Sweeper, now time.Time) sweepTold {
	t.Helper()
	got := sweepTold{verdicts: map[string]Verdict{}, rested: map[string]Resting{}}
	var mu sync.Mutex
	twice := func(id string) {
		if _, rested := got.rested[id]; rested || got.verdicts[id] != "" {
			t.Errorf("%s was told twice", id)
		}
	}
	var err error
	got.SweepSums, err = s.Sweep(context.Background(), Sweeping{Now: now,
		Read: func(sessions []Session) error {
			mu.Lock()
			defer mu.Unlock()
			for _, session := range sessions {
				twice(session.ID)
				got.verdicts[session.ID] = byRedis(session, now).Verdict
			}
			return nil
		},
		Rest: func(id []byte, r Resting) {
			mu.Lock()
			defer mu.Unlock()
			twice(string(id))
			got.rested[string(id)] = r
		}})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func byRedis(s Session, now time.Time) Diagnosis {
	return Diagnose(Evidence{Session: s, Payment: Payment{State: PaymentUnverified, Why: NoStripeKey}}, now, limits)
}

// all is what was told of all sessions, those at rest being completed.
func (s sweepTold) all() map[string]Verdict {
	all := map[string]Verdict{}
	for id, v := range s.verdicts {
		all[id] = v
	}
	for id := range s.rested {
		all[id] = VerdictCompleted
	}
	return all
}

// naively reads all sessions one by one.
func naively(t testing.TB, r *Redis, ids []string, now time.Time) map[string]Verdict {
	t.Helper()
	all := map[string]Verdict{}
	for _, id := range ids {
		s, err := r.Session(context.Background(), id)
		if err != nil {
			t.Fatal(err)
		}
		if s.Layout() != LayoutNone {
			all[id] = byRedis(s, now).Verdict
		}
	}
	return all
}

var picture = strings.Repeat("iVBORw0KGgo", 20_000)

// oddValues are what a key may hold.
var oddValues = []string{
	foxPrompt, `{"prompt":""}`, `{"prompt":"a\"b","timestamp":"2025-07-24T10:00:00.000Z"}`,
	`{"status":"completed","fileId":"f","timestamp":"` + ago(time.Hour) + `"}`,
	`{"status":"processing","timestamp":"` + ago(2*time.Hour) + `"}`,
	`{"status":"completed"}`, `{"status":"pending"}`, `{"status":"done"}`, `{"status":"comp`, `[]`, ``, `7`,
	`{"fileId":"f","timestamp":"` + ago(time.Hour) + `"}`,
	`{"prompt":"one","createdAt":"` + ago(time.Hour) + `","status":"completed","fileId":"f","timestamp":"` + ago(time.Minute) + `"}`,
	`{"prompt":"one","createdAt":"` + ago(time.Hour) + `","status":"processing","fileId":"f","timestamp":"` + ago(time.Hour) + `"}`,
	`{"prompt":"pic","imageFile":{"name":"x","content":"` + picture + `"},"createdAt":"` + ago(time.Hour) + `","status":"completed","timestamp":"` + ago(time.Hour) + `"}`,
	`{"prompt":"pic","imageFile":{"content":"` + picture + `","status":"completed"},"createdAt":"` + ago(time.Hour) + `"}`,
	`{"prompt":"pic","imageFile":{"content":"` + picture + `\n"},"status":"error","createdAt":"` + ago(time.Hour) + `"}`,
	`{"prompt":"` + strings.Repeat("long ", 10_000) + `","timestamp":"` + ago(time.Hour) + `"}`,
	`{"imageFile":{"content":"` + picture,
	`{"status":"completed","error":"` + strings.Repeat("x", 3000) + `"}`,
}

// TestSweepsAreAsGoodAsReadingAll stores and rewrites anything, between sweeps
// that go by statuses, that are narrow and wide, and that trust what rests.
func TestSweepsAreAsGoodAsReadingAll(t *testing.T) {
	everywhere(t, func(t *testing.T, client redis.UniversalClient, r *Redis) {
		rapid.Check(t, func(rt *rapid.T) {
			ctx := context.Background()
			var ids []string
			for n := range 8 {
				ids = append(ids, fmt.Sprintf("cs_live_%d_%d", time.Now().UnixNano(), n))
			}
			write := func(id string) {
				for _, prefix := range prefixes {
					key := prefix + id
					switch n := rapid.IntRange(-3, len(oddValues)-1).Draw(rt, key); n {
					case -3, -2:
						must(t, client.Del(ctx, key).Err())
					case -1:
						must(t, client.Del(ctx, key).Err())
						must(t, client.HSet(ctx, key, "a", "b").Err())
					default:
						must(t, client.Set(ctx, key, oddValues[n], KeyLife-time.Hour).Err())
					}
				}
			}
			for _, id := range ids {
				write(id)
			}
			s := NewSweeper(r)
			if rapid.Bool().Draw(rt, "many") {
				s.manyKeys = 0
			}
			first := sweepOnce(t, s, at)
			if got := len(first.verdicts) + first.Unread; got != first.Sessions || len(first.rested) > 0 {
				t.Errorf("the first sweep told %d of %d", got, first.Sessions)
			}
			want := naively(t, r, ids, at)
			for id, v := range want { // what waits for a status is told at once
				s, err := r.Session(ctx, id)
				must(t, err)
				completed := s.Webhook.Value.Status != nil && *s.Webhook.Value.Status == string(StatusCompleted)
				if !s.Prompt.Exists || completed {
					continue // the second looks at what has no prompt, and at what one key calls completed
				}
				if first.verdicts[id] == "" && (v == VerdictOrphaned || v == VerdictWaiting) {
					t.Errorf("the first sweep does not tell that %s is %s", id, v)
				}
			}
			for range rapid.IntRange(1, 3).Draw(rt, "sweeps") {
				got := sweepOnce(t, s, at)
				if diff := cmp.Diff(naively(t, r, ids, at), got.all()); diff != "" || got.Unread > 0 || got.Sessions != len(got.all()) {
					t.Fatalf("%+v: %s", got.SweepSums, diff)
				}
				for _, id := range ids[:rapid.IntRange(0, 4).Draw(rt, "rewritten")] {
					write(id)
					s.Written(id)
				}
			}
			for _, id := range ids {
				for _, prefix := range prefixes {
					must(t, client.Del(ctx, prefix+id).Err())
				}
				s.Written(id)
			}
			if left := sweepOnce(t, s, at); left.Sessions > 0 {
				t.Errorf("%d sessions outlive their keys", left.Sessions)
			}
		})
	})
}

// TestFirstSweepOfManyInOneKey: sessions without a prompt: are looked for at once
// where there are many.
func TestFirstSweepOfManyInOneKey(t *testing.T) {
	everywhere(t, func(t *testing.T, client redis.UniversalClient, r *Redis) {
		for n := range 100 {
			value := oddValues[13]
			if n%10 == 0 {
				value = `{"prompt":"one","createdAt":"` + ago(time.Hour) + `","status":"pending"}`
			}
			must(t, client.Set(t.Context(), fmt.Sprint(prefixLookup, "cs_live_", n), value, KeyLife).Err())
		}
		s := NewSweeper(r)
		s.manyKeys = 0
		got := sweepOnce(t, s, at)
		if got.Unread != 90 || len(got.verdicts) != 10 || got.verdicts["cs_live_10"] != VerdictOrphaned {
			t.Errorf("%+v", got)
		}
	})
}

// TestUnheardWritesAreSeenInTurn: where Redis tells of no writes, a session that
// rested is looked at again after a bounded number of sweeps.
func TestUnheardWritesAreSeenInTurn(t *testing.T) {
	server := redistest.Start(t)
	ctx := t.Context()
	for n := range 200 {
		id := fmt.Sprint("cs_live_", n)
		must(t, server.Client().Set(ctx, prefixPrompt+id, foxPrompt, KeyLife).Err())
		must(t, server.Client().Set(ctx, prefixWebhook+id, oddValues[3], KeyLife).Err())
	}
	s := NewSweeper(open(t, server.URL()))
	sweepOnce(t, s, at)
	for n := range 200 {
		must(t, server.Client().Del(ctx, fmt.Sprint(prefixWebhook, "cs_live_", n)).Err())
	}
	orphaned := map[string]bool{}
	for range verifyRounds {
		for id, v := range sweepOnce(t, s, at).verdicts {
			orphaned[id] = orphaned[id] || v == VerdictOrphaned
		}
	}
	if len(orphaned) != 200 {
		t.Errorf("%d of 200 are seen", len(orphaned))
	}
}

// TestSweepWhileRedisResizes its tables, when SCAN shows keys twice.
func TestSweepWhileRedisResizes(t *testing.T) {
	server := redistest.Start(t)
	client, ctx := server.Client(), t.Context()
	store := func(from, to int) {
		pipe := client.Pipeline()
		for n := from; n < to; n++ {
			pipe.Set(ctx, fmt.Sprint(prefixPrompt, "cs_live_", n), foxPrompt, KeyLife)
			pipe.Set(ctx, fmt.Sprint(prefixWebhook, "cs_live_", n), oddValues[3], KeyLife)
		}
		_, err := pipe.Exec(ctx)
		must(t, err)
	}
	store(0, 10_000)
	s := NewSweeper(open(t, server.URL()))
	grown := 10_000
	for range 6 {
		var once sync.Once
		got := map[string]int{}
		var mu sync.Mutex
		_, err := s.Sweep(ctx, Sweeping{Now: at,
			Read: func(sessions []Session) error {
				once.Do(func() { store(grown, 2*grown) })
				mu.Lock()
				defer mu.Unlock()
				for _, s := range sessions {
					got[s.ID]++
				}
				return nil
			},
			Rest: func(id []byte, _ Resting) {
				mu.Lock()
				defer mu.Unlock()
				got[string(id)]++
			}})
		must(t, err)
		for n := range grown {
			if id := fmt.Sprint("cs_live_", n); got[id] != 1 {
				t.Fatalf("%s was told %d times", id, got[id])
			}
		}
		if grown *= 2; grown > 100_000 {
			break
		}
	}
}

func TestSweepOfASilentRedisIsAnError(t *testing.T) {
	server := redistest.Start(t)
	s := NewSweeper(open(t, server.URL()))
	sweepOnce(t, s, at)
	server.Freeze(t)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := s.Sweep(ctx, Sweeping{Now: at}); !errors.Is(err, ErrSilent) {
		t.Errorf("a silent Redis was told: %v", err)
	}
}

func TestWhoReadsMayEndASweep(t *testing.T) {
	server := redistest.Start(t)
	pipe := server.Client().Pipeline()
	for n := range 60_000 {
		pipe.Set(t.Context(), fmt.Sprint(prefixPrompt, "cs_live_", n), foxPrompt, 0)
	}
	_, err := pipe.Exec(t.Context())
	must(t, err)
	r := open(t, server.URL())
	client, err := r.client(t.Context())
	must(t, err)
	var pages atomic.Int64
	client.(*redis.Client).AddHook(before(func(cmd redis.Cmder) {
		if cmd.Name() == "scan" {
			pages.Add(1)
		}
	}))
	enough := errors.New("enough")
	s := NewSweeper(r)
	s.manyKeys = 100_000
	_, err = s.Sweep(t.Context(), Sweeping{Now: at, Pace: true, Read: func([]Session) error { return enough }})
	if !errors.Is(err, enough) || errors.Is(err, ErrSilent) {
		t.Errorf("got %v", err)
	}
	if n := pages.Load(); n == 0 || n > 30 { // of 150
		t.Errorf("%d pages of keys were looked at", n)
	}
}
