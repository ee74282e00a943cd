package stats

import (
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store/storetest"
)

// TestDetectWebhookDrop: it reports a period in which webhooks failed, and not
// what may be chance.
func TestDetectWebhookDrop(t *testing.T) {
	t.Parallel()
	slot := func(n int, good, bad int) Slot {
		return Slot{At: storetest.At.Add(time.Duration(n) * slotLength), Webhook: Tries{good, bad}}
	}
	steady := func(n int) (slots []Slot) {
		for i := range n {
			slots = append(slots, slot(i, 10, 0))
		}
		return slots
	}
	for _, c := range []struct {
		name     string
		slots    []Slot
		before   Tries
		from, to int // slots; from -1 = no drop, to -1 = it goes on
		inside   float64
	}{
		{"nothing", nil, Tries{}, -1, 0, 0},
		{"all is well", steady(50), Tries{1000, 5}, -1, 0, 0},
		{"two of many missed: chance", append(steady(50), slot(50, 9, 1), slot(51, 9, 1)), Tries{1000, 5}, -1, 0, 0},
		{"webhooks fail since", append(steady(50), slot(50, 2, 8), slot(51, 0, 10)), Tries{1000, 5}, 50, -1, 0.1},
		{"fewer succeed since", append(steady(50), slot(50, 6, 4), slot(51, 7, 3), slot(52, 6, 4)), Tries{1000, 5}, 50, -1, 0.6333},
		{"they failed, and are well again", append(append(steady(50), slot(50, 0, 9)), slot(51, 10, 0), slot(52, 10, 0)), Tries{1000, 5}, 50, 51, 0},
		{"they fail for longer than a day", []Slot{slot(0, 0, 4), slot(9, 0, 4)}, Tries{500, 2}, 0, -1, 0},
		{"they have always failed", []Slot{slot(0, 0, 40), slot(9, 0, 40)}, Tries{0, 500}, -1, 0, 0},
		{"nothing is known of before", []Slot{slot(0, 0, 4)}, Tries{}, -1, 0, 0},
		{"hardly anything is sold", []Slot{slot(0, 1, 0), slot(50, 0, 2)}, Tries{30, 0}, -1, 0, 0},
		{"hardly anything is sold, and three fail", []Slot{slot(0, 1, 0), slot(50, 0, 1), slot(60, 0, 2)}, Tries{30, 0}, 50, -1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, found := DetectWebhookDrop(c.slots, c.before)
			if c.from < 0 {
				if found {
					t.Errorf("found %+v", d)
				}
				return
			}
			var to time.Time
			if c.to >= 0 {
				to = storetest.At.Add(time.Duration(c.to) * slotLength)
			}
			if from := storetest.At.Add(time.Duration(c.from) * slotLength); !found || !d.From.Equal(from) || !d.To.Equal(to) ||
				d.Inside-c.inside > 0.001 || c.inside-d.Inside > 0.001 || d.Usual < 0.95 {
				t.Errorf("found %v %+v, want from %s to %s at %v", found, d, from, to, c.inside)
			}
		})
	}
}

func TestRateFell(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		now, before Tries
		want        bool
	}{
		{Tries{50, 0}, Tries{50, 0}, false},
		{Tries{5, 5}, Tries{95, 5}, true},
		{Tries{1, 2}, Tries{95, 5}, false}, // two are chance
		{Tries{0, 3}, Tries{5, 0}, false},  // of too few is it known how it was
		{Tries{}, Tries{95, 5}, false},
		{Tries{850, 150}, Tries{900, 100}, false}, // not by much
		{Tries{95, 5}, Tries{5, 5}, false},        // it rose
	} {
		if got := RateFell(c.now, c.before); got != c.want {
			t.Errorf("%+v, before %+v: %v", c.now, c.before, got)
		}
	}
}
