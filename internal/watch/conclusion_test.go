package watch

import (
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/sweep"
)

// TestConclusion: what passes without a change of the session is looked at again soon.
func TestConclusion(t *testing.T) {
	t.Parallel()
	const soon = time.Minute
	now := time.Now()
	old := now.Add(-store.KeyLife)
	for _, c := range []struct {
		v     diagnosis.Verdict
		job   store.JobState
		p     store.Payment
		paid  time.Time
		want  incident.Disposition
		again time.Duration
	}{
		{v: diagnosis.VerdictProcessing, job: store.JobRunning, want: incident.RepairRunning, again: soon},
		{v: diagnosis.VerdictProcessing, want: incident.NotSettled, again: soon}, // its file is being made
		{v: diagnosis.VerdictUnclear, job: store.JobUnclear, want: incident.NotSettled, again: soon},
		{v: diagnosis.VerdictWaiting, want: incident.NotSettled, again: soon},
		{v: diagnosis.VerdictUnchecked, want: incident.NotSettled, again: soon},
		{v: diagnosis.VerdictUnpaid, want: incident.AwaitsPayment, again: paymentInterval},
		{v: diagnosis.VerdictUnpaid, p: store.Payment{Failed: true}, want: incident.NotConfirmed},
		{v: diagnosis.VerdictRefunded, want: incident.NotConfirmed},
		{v: diagnosis.VerdictCompleted, want: incident.NotConfirmed},
		{v: diagnosis.VerdictAbandoned, want: incident.NotConfirmed},
		{v: diagnosis.VerdictLost, paid: old, want: incident.SessionExpired},
		{v: diagnosis.VerdictLost, paid: old.Add(2 * expiryMargin), want: incident.NotConfirmed},
		{v: diagnosis.VerdictRefunded, paid: old, want: incident.NotConfirmed},
	} {
		got := candidate{Observation: sweep.Observation{Evidence: diagnosis.Evidence{Job: c.job, Payment: c.p}, Diagnosis: diagnosis.Diagnosis{Verdict: c.v, PaidAt: c.paid}}}
		if reason, again := got.conclusion(soon, now); reason != c.want || again != c.again {
			t.Errorf("%s, job %q: %s, again after %s; want %s, %s", c.v, c.job, reason, again, c.want, c.again)
		}
	}
}

// TestRepairAtTheFirstLook: a repair that was claimed just before a session is examined
// keeps it from being alerted only until it ends.
func TestRepairAtTheFirstLook(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.lead()
	h.orphan("cs_test_1")
	h.must(h.term.stripe.poll(t.Context()))
	candidates, err := h.term.inspector.diagnose(t.Context(), []string{"cs_test_1"}, nil)
	h.must(err)
	const job = "sessionbot:{jobs}:of:cs_test_1"
	h.must(h.client.HSet(t.Context(), job, "state", "running").Err())
	result := inspection{observed: map[string]assessment{}}
	h.must(h.term.inspector.examine(t.Context(), candidates, &result))
	if len(result.requeue) != 1 || result.observed["cs_test_1"].ToAlert {
		t.Errorf("examined: %+v", result)
	}
	if n := h.metrics.skipped[string(incident.RepairRunning)]; n != 1 {
		t.Errorf("skipped: %v", h.metrics.skipped)
	}
	h.advance(2 * time.Minute)
	h.expectNotified()
	h.must(h.client.HSet(t.Context(), job, "state", "").Err()) // it failed, and changed nothing
	h.advance(2 * time.Minute)
	h.expectNotified("first 1")
}

// TestDelayedPaymentWithoutAnEvent: the checkout is days old when the payment succeeds,
// so that Stripe's list of sessions does not name it any more, and no event says it.
func TestDelayedPaymentWithoutAnEvent(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.stride = time.Minute
	delayed := payment("cs_test_1", time.Time{})
	delayed.State, delayed.Created = store.PaymentUnpaid, h.at.Add(-time.Minute)
	other, failed := delayed, delayed
	other.SessionID, other.OtherSale = "cs_test_2", true
	failed.SessionID = "cs_test_3"
	h.stripe.sessions = []store.Paid{{Payment: delayed}, {Payment: other}, {Payment: failed}}
	for _, id := range []string{"cs_test_1", "cs_test_3"} {
		h.put("prompt:"+id, `{"prompt":"A fox","timestamp":"`+delayed.Created.UTC().Format(time.RFC3339)+`"}`)
	}
	h.lead()
	h.advance(dayBack + 2*time.Hour)
	h.expectNotified()
	if n := h.metrics.skipped[string(incident.AwaitsPayment)]; n < 2*int(dayBack/paymentInterval) || n > 3*int(dayBack/paymentInterval) {
		t.Errorf("two payments were looked up %d times in %s", n, dayBack)
	}
	h.stripe.sessions[2].Payment.Failed = true
	h.stripe.sessions[0].Payment.State, h.stripe.sessions[0].Payment.ChargedAt = store.PaymentPaid, h.at
	h.advance(paymentInterval + orphanGrace + 2*time.Minute)
	if news := h.notified(); len(news) == 0 || news[0] != "first 1" {
		t.Errorf("notified %q", news)
	}
	if c := h.only().Cases[0]; c.ID != "cs_test_1" || c.Payment != store.PaymentPaid {
		t.Errorf("alerted: %+v", c)
	}
	known, err := h.records.Known(t.Context(), []string{"cs_test_3"})
	if p := known["cs_test_3"].Paid; err != nil || p != nil && p.Delayed() {
		t.Errorf("a payment that failed for good is still looked up: %+v, %v", known, err)
	}
}

// TestDelayedPaymentThatIsListedAsPaid, without an event, replaces what was known.
func TestDelayedPaymentThatIsListedAsPaid(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.lead()
	delayed := store.Paid{Payment: payment("cs_test_1", time.Time{})}
	delayed.Payment.State = store.PaymentUnpaid
	paid := store.Paid{Payment: payment("cs_test_1", h.at)}
	withEvent := paid
	withEvent.EventID = "evt_1"
	for _, c := range []struct{ saved, want store.Paid }{{delayed, delayed}, {paid, paid}, {delayed, paid}, {withEvent, withEvent}, {paid, withEvent}} {
		h.must(h.term.stripe.save(t.Context(), []store.Paid{c.saved}))
		known, err := h.records.Known(t.Context(), []string{"cs_test_1"})
		if got := known["cs_test_1"].Paid; err != nil || got == nil || got.Payment.State != c.want.Payment.State || got.EventID != c.want.EventID {
			t.Errorf("saved %+v: known is %+v, %v", c.saved, got, err)
		}
	}
}
