package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
)

// overdue is a time of payment whose grace ended a second ago.
func overdue() time.Time { return time.Now().Add(-10*time.Minute - time.Second) }

// TestThousandAtOnce: one message, a few lines in its thread, an exact tally.
func TestThousandAtOnce(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.env["SWEEP_INTERVAL"] = "5s" // else Stripe's lists of a thousand are read without a pause
	const n = 1000
	for k := range n {
		s.pays(watchID(k), overdue().Add(-time.Duration(k)*time.Second), store.EventFailed)
	}
	s.startBot()
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	alert := oncall.ExpectMessage(having("paid sessions got no video", "<@U0ONCALL>", "undelivered at one endpoint at least since"))
	if !having("1\u00a0000 paid sessions got no video since", "($1000.00)", "and 990 sessions more")(alert) {
		alert = oncall.ExpectUpdate(alert, having("1\u00a0000 paid sessions got no video since", "($1000.00)", "and 990 sessions more"))
	}
	for k := range n {
		s.webhook(watchID(k), store.StatusProcessing)
	}
	oncall.ExpectUpdate(alert, having("Resolved after", "1\u00a0000 sessions.", "1\u00a0000 webhooks came late", "and 990 sessions more that left"))
	if all := oncall.All(); len(all) > 3 {
		t.Errorf("a thousand orphans took %d messages", len(all))
	}
	s.workspace.ExpectNothingElse()
}

// TestLeaderIsKilled: the other replica goes on where the first one stopped, in
// the same message; what was not told yet is told, once.
func TestLeaderIsKilled(t *testing.T) {
	t.Parallel()
	watchedOnBoth(t, tellLeaderIsKilled)
}

func tellLeaderIsKilled(t *testing.T, s *stage) {
	s.startProcess()
	first := s.bot
	s.pays(watchID(1), overdue(), store.EventFailed)
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	alert := oncall.ExpectMessage(having("A paid session got no video."))
	s.startBot()
	s.workspace.AwaitConnections(2)
	first.kill()
	s.leadershipEnds()
	s.pays(watchID(2), overdue(), store.EventDelivered)
	alert = oncall.ExpectUpdate(alert, having("2 paid sessions got no video since"))
	if code := s.bot.stop(); code != 0 {
		t.Errorf("asked to stop, it exited with %d", code)
	}
	s.webhook(watchID(1), store.StatusProcessing)
	s.startBot()
	alert = oncall.ExpectUpdate(alert, having("A paid session got no video.", "2 sessions in all; 1 webhook came late"))
	oncall.Click(alert, "alert.ack")
	oncall.ExpectUpdate(alert, having("Acknowledged by"))
	s.onlyUpdates(having("Acknowledged by"))
}

// leadershipEnds is as if the life of the leader's lease had gone by.
func (s *stage) leadershipEnds() {
	s.t.Helper()
	if err := s.client.Del(s.t.Context(), "sessionbot:{watch}:leader").Err(); err != nil {
		s.t.Fatal(err)
	}
}

// TestSlackRefuses: what could not be told is told later, collapsed to how it
// stands by then.
func TestSlackRefuses(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.startBot()
	s.workspace.Fault("rate_limit", 3, "chat.postMessage")
	for k := range 3 {
		s.pays(watchID(k), overdue(), store.EventFailed)
	}
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	alert := oncall.ExpectMessage(having("3 paid sessions got no video since", "<@U0ONCALL>"))
	s.workspace.Fault("server_error", 3, "")
	s.webhook(watchID(0), store.StatusProcessing)
	s.pays(watchID(3), overdue(), store.EventFailed)
	s.webhook(watchID(1), store.StatusCompleted)
	oncall.ExpectUpdate(alert, having("2 paid sessions got no video", "4 sessions in all; 2 webhooks came late", "undelivered at one endpoint at least since"))
	s.onlyUpdates(having("2 paid sessions got no video", "4 sessions in all; 2 webhooks came late"))
}

