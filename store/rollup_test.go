package store

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
)

// tallied is a rollup of sessions that were paid, of which good have their video.
func tallied(now time.Time, paid map[time.Duration]Verdict) Rollup {
	t := NewTally(now)
	for age, verdict := range paid {
		t.Add(Session{}, Diagnosis{Verdict: verdict, PaidAt: now.Add(-age)})
	}
	return Rollup{AsOf: now, Count: t.Count(), Server: &Server{UsedMemoryBytes: 7, MaxMemoryBytes: 10, EvictedKeys: 3}}
}

func TestRollupIsReadInOneRoundTrip(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *Redis) {
		at := at.Add(30 * time.Minute) // within an hour
		w := NewWatch(r)
		if f, err := w.Figures(t.Context(), at); err != nil || f.Rollup != nil || len(f.Series) != 0 {
			t.Errorf("of nothing: %+v, %v", f, err)
		}
		lead, _, err := w.Lead(t.Context(), "one")
		must(t, err)
		kept := tallied(at, map[time.Duration]Verdict{time.Minute: VerdictOrphaned, 2 * time.Minute: VerdictCompleted, 25 * time.Hour: VerdictStalled})
		must(t, w.SaveRollup(t.Context(), lead, kept, time.Minute))
		must(t, w.Note(t.Context(), lead, Swept(at)))
		must(t, w.countLookups(t.Context(), HourOf(at), Tries{1, 1}))
		must(t, w.countLookups(t.Context(), HourOf(at), Tries{1, 0}))
		trips := &roundTrips{}
		hook(t, r, trips)
		f, err := w.Figures(t.Context(), at.Add(time.Second))
		must(t, err)
		if n := trips.n.Load(); n != 1 {
			t.Errorf("%d round trips", n)
		}
		kept.Count.Hours = nil // kept in the series
		if diff := cmp.Diff(&kept, f.Rollup); diff != "" {
			t.Errorf("rollup (-kept +read):\n%s", diff)
		}
		if !f.State.Swept.Equal(at) {
			t.Errorf("state %+v", f.State)
		}
		want := Series{
			HourOf(at): {Outcomes: Outcomes{Webhook: Tries{1, 1}, Generation: Tries{1, 0}}, Lookup: Tries{2, 1},
				Server: &Level{UsedBytes: 7, MaxBytes: 10, Evicted: 3}},
			HourOf(at) - 25: {Outcomes: Outcomes{Webhook: Tries{1, 0}, Generation: Tries{0, 1}}},
		}
		if diff := cmp.Diff(want, f.Series); diff != "" {
			t.Errorf("series (-want +got):\n%s", diff)
		}
		if sum := f.Series.Sum(HourOf(at), 24); sum.Webhook != (Tries{1, 1}) || sum.Lookup != (Tries{2, 1}) {
			t.Errorf("of a day: %+v", sum)
		}
		if sum := f.Series.Sum(HourOf(at)-24, 2); sum.Webhook != (Tries{1, 0}) {
			t.Errorf("of the day before: %+v", sum)
		}
	})
}

// roundTrips counts what is sent at a time.
type roundTrips struct{ n atomic.Int32 }

func (*roundTrips) DialHook(next redis.DialHook) redis.DialHook { return next }

func (r *roundTrips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { r.n.Add(1); return next(ctx, cmd) }
}

func (r *roundTrips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error { r.n.Add(1); return next(ctx, cmds) }
}

// hook has each command of the client pass the hook.
func hook(t *testing.T, r *Redis, by redis.Hook) {
	t.Helper()
	client, err := r.Client(t.Context())
	must(t, err)
	client.AddHook(by)
}

// TestRollupNeedsTheLead: who lost the lead neither replaces what is told nor
// adds to the series.
func TestRollupNeedsTheLead(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, client redis.UniversalClient, r *Redis) {
		w := NewWatch(r)
		old, _, err := w.Lead(t.Context(), "one")
		must(t, err)
		must(t, w.Resign(t.Context(), "one"))
		if _, _, err := w.Lead(t.Context(), "two"); err != nil {
			t.Fatal(err)
		}
		if err := w.SaveRollup(t.Context(), old, tallied(at, map[time.Duration]Verdict{0: VerdictLost}), time.Minute); !errors.Is(err, ErrLeadLost) {
			t.Errorf("after the lead was lost: %v", err)
		}
		if n := client.Exists(t.Context(), rollupKey).Val() + client.Exists(t.Context(), seriesKey).Val(); n != 0 {
			t.Error("something was kept")
		}
	})
}

