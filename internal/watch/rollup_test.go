package watch

import (
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// TestSweepsAreKept: what a sweep counted is there for who asks, by what Stripe
// said of payments, and so is the time that it is of.
func TestSweepsAreKept(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.pays("cs_test_1", overdue())
	b.put("prompt:cs_test_2", `{"prompt":"unpaid","timestamp":"`+overdue().UTC().Format(time.RFC3339Nano)+`"}`)
	b.put("balance:7", "3")
	began := time.Now().Truncate(time.Millisecond)
	b.run()
	b.expect("first 1")
	var kept store.Figures
	b.until("a sweep is kept that knows what was paid", func() bool {
		var err error
		kept, err = b.cfg.Statistics.Figures(t.Context(), time.Now())
		return err == nil && kept.Rollup != nil && kept.Rollup.Count.Verdicts[store.VerdictUnpaid] == 1
	})
	c, s := kept.Rollup.Count, kept.Rollup.Count.Survey
	if !c.Complete || c.Sessions != 2 || c.Verdicts[store.VerdictOrphaned] != 1 || len(c.Slots) != 1 || kept.Rollup.AsOf.Before(began) {
		t.Errorf("%+v as of %s", c, kept.Rollup.AsOf)
	}
	if s.Scanned == 0 || s.Namespaces[0].Name != "sessionbot" || kept.Rollup.Server == nil || kept.Rollup.Server.UsedMemoryBytes == 0 {
		t.Errorf("%+v, %+v", s, kept.Rollup.Server)
	}
	if state, err := b.records.State(t.Context()); err != nil || state.Reads != store.LayoutThreeKey {
		t.Errorf("the site reads %q, %v", state.Reads, err)
	}
	if sum := kept.Series.Sum(store.HourOf(time.Now()), 2); sum.Webhook != (store.Tries{Bad: 1}) {
		t.Errorf("the last hours came to %+v", sum)
	}
}