// TestAlertThatSlackFreezes is posted anew, where it goes on; a press on the old
// one counts, and says where it shows.
func TestAlertThatSlackFreezes(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.startBot()
	s.pays(watchID(1), overdue(), store.EventFailed)
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	old := oncall.ExpectMessage(having("A paid session got no video."))
	s.workspace.Refuse("chat.update", "edit_window_closed")
	s.pays(watchID(2), overdue(), store.EventFailed)
	alert := oncall.ExpectMessage(having("2 paid sessions got no video since"))
	s.workspace.Fault("clear", 0, "")
	oncall.Click(old, "alert.ack")
	oncall.ExpectUpdate(alert, having("Acknowledged by"))
	oncall.ExpectMessage(having("Your press counted."))
	s.onlyUpdates(having("2 paid sessions got no video since", "Acknowledged by"))
}

// TestOpenAlertMovesToTheAlertChannel that is configured now, with the sessions
// that joined it.
func TestOpenAlertMovesToTheAlertChannel(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.startBot()
	s.pays(watchID(1), overdue(), store.EventFailed)
	s.workspace.As("U0ONCALL").In("C0ALERTS").ExpectMessage(having("A paid session got no video."))
	if code := s.bot.stop(); code != 0 {
		t.Errorf("asked to stop, it exited with %d", code)
	}
	s.env["ALERT_CHANNEL"] = "C0SUPPORT"
	s.startBot()
	s.pays(watchID(2), overdue(), store.EventFailed)
	oncall := s.workspace.As("U0ONCALL").In("C0SUPPORT")
	alert := oncall.ExpectMessage(having("2 paid sessions got no video since"))
	s.webhook(watchID(1), store.StatusProcessing)
	oncall.ExpectUpdate(alert, having("A paid session got no video.", "2 sessions in all; 1 webhook came late"))
	s.onlyUpdates(having("A paid session got no video.", "2 sessions in all; 1 webhook came late"))
}

// TestStripeIsSilent: one message for all whose payment cannot be verified, and
// nobody is called; when Stripe answers it is corrected, and who paid is told.
func TestStripeIsSilent(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.startBot()
	s.pays(watchID(1), overdue(), store.EventFailed)
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	oncall.ExpectMessage(having("A paid session got no video."))
	s.stripe.Break(demo.Fault{Status: 503, Body: "{}"})
	for k := range 3 {
		s.stored(watchID(10+k), time.Now().Add(-10*time.Minute+2*time.Second))
	}
	silent := oncall.ExpectMessage(having("Payment of 3 sessions cannot be verified since", "nobody is called"))
	blind := oncall.ExpectMessage(having("The watch sees less since", "Stripe cannot be asked what was paid"))
	for _, m := range []string{silent.Text, blind.Text} {
		if strings.Contains(m, "U0ONCALL") {
			t.Errorf("somebody is called: %s", m)
		}
	}
	s.pays(watchID(10), time.Now().Add(-10*time.Minute), store.EventFailed) // the others never do
	s.stripe.Heal()
	oncall.ExpectUpdate(silent, having("Stripe answers again after", "any paid session without a video is alerted"))
	oncall.ExpectUpdate(blind, having("The watch sees everything again after"))
	both := having("2 paid sessions got no video since", "Stripe's events have been undelivered at one endpoint at least since")
	for _, m := range oncall.All() {
		if strings.Contains(m.Text, "got no video") && !both(m) {
			oncall.ExpectUpdate(m, both)
		}
	}
	s.onlyUpdates(having("2 paid sessions got no video since"))
}

