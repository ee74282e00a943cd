package watch

import (
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/stats"
)

// TestPanicIsContained: a panic becomes an error without its value.
func TestPanicIsContained(t *testing.T) {
	t.Parallel()
	err := catchPanic(func() error { panic(strings.ToUpper("a customer's prompt")) })
	if err == nil || strings.Contains(err.Error(), "CUSTOMER") {
		t.Errorf("%v", err)
	}
}

// TestReady counts from the start, and then from the last sweep.
func TestReady(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.lead()
	began := h.at
	if err := h.term.Ready(t.Context(), began); err != nil {
		t.Errorf("just started: %v", err)
	}
	h.at = h.at.Add(4 * h.cfg.Interval)
	if err := h.term.Ready(t.Context(), began); err == nil {
		t.Error("ready without a sweep in four intervals")
	}
	h.must(h.term.sweeps.sweep(t.Context()))
	if err := h.term.Ready(t.Context(), began); err != nil {
		t.Errorf("after a sweep: %v", err)
	}
}

// TestRollupIsSaved: the statistics are those of the last sweep, with Stripe's payments
// and the time of the sweep.
func TestRollupIsSaved(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.pay("cs_test_1", pastGrace())
	b.put("prompt:cs_test_2", `{"prompt":"unpaid","timestamp":"`+pastGrace().UTC().Format(time.RFC3339Nano)+`"}`)
	b.put("balance:7", "3")
	began := time.Now().Truncate(time.Millisecond)
	b.run()
	b.expect("first 1")
	var kept stats.Figures
	b.eventually("a sweep is kept that knows what was paid", func() bool {
		var err error
		kept, err = b.cfg.Statistics.Figures(t.Context(), time.Now())
		return err == nil && kept.Rollup != nil && kept.Rollup.Count.Verdicts[diagnosis.VerdictUnpaid] == 1
	})
	c, s := kept.Rollup.Count, kept.Rollup.Count.Survey
	if !c.Complete || c.Sessions != 2 || c.Verdicts[diagnosis.VerdictOrphaned] != 1 || len(c.Slots) != 1 || kept.Rollup.AsOf.Before(began) {
		t.Errorf("%+v as of %s", c, kept.Rollup.AsOf)
	}
	if s.Scanned == 0 || s.Namespaces[0].Name != "sessionbot" || kept.Rollup.Server == nil || kept.Rollup.Server.UsedMemoryBytes == 0 {
		t.Errorf("%+v, %+v", s, kept.Rollup.Server)
	}
	if state, err := b.records.State(t.Context()); err != nil || state.SiteLayout != store.LayoutThreeKey {
		t.Errorf("the site reads %q, %v", state.SiteLayout, err)
	}
	if sum := kept.Series.Sum(stats.HourOf(time.Now()), 2); sum.Webhook != (stats.Tries{Bad: 1}) {
		t.Errorf("the last hours came to %+v", sum)
	}
}
