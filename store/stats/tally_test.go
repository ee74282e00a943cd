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