// TestFirstStartOnAMonth: carts that were left are nobody's business, what is
// older than a day becomes one summary, and nobody is called.
func TestFirstStartOnAMonth(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.month()
	s.startBot()
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	summary := oncall.ExpectMessage(having("From before this watch began: 6 sessions", "6 orphaned ($6.00)"))
	if strings.Contains(summary.Text, "<@U0ONCALL>") {
		t.Errorf("the summary calls somebody: %s", summary.Text)
	}
	if code := s.bot.stop(); code != 0 {
		t.Errorf("asked to stop, it exited with %d", code)
	}
	s.startBot()
	s.pays(watchID(5000), overdue(), store.EventFailed)
	oncall.ExpectMessage(having("A paid session got no video.", "<@U0ONCALL>"))
	s.workspace.ExpectNothingElse()
}

// TestFirstStartWithoutEvents: the same with a key that may not list events,
// which is told, without calling anybody. Stripe's list of sessions has to do,
// and nobody says that there was no event.
func TestFirstStartWithoutEvents(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.stripe.BreakFor("events", demo.Fault{Status: 403, Body: `{"error":{"type":"invalid_request_error"}}`})
	s.month()
	s.startBot()
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	oncall.ExpectMessage(having("From before this watch began: 6 sessions", "6 orphaned ($6.00)"))
	less := oncall.ExpectMessage(having("The watch sees less since", "the Stripe key may not list events", "the right to read Events"))
	if strings.Contains(less.Text, "<@U0ONCALL>") {
		t.Errorf("somebody is called for it: %s", less.Text)
	}
	s.pays(watchID(5000), overdue(), store.EventFailed)
	alert := oncall.ExpectMessage(having("A paid session got no video.", "<@U0ONCALL>", "$1.00"))
	if strings.Contains(alert.Text, "no event") {
		t.Errorf("it says that there was no event: %s", alert.Text)
	}
	s.stripe.Heal()
	oncall.ExpectUpdate(less, having("The watch sees everything again"))
	oncall.ExpectUpdate(alert, having("undelivered at one endpoint"))
	s.workspace.ExpectNothingElse()
}

// month is a month of history, in which 70 % were left unpaid and 6 sessions got
// no video.
func (s *stage) month() {
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
	s.stored(watchID(1), overdue())
	s.stored(watchID(2), overdue())
	s.startBot()
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	oncall.ExpectMessage(having("2 sessions got no video (payment unverified)", "set STRIPE_SECRET_KEY", "<@U0ONCALL>"))
	s.workspace.ExpectNothingElse()
}

// TestEachVerdictIsNamed: what else is alerted says what it is, and only what
// ALERT_ON lists.
func TestEachVerdictIsNamed(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.env["ALERT_ON"] = "stalled,lost"
	s.pays(watchID(1), overdue(), store.EventFailed)
	s.stripe.Put(demo.CheckoutSession{ID: watchID(2), Status: "complete", PaymentStatus: "paid", Amount: 100, Currency: "usd", Created: overdue()})
	s.put("webhook:"+watchID(3), `{"status":"processing","timestamp":"`+overdue().UTC().Format(time.RFC3339)+`"}`)
	s.put("webhook:"+watchID(4), `{"status":"error","timestamp":"`+overdue().UTC().Format(time.RFC3339)+`"}`)
	s.startBot()
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	oncall.ExpectMessage(having("Lost: a paid session has no prompt to make a video from."))
	stalled := oncall.ExpectMessage(having("Stalled: a video has been in the making for too long."))
	if having("payment unverified")(stalled) { // Stripe is asked for a few at a time
		oncall.ExpectUpdate(stalled, func(m wstest.Message) bool { return !having("payment unverified")(m) })
	}
	s.workspace.ExpectNothingElse()
}

