package main

import (
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/store"
)

// TestStripeIsSilent: one message for all whose payment cannot be verified, and
// no one is mentioned; when Stripe answers it is corrected, and the paid sessions are alerted.
func TestStripeIsSilent(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.startBot()
	s.pays(watchID(1), pastGrace(), store.EventFailed)
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	oncall.ExpectMessage(containing("A paid session got no video."))
	s.stripe.Break(demo.Fault{Status: 503, Body: "{}"})
	for k := range 3 {
		s.stored(watchID(10+k), time.Now().Add(-10*time.Minute+2*time.Second))
	}
	silent := oncall.ExpectMessage(containing("The payments of 3 sessions cannot be verified (since", "no alerts are sent"))
	blind := oncall.ExpectMessage(containing("Monitoring has been impaired since", "payments cannot be read from Stripe"))
	for _, m := range []string{silent.Text, blind.Text} {
		if strings.Contains(m, "U0ONCALL") {
			t.Errorf("somebody is called: %s", m)
		}
	}
	s.pays(watchID(10), time.Now().Add(-10*time.Minute), store.EventFailed) // the others never do
	s.stripe.Heal()
	oncall.ExpectUpdate(silent, containing("Stripe answers again after", "paid sessions without a video are alerted again"))
	oncall.ExpectUpdate(blind, containing("Monitoring is restored after"))
	both := containing("2 paid sessions have had no video since", "Stripe has not been able to deliver the events to at least one endpoint since")
	for _, m := range oncall.All() {
		if strings.Contains(m.Text, "got no video") && !both(m) {
			oncall.ExpectUpdate(m, both)
		}
	}
	s.onlyUpdates(containing("2 paid sessions have had no video since"))
}

// TestFirstStartOnAMonth: abandoned carts are ignored, what is
// older than a day becomes one summary, and no one is mentioned.
func TestFirstStartOnAMonth(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.addMonth()
	s.startBot()
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	summary := oncall.ExpectMessage(containing("From before monitoring started: 6 sessions", "6 orphaned ($6.00)"))
	if strings.Contains(summary.Text, "<@U0ONCALL>") {
		t.Errorf("the summary calls somebody: %s", summary.Text)
	}
	if code := s.bot.stop(); code != 0 {
		t.Errorf("asked to stop, it exited with %d", code)
	}
	s.startBot()
	s.pays(watchID(5000), pastGrace(), store.EventFailed)
	oncall.ExpectMessage(containing("A paid session got no video.", "<@U0ONCALL>"))
	s.workspace.ExpectNothingElse()
}

// TestFirstStartWithoutEvents: the same with a key that may not list events,
// which is reported without a mention. Stripe's list of sessions is used instead, and no
// message says that there was no event.
func TestFirstStartWithoutEvents(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.stripe.BreakFor("events", demo.Fault{Status: 403, Body: `{"error":{"type":"invalid_request_error"}}`})
	s.addMonth()
	s.startBot()
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	oncall.ExpectMessage(containing("From before monitoring started: 6 sessions", "6 orphaned ($6.00)"))
	less := oncall.ExpectMessage(containing("Monitoring has been impaired since", "the Stripe key has no permission to list events", "to read Events"))
	if strings.Contains(less.Text, "<@U0ONCALL>") {
		t.Errorf("somebody is called for it: %s", less.Text)
	}
	s.pays(watchID(5000), pastGrace(), store.EventFailed)
	alert := oncall.ExpectMessage(containing("A paid session got no video.", "<@U0ONCALL>", "$1.00"))
	if strings.Contains(alert.Text, "no event") {
		t.Errorf("it says that there was no event: %s", alert.Text)
	}
	s.stripe.Heal()
	oncall.ExpectUpdate(less, containing("Monitoring is restored"))
	oncall.ExpectUpdate(alert, containing("to at least one endpoint"))
	s.workspace.ExpectNothingElse()
}

// addMonth adds a month of history, in which 70 % were left unpaid and 6 sessions got
// no video.
func (s *stage) addMonth() {
	const n, month = 600, 29 * 24 * time.Hour
	for k := range n {
		id, at := watchID(k), time.Now().Add(-time.Hour-time.Duration(k)*month/n)
		switch {
		case k%10 < 7: // left unpaid
			s.stored(id, at)
			status := "expired"
			if time.Since(at) < 24*time.Hour {
				status = "open"
			}
			s.stripe.Put(demo.CheckoutSession{ID: id, Status: status, PaymentStatus: "unpaid", Amount: 100, Currency: "usd", Created: at})
		case k%100 == 99 && time.Since(at) > 25*time.Hour:
			s.pays(id, at, store.EventFailed) // and nothing happened
		default:
			s.pays(id, at, store.EventDelivered)
			s.webhook(id, store.StatusCompleted)
		}
	}
}

// TestWithoutAStripeKey: unverified, grouped, with the advice.
func TestWithoutAStripeKey(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	delete(s.env, "STRIPE_SECRET_KEY")
	s.stored(watchID(1), pastGrace())
	s.stored(watchID(2), pastGrace())
	s.startBot()
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	oncall.ExpectMessage(containing("2 sessions have had no video (payment unverified)", "set STRIPE_SECRET_KEY", "<@U0ONCALL>"))
	s.workspace.ExpectNothingElse()
}
