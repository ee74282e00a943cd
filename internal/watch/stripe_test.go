package watch

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/payments"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/sessions"
)

// atStripe makes the watch use a fake Stripe server that knows these sessions.
func (h *simulation) atStripe(read ...demo.CheckoutSession) overHTTP {
	stripe := demo.NewStripe()
	stripe.Put(read...)
	server := httptest.NewServer(stripe)
	h.t.Cleanup(server.Close)
	reader := overHTTP{payments.New(payments.Config{Key: "rk_test_x", BaseURL: server.URL, Now: h.cfg.Now, ProductMetadata: []string{"tool"}})}
	h.cfg.Stripe, h.cfg.Payments = reader, reader
	return reader
}

// TestOtherSales are remembered as such, so that they are not taken for lost ones; a
// Redis that holds none of them is not reported as empty.
func TestOtherSales(t *testing.T) {
	t.Parallel()
	for other, want := range map[bool][]string{true: nil, false: {"redis_empty 0"}} {
		h := newSimulation(t)
		h.atStripe(demo.CheckoutSession{ID: "cs_test_1", Status: "complete", PaymentStatus: "paid", Amount: 900, Currency: "usd",
			Created: h.at.Add(-time.Hour), Event: store.EventDelivered, Other: other})
		h.lead()
		h.must(h.term.stripe.read(t.Context()))
		known, err := h.records.Known(t.Context(), []string{"cs_test_1"})
		if p := known["cs_test_1"].Paid; err != nil || p == nil || p.Payment.OtherSale != other {
			t.Errorf("remembered as %+v, %v", p, err)
		}
		h.must(h.term.sweeps.sweep(t.Context()))
		h.must(h.term.dispatcher.notifyAll(t.Context()))
		h.expectNotified(want...)
	}
}

// TestRefundIsRemembered: what a lookup saw is not replaced by the payment's event, which
// says nothing of the refund, so that the figures agree with the alerts.
func TestRefundIsRemembered(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.atStripe(demo.CheckoutSession{ID: "cs_test_1", Status: "complete", PaymentStatus: "paid", Amount: 100, Currency: "usd",
		Refunded: 100, Created: h.at.Add(-time.Hour), Event: store.EventDelivered})
	h.lead()
	h.must(h.records.KeepPaid(t.Context(), store.Paid{Payment: store.Payment{SessionID: "cs_test_1", State: store.PaymentRefunded}}))
	h.must(h.term.stripe.read(t.Context()))
	known, err := h.records.Known(t.Context(), []string{"cs_test_1"})
	if p := known["cs_test_1"].Paid; err != nil || p == nil || p.Payment.State != store.PaymentRefunded {
		t.Errorf("remembered as %+v, %v", p, err)
	}
}

// TestDelayedPaymentCountsFromItsEvent: its charge is days old by then. The diagnosis
// agrees.
func TestDelayedPaymentCountsFromItsEvent(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	charged, paid := h.at.Add(-5*24*time.Hour), h.at.Add(-2*orphanGrace).Truncate(time.Second)
	cs := demo.CheckoutSession{ID: "cs_test_1", Status: "complete", PaymentStatus: "paid", Amount: 100, Currency: "eur",
		Created: charged.Add(-time.Minute), ChargedAt: charged, PaidAt: paid, Event: store.EventFailed}
	reader := h.atStripe(cs)
	h.put("prompt:cs_test_1", `{"prompt":"A fox","timestamp":"`+cs.Created.UTC().Format(time.RFC3339)+`"}`)
	h.lead()
	h.advance(time.Minute)
	debug := diagnosis.Examiner{Redis: sessions.Reader{Redis: h.product}, Payments: reader, Limits: h.cfg.Limits, Now: h.cfg.Now}
	x := debug.Examine(t.Context(), cs.ID)
	if !x.Payment.PaidAt.Equal(paid) || x.Event.State != store.EventFailed || !x.Event.Created.Equal(paid) {
		t.Errorf("debug sees %+v, %+v", x.Payment, x.Event)
	}
	if c := h.only().Cases[0]; !c.At.Equal(paid) || c.Event != store.EventFailed {
		t.Errorf("the alert says %+v", c)
	}
}

// TestUndeliveredPaymentIntent: some versions of the site start a video by that event,
// too.
func TestUndeliveredPaymentIntent(t *testing.T) {
	t.Parallel()
	for undelivered, want := range map[string]store.EventState{"pi_1": store.EventFailed, "cs_test_1": store.EventFailed, "pi_2": store.EventDelivered} {
		h := newSimulation(t)
		h.stripe.undelivered = map[string]bool{undelivered: true}
		h.lead()
		paid := store.Paid{Payment: payment("cs_test_1", h.at), EventID: "evt_1", EventAt: h.at.Add(-store.EventPendingAge)}
		paid.Payment.IntentID = "pi_1"
		if got, err := h.term.stripe.eventOf(t.Context(), &paid, h.at); err != nil || got != want {
			t.Errorf("%q undelivered: %q, %v; want %q", undelivered, got, err, want)
		}
	}
}