// TestRepairedFromTheAlert: the alert's own buttons put it right.
func TestRepairedFromTheAlert(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.files = demo.NewSuperDuper(time.Now, 0) // made at once
	s.env["SUPERDUPERAI_URL"] = s.serve(s.files)
	s.startBot()
	s.pays(watchID(1), overdue().Add(-time.Minute), store.EventDelivered)
	s.pays(watchID(2), overdue(), store.EventDelivered)
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	alert := oncall.ExpectMessage(having("paid session", "the site lost it"))
	if !having(watchID(1), watchID(2))(alert) {
		alert = oncall.ExpectUpdate(alert, having(watchID(1), watchID(2)))
	}
	oncall.ClickValue(alert, "session.generate", watchID(1))
	plan := oncall.ExpectMessage(having("Generate a video for"))
	oncall.Click(plan, "confirm.approve")
	oncall.ExpectUpdate(plan, having("Done: video ready"))
	oncall.ClickValue(alert, "session.fix", watchID(2))
	plan = oncall.ExpectMessage(having("Mark as error: "))
	oncall.Click(plan, "confirm.approve")
	oncall.ExpectUpdate(plan, having("is marked as error"))
	oncall.ExpectUpdate(alert, having("Resolved after", "1 generated, 1 marked as error."))
	s.workspace.ExpectNothingElse()
}

// TestRedisIsAway for longer than the lead holds: what happened is told after.
func TestRedisIsAway(t *testing.T) {
	t.Parallel()
	s := watched(ownStage(t))
	s.startBot()
	s.pays(watchID(1), overdue(), store.EventFailed)
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	alert := oncall.ExpectMessage(having("A paid session got no video."))
	s.stripe.Put(demo.CheckoutSession{ID: watchID(2), Status: "complete", PaymentStatus: "paid", Amount: 100, Currency: "usd", Created: overdue(), Event: store.EventFailed})
	s.redis.Freeze(t)
	s.bot.prints(regexp.MustCompile("leadership lost"))
	s.redis.Thaw(t)
	oncall.ExpectMessage(having("Lost: a paid session"))
	s.webhook(watchID(1), store.StatusCompleted)
	oncall.ExpectUpdate(alert, having("Resolved after"))
	s.workspace.ExpectNothingElse()
}

// TestRedisFailsOver: a replica is made the master, and the watch goes on there,
// in the same message.
func TestRedisFailsOver(t *testing.T) {
	t.Parallel()
	t.Run("Sentinel", func(t *testing.T) {
		t.Parallel()
		f := redistest.StartFailover(t)
		tellRedisFailsOver(watched(stageOn(t, f.URL(), f.Client())), f.Master)
	})
	t.Run("three masters", func(t *testing.T) {
		t.Parallel()
		c := redistest.StartCluster(t)
		master := c.NodeOf(t, "{watch}") // where incidents lie
		c.AddReplica(t, master)
		tellRedisFailsOver(watched(stageOn(t, c.URL(), c.Client())), master)
	})
}

func tellRedisFailsOver(s *stage, master *redistest.Server) {
	s.env["SWEEP_INTERVAL"] = "20s" // three failures in a row would be told
	s.startBot()
	s.pays(watchID(1), overdue(), store.EventFailed)
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	alert := oncall.ExpectMessage(having("A paid session got no video."))
	// The replica has the session; that it was told may get lost.
	testenv.Until(s.t, "a replica follows", func() bool {
		n, err := master.Client().Wait(s.t.Context(), 1, time.Second).Result()
		return err == nil && n == 1
	})
	master.Kill(s.t)
	await(s.t, func() string { // a key beside the incidents, then all others
		for _, key := range []string{"{watch}:probe", "probe"} {
			if err := s.client.Set(s.t.Context(), key, "", time.Minute).Err(); err != nil {
				return err.Error()
			}
		}
		return "written"
	}, "written")
	s.pays(watchID(2), overdue(), store.EventFailed)
	alert = oncall.ExpectUpdate(alert, having("2 paid sessions got no video since"))
	s.webhook(watchID(1), store.StatusProcessing)
	s.webhook(watchID(2), store.StatusProcessing)
	oncall.ExpectUpdate(alert, having("Resolved after", "2 webhooks came late"))
	s.workspace.ExpectNothingElse()
}