// TestVideosThatWereCheckedLater count in the hour in which they were paid for.
func TestVideosThatWereCheckedLater(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *Redis) {
		w := NewWatch(r)
		lead, _, err := w.Lead(t.Context(), "one")
		must(t, err)
		for _, verdict := range []Verdict{VerdictUnchecked, VerdictCompleted, VerdictUnchecked} { // another leader may not know it yet
			must(t, w.SaveRollup(t.Context(), lead, tallied(at, map[time.Duration]Verdict{48 * time.Hour: verdict}), time.Minute))
		}
		f, err := w.Figures(t.Context(), at)
		must(t, err)
		if h := f.Series[HourOf(at)-48]; h.Webhook != (Tries{1, 0}) || h.Generation != (Tries{1, 0}) {
			t.Errorf("%+v", h)
		}
	})
}

// TestWhatIsOldStaysAsItWasTold: a repair of yesterday's session changes today's
// figures, and not those of a day that is over.
func TestWhatIsOldStaysAsItWasTold(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, client redis.UniversalClient, r *Redis) {
		w := NewWatch(r)
		lead, _, err := w.Lead(t.Context(), "one")
		must(t, err)
		paid := map[time.Duration]Verdict{time.Hour: VerdictOrphaned, 48 * time.Hour: VerdictOrphaned}
		must(t, w.SaveRollup(t.Context(), lead, tallied(at, paid), time.Minute))
		repaired := map[time.Duration]Verdict{time.Hour: VerdictCompleted, 48 * time.Hour: VerdictCompleted}
		must(t, w.SaveRollup(t.Context(), lead, tallied(at, repaired), time.Minute))
		f, err := w.Figures(t.Context(), at)
		must(t, err)
		if h := f.Series[HourOf(at)-1]; h.Webhook != (Tries{1, 0}) {
			t.Errorf("of today: %+v", h)
		}
		if h := f.Series[HourOf(at)-48]; h.Webhook != (Tries{0, 1}) {
			t.Errorf("of a day that is over: %+v", h)
		}
		for key, most := range map[string]time.Duration{rollupKey: time.Minute, seriesKey: seriesLife} {
			if ttl := client.PTTL(t.Context(), key).Val(); ttl <= 0 || ttl > most {
				t.Errorf("%s lives for %s", key, ttl)
			}
		}
	})
}

// TestSeriesGoesRound: an hour takes the place of the one that is left behind,
// whoever adds to it.
func TestSeriesGoesRound(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, client redis.UniversalClient, r *Redis) {
		w := NewWatch(r)
		lead, _, err := w.Lead(t.Context(), "one")
		must(t, err)
		for _, now := range []time.Time{at.Add(-seriesLife), at} {
			must(t, w.SaveRollup(t.Context(), lead, tallied(now, map[time.Duration]Verdict{0: VerdictOrphaned, 24 * time.Hour: VerdictLost, 48 * time.Hour: VerdictLost}), time.Minute))
			must(t, w.countLookups(t.Context(), HourOf(now), Tries{1, 1}))
		}
		if n := client.HGetAll(t.Context(), seriesKey).Val(); len(n) != 5 {
			t.Errorf("the series holds %v", n)
		}
		f, err := w.Figures(t.Context(), at)
		must(t, err)
		missed := Outcomes{Webhook: Tries{Bad: 1}}
		want := Series{
			HourOf(at):      {Outcomes: missed, Lookup: Tries{1, 1}, Server: &Level{UsedBytes: 7, MaxBytes: 10, Evicted: 3}},
			HourOf(at) - 24: {Outcomes: missed}, HourOf(at) - 48: {Outcomes: missed},
		}
		if diff := cmp.Diff(want, f.Series); diff != "" {
			t.Errorf("series (-want +got):\n%s", diff)
		}
	})
}

// TestKnownPayments: what Stripe did not list is unpaid only while it lists.
func TestKnownPayments(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *Redis) {
		w := NewWatch(r)
		lead, _, err := w.Lead(t.Context(), "one")
		must(t, err)
		must(t, w.SavePaid(t.Context(), Paid{Payment: Payment{SessionID: "cs_1", State: PaymentPaid}}))
		must(t, w.Note(t.Context(), lead, Passed(at)))
		for now, want := range map[time.Time]map[string]PaymentState{
			at.Add(time.Minute): {"cs_1": PaymentPaid, "cs_2": PaymentUnpaid},
			at.Add(time.Hour):   {"cs_1": PaymentPaid},
		} {
			payments, err := w.Payments(t.Context(), now, []string{"cs_1", "cs_2"})
			must(t, err)
			got := map[string]PaymentState{}
			for id, p := range payments {
				got[id] = p.State
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("after %s: %s", now.Sub(at), diff)
			}
		}
	})
}
