package stats

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
	"github.com/superduperai/sessionbot/store/storetest"
)

// tallied is a rollup of sessions that were paid, of which good have their video.
func tallied(now time.Time, paid map[time.Duration]diagnosis.Verdict) Rollup {
	t := NewTally(now)
	for age, verdict := range paid {
		t.Add(store.Session{}, diagnosis.Diagnosis{Verdict: verdict, PaidAt: now.Add(-age)})
	}
	return Rollup{AsOf: now, Count: t.Count(), Server: &rdb.Server{UsedMemoryBytes: 7, MaxMemoryBytes: 10, EvictedKeys: 3}}
}

func TestRollupIsReadInOneRoundTrip(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		at := storetest.At.Add(30 * time.Minute) // within an hour
		statistics, watch := NewStore(r), begun(t, r)
		if f, err := statistics.Figures(t.Context(), at); err != nil || f.Rollup != nil || len(f.Series) != 0 {
			t.Errorf("of nothing: %+v, %v", f, err)
		}
		lead, _, err := watch.Lead(t.Context(), "one")
		testenv.Must(t, err)
		kept := tallied(at, map[time.Duration]diagnosis.Verdict{time.Minute: diagnosis.VerdictOrphaned, 2 * time.Minute: diagnosis.VerdictCompleted, 25 * time.Hour: diagnosis.VerdictStalled})
		testenv.Must(t, statistics.SaveRollup(t.Context(), lead, kept, time.Minute))
		testenv.Must(t, statistics.countLookups(t.Context(), HourOf(at), Tries{1, 1}))
		testenv.Must(t, statistics.countLookups(t.Context(), HourOf(at), Tries{1, 0}))
		trips := &rdbtest.RoundTrips{}
		rdbtest.Hook(t, r, trips)
		f, err := statistics.Figures(t.Context(), at.Add(time.Second))
		testenv.Must(t, err)
		if n := trips.N.Load(); n != 1 {
			t.Errorf("%d round trips", n)
		}
		kept.Count.Hours = nil // kept in the series
		if diff := cmp.Diff(&kept, f.Rollup); diff != "" {
			t.Errorf("rollup (-kept +read):\n%s", diff)
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

// TestRollupNeedsTheLead: a process that lost the lead neither replaces the rollup nor
// adds to the series.
func TestRollupNeedsTheLead(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		statistics, watch := NewStore(r), begun(t, r)
		old, _, err := watch.Lead(t.Context(), "one")
		testenv.Must(t, err)
		testenv.Must(t, watch.Leases.Release(t.Context(), old))
		if _, _, err := watch.Lead(t.Context(), "two"); err != nil {
			t.Fatal(err)
		}
		if err := statistics.SaveRollup(t.Context(), old, tallied(storetest.At, map[time.Duration]diagnosis.Verdict{0: diagnosis.VerdictLost}), time.Minute); !errors.Is(err, lease.ErrLost) {
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
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		statistics, watch := NewStore(r), begun(t, r)
		lead, _, err := watch.Lead(t.Context(), "one")
		testenv.Must(t, err)
		for _, verdict := range []diagnosis.Verdict{diagnosis.VerdictUnchecked, diagnosis.VerdictCompleted, diagnosis.VerdictUnchecked} { // another leader may not know it yet
			testenv.Must(t, statistics.SaveRollup(t.Context(), lead, tallied(storetest.At, map[time.Duration]diagnosis.Verdict{48 * time.Hour: verdict}), time.Minute))
		}
		f, err := statistics.Figures(t.Context(), storetest.At)
		testenv.Must(t, err)
		if h := f.Series[HourOf(storetest.At)-48]; h.Webhook != (Tries{1, 0}) || h.Generation != (Tries{1, 0}) {
			t.Errorf("%+v", h)
		}
	})
}

// TestPastDaysDoNotChange: a repair of yesterday's session changes today's figures, not
// yesterday's.
func TestPastDaysDoNotChange(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		statistics, watch := NewStore(r), begun(t, r)
		lead, _, err := watch.Lead(t.Context(), "one")
		testenv.Must(t, err)
		paid := map[time.Duration]diagnosis.Verdict{time.Hour: diagnosis.VerdictOrphaned, 48 * time.Hour: diagnosis.VerdictOrphaned}
		testenv.Must(t, statistics.SaveRollup(t.Context(), lead, tallied(storetest.At, paid), time.Minute))
		repaired := map[time.Duration]diagnosis.Verdict{time.Hour: diagnosis.VerdictCompleted, 48 * time.Hour: diagnosis.VerdictCompleted}
		testenv.Must(t, statistics.SaveRollup(t.Context(), lead, tallied(storetest.At, repaired), time.Minute))
		f, err := statistics.Figures(t.Context(), storetest.At)
		testenv.Must(t, err)
		if h := f.Series[HourOf(storetest.At)-1]; h.Webhook != (Tries{1, 0}) {
			t.Errorf("of today: %+v", h)
		}
		if h := f.Series[HourOf(storetest.At)-48]; h.Webhook != (Tries{0, 1}) {
			t.Errorf("of a day that is over: %+v", h)
		}
		for key, most := range map[string]time.Duration{rollupKey: time.Minute, seriesKey: seriesLife} {
			if ttl := client.PTTL(t.Context(), key).Val(); ttl <= 0 || ttl > most {
				t.Errorf("%s lives for %s", key, ttl)
			}
		}
	})
}

// TestSeriesIsARing: an hour replaces the oldest one, whether a rollup or a lookup adds to
// it.
func TestSeriesIsARing(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		statistics, watch := NewStore(r), begun(t, r)
		lead, _, err := watch.Lead(t.Context(), "one")
		testenv.Must(t, err)
		for _, now := range []time.Time{storetest.At.Add(-seriesLife), storetest.At} {
			testenv.Must(t, statistics.SaveRollup(t.Context(), lead, tallied(now, map[time.Duration]diagnosis.Verdict{0: diagnosis.VerdictOrphaned, 24 * time.Hour: diagnosis.VerdictLost, 48 * time.Hour: diagnosis.VerdictLost}), time.Minute))
			testenv.Must(t, statistics.countLookups(t.Context(), HourOf(now), Tries{1, 1}))
		}
		if n := client.HGetAll(t.Context(), seriesKey).Val(); len(n) != 5 {
			t.Errorf("the series holds %v", n)
		}
		f, err := statistics.Figures(t.Context(), storetest.At)
		testenv.Must(t, err)
		missed := Outcomes{Webhook: Tries{Bad: 1}}
		want := Series{
			HourOf(storetest.At):      {Outcomes: missed, Lookup: Tries{1, 1}, Server: &Level{UsedBytes: 7, MaxBytes: 10, Evicted: 3}},
			HourOf(storetest.At) - 24: {Outcomes: missed}, HourOf(storetest.At) - 48: {Outcomes: missed},
		}
		if diff := cmp.Diff(want, f.Series); diff != "" {
			t.Errorf("series (-want +got):\n%s", diff)
		}
	})
}

// begun is the watch's state, which can be leased.
func begun(t *testing.T, r *rdb.Redis) *incident.Records {
	t.Helper()
	watch := incident.NewRecords(r)
	testenv.Must(t, watch.Begin(t.Context(), storetest.At))
	return watch
}
