package incident

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestClockOf: each customer waits from the payment, or from when they were found, until
// their session leaves; a customer who paid nothing does not wait.
func TestClockOf(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	const minute = time.Minute
	for _, c := range []struct {
		name  string
		cases []Case
		want  Clock
	}{
		{"nobody", nil, Clock{}},
		{"one waits", []Case{{At: ago(12*minute + 59*time.Second), Amount: 100, Currency: "usd"}},
			Clock{Customers: 1, Longest: 12*minute + 59*time.Second, InAll: 12*minute + 59*time.Second, Money: map[string]int64{"usd": 100}}},
		{"one left", []Case{{At: ago(60 * minute), Gone: ago(50 * minute), Ending: EndLate}, {At: ago(20 * minute)}},
			Clock{Customers: 2, Longest: 20 * minute, InAll: 30 * minute}},
		{"it is not known when one paid", []Case{{Found: ago(5 * minute)}}, Clock{Customers: 1, Longest: 5 * minute, InAll: 5 * minute}},
		{"one paid nothing", []Case{{At: ago(60 * minute), Gone: now, Ending: EndUnpaid, Amount: 100, Currency: "usd"}, {At: ago(minute)}},
			Clock{Customers: 1, Longest: minute, InAll: minute}},
		{"another clock is ahead", []Case{{At: now.Add(minute)}}, Clock{Customers: 1}},
		{"two currencies", []Case{{At: now, Amount: 1, Currency: "usd"}, {At: now, Amount: 2, Currency: "eur"}, {At: now, Amount: 3, Currency: "usd"}},
			Clock{Customers: 3, Money: map[string]int64{"usd": 4, "eur": 2}}},
	} {
		if diff := cmp.Diff(c.want, ClockOf(c.cases, now)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}
