package main

import (
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
)

// pastGrace is a time of payment whose grace ended a second ago.
func pastGrace() time.Time { return time.Now().Add(-10*time.Minute - time.Second) }

// TestThousandAtOnce: one message, a few lines in its thread, an exact tally.
func TestThousandAtOnce(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.env["SWEEP_INTERVAL"] = "5s" // else Stripe's lists of a thousand are read without a pause
	const n = 1000
	for k := range n {
		s.pays(watchID(k), pastGrace().Add(-time.Duration(k)*time.Second), store.EventFailed)
	}
	s.startBot()
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	alert := oncall.ExpectMessage(containing("paid sessions have had no video", "<@U0ONCALL>", "to at least one endpoint since"))
	updated := func(parts ...string) { // a busy machine takes its time, as long as it gets on
		t.Helper()
		for !containing(parts...)(alert) {
			alert = oncall.ExpectUpdate(alert)
		}
	}
	updated("1\u00a0000 paid sessions have had no video since", "($1000.00)", "and 990 more")
	for k := range n {
		s.webhook(watchID(k), store.StatusProcessing)
	}
	updated("Resolved after", "1\u00a0000 sessions.", "1\u00a0000 webhooks came late", "and 990 more that were resolved")
	if all := oncall.All(); len(all) > 3 {
		t.Errorf("a thousand orphans took %d messages", len(all))
	}
	s.workspace.ExpectNothingElse()
}

// TestSlackRefuses: an alert that could not be posted is posted later, with its state at
// that time.
func TestSlackRefuses(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.startBot()
	s.workspace.Fault("rate_limit", 3, "chat.postMessage")
	for k := range 3 {
		s.pays(watchID(k), pastGrace(), store.EventFailed)
	}
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	alert := oncall.ExpectMessage(containing("3 paid sessions have had no video since", "<@U0ONCALL>"))
	s.workspace.Fault("server_error", 3, "")
	s.webhook(watchID(0), store.StatusProcessing)
	s.pays(watchID(3), pastGrace(), store.EventFailed)
	s.webhook(watchID(1), store.StatusCompleted)
	oncall.ExpectUpdate(alert, containing("2 paid sessions have had no video", "4 sessions in all; 2 webhooks came late", "to at least one endpoint since"))
	s.onlyUpdates(containing("2 paid sessions have had no video", "4 sessions in all; 2 webhooks came late"))
}

// TestAlertThatSlackFreezes is posted again, and continues there; a press on the old
// one counts, and says where it shows.
func TestAlertThatSlackFreezes(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.startBot()
	s.pays(watchID(1), pastGrace(), store.EventFailed)
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	old := oncall.ExpectMessage(containing("A paid session got no video."))
	s.workspace.Refuse("chat.update", "edit_window_closed")
	s.pays(watchID(2), pastGrace(), store.EventFailed)
	alert := oncall.ExpectMessage(containing("2 paid sessions have had no video since"))
	s.workspace.Fault("clear", 0, "")
	oncall.Click(old, "alert.ack")
	oncall.ExpectUpdate(alert, containing("Acknowledged by"))
	oncall.ExpectMessage(containing("Your press was registered."))
	s.onlyUpdates(containing("2 paid sessions have had no video since", "Acknowledged by"))
}

// TestOpenAlertMovesToTheAlertChannel that is configured now, with the sessions
// that joined it.
func TestOpenAlertMovesToTheAlertChannel(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.startBot()
	s.pays(watchID(1), pastGrace(), store.EventFailed)
	s.workspace.As("U0ONCALL").In("C0ALERTS").ExpectMessage(containing("A paid session got no video."))
	if code := s.bot.stop(); code != 0 {
		t.Errorf("asked to stop, it exited with %d", code)
	}
	s.env["ALERT_CHANNEL"] = "C0SUPPORT"
	s.startBot()
	s.pays(watchID(2), pastGrace(), store.EventFailed)
	oncall := s.workspace.As("U0ONCALL").In("C0SUPPORT")
	alert := oncall.ExpectMessage(containing("2 paid sessions have had no video since"))
	s.webhook(watchID(1), store.StatusProcessing)
	oncall.ExpectUpdate(alert, containing("A paid session got no video.", "2 sessions in all; 1 webhook came late"))
	s.onlyUpdates(containing("A paid session got no video.", "2 sessions in all; 1 webhook came late"))
}

// TestEachVerdictIsNamed: alerts name their verdict, and only those of ALERT_ON are sent.
func TestEachVerdictIsNamed(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.env["ALERT_ON"] = "stalled,lost"
	s.pays(watchID(1), pastGrace(), store.EventFailed)
	s.stripe.Put(demo.CheckoutSession{ID: watchID(2), Status: "complete", PaymentStatus: "paid", Amount: 100, Currency: "usd", Created: pastGrace()})
	s.put("webhook:"+watchID(3), `{"status":"processing","timestamp":"`+pastGrace().UTC().Format(time.RFC3339)+`"}`)
	s.put("webhook:"+watchID(4), `{"status":"error","timestamp":"`+pastGrace().UTC().Format(time.RFC3339)+`"}`)
	s.startBot()
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	oncall.ExpectMessage(containing("Lost: a paid session has no prompt to make a video from."))
	stalled := oncall.ExpectMessage(containing("Stalled: a video is taking too long."))
	if containing("payment unverified")(stalled) { // Stripe is queried for a few at a time
		oncall.ExpectUpdate(stalled, func(m wstest.Message) bool { return !containing("payment unverified")(m) })
	}
	s.workspace.ExpectNothingElse()
}

// TestRepairedFromTheAlert: the alert's own menus repair the sessions.
func TestRepairedFromTheAlert(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.files = demo.NewSuperDuper(time.Now, 0) // made at once
	s.env["SUPERDUPERAI_URL"] = s.serve(s.files)
	s.startBot()
	s.pays(watchID(1), pastGrace().Add(-time.Minute), store.EventDelivered)
	s.pays(watchID(2), pastGrace(), store.EventDelivered)
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	alert := oncall.ExpectMessage(containing("paid session", "the site lost"))
	if !containing(watchID(1), watchID(2))(alert) {
		alert = oncall.ExpectUpdate(alert, containing(watchID(1), watchID(2)))
	}
	oncall.Choose(alert, "session.menu", "generate:"+watchID(1))
	plan := oncall.ExpectMessage(containing("Generate a video for"))
	oncall.Click(plan, "confirm.approve")
	s.expectEnd(oncall, plan, containing("Done: video ready"))
	oncall.Choose(alert, "session.menu", "fix:"+watchID(2))
	plan = oncall.ExpectMessage(containing("Mark as error: "))
	oncall.Click(plan, "confirm.approve")
	s.expectEnd(oncall, plan, containing("is marked as error"))
	oncall.ExpectUpdate(alert, containing("Resolved after", "1 generated, 1 marked as error."))
	s.workspace.ExpectNothingElse()
}
