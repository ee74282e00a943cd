package stats

import (
	"fmt"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// TestRateOfUncheckedFiles: a success rate of videos is known once most files are checked.
// Before, only what failed would count.
func TestRateOfUncheckedFiles(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 12, 30, 0, 0, time.UTC)
	for _, c := range []struct {
		completed, failed, unchecked int
		want                         string
	}{
		{0, 2, 50, "unknown"},
		{10, 2, 50, "unknown"},
		{16, 2, 3, "unknown"},
		{16, 2, 2, "0.89"},
		{16, 2, 0, "0.89"},
		{0, 2, 0, "0.00"},
		{0, 0, 0, "unknown"},
	} {
		tally := NewTally(now)
		for v, n := range map[diagnosis.Verdict]int{diagnosis.VerdictCompleted: c.completed, diagnosis.VerdictFailed: c.failed, diagnosis.VerdictUnchecked: c.unchecked} {
			for range n {
				tally.Add(store.Session{}, diagnosis.Diagnosis{Verdict: v, PaidAt: now.Add(-time.Minute)})
			}
		}
		count := tally.Count()
		hour := count.Hours[HourOf(now)]
		for what, rate := range map[string]*float64{"day": count.GenerationSuccessRate, "hour": hour.Generation.Rate()} {
			got := "unknown"
			if rate != nil {
				got = fmt.Sprintf("%.2f", *rate)
			}
			if got != c.want {
				t.Errorf("%+v: the rate of the %s is %s", c, what, got)
			}
		}
		if want := c.completed + c.failed + c.unchecked; hour.Webhook.Good != want {
			t.Errorf("%+v: %d webhooks, want %d", c, hour.Webhook.Good, want)
		}
	}
}

// TestRateOfAnHourAmongUnchecked: an hour of failures alone is no drop to zero as long as
// the other hours of the day are not checked.
func TestRateOfAnHourAmongUnchecked(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 12, 30, 0, 0, time.UTC)
	add := func(tally *Tally, others diagnosis.Verdict) Count {
		tally.Add(store.Session{}, diagnosis.Diagnosis{Verdict: diagnosis.VerdictFailed, PaidAt: now.Add(-time.Hour)})
		for range 5 {
			tally.Add(store.Session{}, diagnosis.Diagnosis{Verdict: others, PaidAt: now.Add(-2 * time.Hour)})
		}
		return tally.Count()
	}
	hour := HourOf(now) - 1
	early := Rollup{AsOf: now, Count: add(NewTally(now), diagnosis.VerdictUnchecked)}
	if rate := early.Count.Hours[hour].Generation.Rate(); rate != nil {
		t.Errorf("the rate is %v before the others are checked", *rate)
	}
	later := Rollup{AsOf: now, Count: add(NewTally(now), diagnosis.VerdictCompleted)}
	series := Series{}.With(early).With(later).With(early)
	if got, want := series[hour].Generation, (Tries{0, 1}); got != want {
		t.Errorf("the hour counts %v, want %v", got, want)
	}
	if got, want := series[hour-1].Generation, (Tries{5, 0}); got != want {
		t.Errorf("the hour before counts %v, want %v: what was known stays", got, want)
	}
}
