package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
)

// watched makes the stage one with alerts, that come quickly.
func watched(s *stage) *stage {
	s.env["ALERT_CHANNEL"], s.env["ONCALL_MENTION"] = "C0ALERTS", "U0ONCALL"
	s.env["SWEEP_INTERVAL"], s.env["OPERATORS"] = "100ms", "S0OPS"
	return s
}

// watchedOnBoth runs a story on one server, and on three masters.
func watchedOnBoth(t *testing.T, story func(t *testing.T, s *stage)) {
	t.Run("a server", func(t *testing.T) { story(t, watched(newStage(t))) })
	t.Run("three masters", func(t *testing.T) {
		s, _ := clusterStage(t)
		story(t, watched(s))
	})
}

func watchID(n int) string {
	return fmt.Sprintf("cs_live_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3Xw%04d", n)
}

// stored puts a prompt into Redis, as the site does before the payment.
func (s *stage) stored(id string, at time.Time) {
	s.t.Helper()
	s.put("prompt:"+id, `{"prompt":"A fox runs","timestamp":"`+at.UTC().Format("2006-01-02T15:04:05.000Z")+`"}`)
}

// pays has a customer pay; the site gets no event.
func (s *stage) pays(id string, at time.Time, event store.EventState) {
	s.t.Helper()
	s.stored(id, at)
	s.stripe.Put(paid(id, at, event))
}

// paid is a dollar's checkout at Stripe.
func paid(id string, at time.Time, event store.EventState) demo.CheckoutSession {
	return demo.CheckoutSession{ID: id, Status: "complete", PaymentStatus: "paid", Amount: 100, Currency: "usd",
		Created: at.Add(-time.Minute), ChargedAt: at, Event: event}
}

// webhook delivers the event of a payment to the site after all.
func (s *stage) webhook(id string, status store.Status) {
	s.t.Helper()
	s.put("webhook:"+id, fmt.Sprintf(`{"status":%q,"fileId":"6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0013","timestamp":%q}`,
		status, time.Now().UTC().Format("2006-01-02T15:04:05.000Z")))
}

func containing(parts ...string) func(wstest.Message) bool {
	return func(m wstest.Message) bool {
		for _, part := range parts {
			if !strings.Contains(m.Text+string(m.Blocks), part) {
				return false
			}
		}
		return true
	}
}

// onlyUpdates expects nothing else but updates that fit, such as with what Stripe
// says of an event later.
func (s *stage) onlyUpdates(fits func(wstest.Message) bool) {
	s.t.Helper()
	s.drain(func(m wstest.Message) {
		if !m.Edited || !fits(m) {
			s.t.Errorf("got %s", m)
		}
	})
}

// TestOneOrphan: alerted at once with the mention, acknowledged, recovered by the late
// webhook, closed; and nothing else is posted.
func TestOneOrphan(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.startBot()
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	s.pays(watchID(1), time.Now().Add(-10*time.Minute-time.Second), store.EventFailed)
	alert := oncall.ExpectMessage(containing("A paid session got no video.", "<@U0ONCALL>", "$1.00", "to at least one endpoint", "events/evt_1",
		`"session.menu"`, "generate:"+watchID(1), "fix:"+watchID(1), "dismiss:"+watchID(1), `"alert.ack"`, `"alert.snooze"`, "docs/operating.md#orphaned"))
	oncall.Choose(alert, "session.menu", "debug:"+watchID(1))
	s.workspace.As("U0ONCALL").ExpectModal(func(v wstest.View) bool { return v.Shows("Orphaned: paid, but no video was started.") })
	oncall.Choose(alert, "alert.snooze", "1h")
	alert = oncall.ExpectUpdate(alert, containing("Snoozed until"))
	oncall.Click(alert, "alert.ack")
	alert = oncall.ExpectUpdate(alert, containing("Acknowledged by"))
	s.webhook(watchID(1), store.StatusProcessing)
	alert = oncall.ExpectUpdate(alert, containing("Resolved after", "1 webhook came late", `"strike":true`))
	if strings.Contains(string(alert.Blocks), "alert.ack") || strings.Contains(alert.Text, "<@U0ONCALL>") {
		t.Errorf("a closed alert calls people: %s", alert.Text)
	}
	s.workspace.ExpectNothingElse()
	s.expectCleanLog("A fox runs")
}
