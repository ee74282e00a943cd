package main

import (
	"encoding/json"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
)

// planned types a repair and returns its plan.
func (s *stage) planned(by wstest.Place, action string) wstest.Message {
	s.t.Helper()
	by.Type("/session " + action + " " + repairID)
	return by.ExpectMessage(withText("Expires "))
}

// planID is the opaque id in a plan's buttons.
func planID(t *testing.T, m wstest.Message) string {
	t.Helper()
	_, rest, found := strings.Cut(string(m.Blocks), `"value":"`)
	id, _, closed := strings.Cut(rest, `"`)
	if !found || !closed {
		t.Fatalf("no button has a value: %s", m.Blocks)
	}
	return id
}

// copyOf posts a plan's message once more, as an old client may show it still.
func (s *stage) copyOf(by wstest.Place, plan wstest.Message) wstest.Message {
	s.t.Helper()
	var blocks slack.Blocks
	if err := json.Unmarshal(plan.Blocks, &blocks); err != nil {
		s.t.Fatal(err)
	}
	api := slack.New(s.env["SLACK_BOT_TOKEN"], slack.OptionAPIURL(s.env["SLACK_API_URL"]))
	_, ts, err := api.PostMessageContext(s.t.Context(), plan.Channel, slack.MsgOptionText("copy", false), slack.MsgOptionBlocks(blocks.BlockSet...))
	if err != nil {
		s.t.Fatal(err)
	}
	return by.ExpectMessage(func(m wstest.Message) bool { return m.TS == ts })
}

func withoutButtons(m wstest.Message) bool {
	return !strings.Contains(string(m.Blocks), "confirm.approve")
}

// TestExpiredPlan: the answer says why nothing happened.
func TestExpiredPlan(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	s.env["CONFIRM_TTL"] = "1ns"
	s.startBot()
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	for _, button := range []string{"confirm.approve", "confirm.cancel"} {
		plan := s.planned(lead, "generate")
		lead.Click(plan, button)
		lead.ExpectUpdate(plan, withText("Expired, nothing was changed"), withoutButtons)
		lead.ExpectMessage(withText("This plan expired at"))
	}
	s.expectNoWrites()
	s.workspace.ExpectNothingElse()
}

// expectNoWrites checks that no repair has begun.
func (s *stage) expectNoWrites() {
	s.t.Helper()
	if s.value("webhook:"+repairID) != nil || s.value("session:"+repairID) != nil || s.files.Started() != 0 {
		s.t.Errorf("something was done: %v, %v, %d started", s.value("webhook:"+repairID), s.value("session:"+repairID), s.files.Started())
	}
}

// TestRunningPlan: a double click, two people at once, a copy of the message,
// a second plan, and another process: one video, and an answer for everybody.
func TestRunningPlan(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	finish := s.holdVideos()
	s.startBot()
	first := s.bot
	s.bot = run(t, s.env, "run")
	s.workspace.AwaitConnections(3)
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	oncall := s.workspace.As("U0ONCALL").In("C0SUPPORT")
	plan := s.planned(lead, "generate")
	older := s.copyOf(lead, plan)
	second := s.planned(lead, "generate")
	var clicks sync.WaitGroup
	var late atomic.Int32 // the button was gone already
	for _, by := range []wstest.Place{lead, lead, oncall} {
		clicks.Go(func() {
			if by.TryClick(plan, "confirm.approve", "") != nil {
				late.Add(1)
			}
		})
	}
	clicks.Wait()
	for range 2 - late.Load() {
		s.workspace.Expect(withText("Already approved"))
	}
	running := lead.ExpectUpdate(plan, withText("being made"), withoutButtons)
	oncall.Click(older, "confirm.approve")
	oncall.ExpectMessage(withText("This plan is shown in another message"))
	lead.Click(older, "confirm.cancel")
	lead.ExpectMessage(withText("This plan is shown in another message"))
	oncall.Click(second, "confirm.approve")
	oncall.ExpectMessage(withText("another repair of this session was already running"))
	lead.Type("/session generate " + repairID)
	lead.ExpectMessage(withText("Cannot generate"))
	finish()
	s.expectEnd(lead, running, withText("Done: video ready"), wstest.Saying("The first picture of the video"))
	lead.Click(second, "confirm.cancel")
	lead.ExpectUpdate(second, withText("Cancelled, nothing was changed"), withoutButtons)
	if n := s.files.Started(); n != 1 {
		t.Errorf("%d started, want 1", n)
	}
	refusals := []string{"a click on cancel in another message", "a click on approve: another repair was running"}
	if late.Load() < 2 { // which of the clicks came second is chance
		refusals = append(refusals, "a click on approve: the plan was approved already")
	}
	s.expectHistory(refusals...)
	s.workspace.ExpectNothingElse()
	if code := first.stop(); code != 0 {
		t.Errorf("asked to stop, it exited with %d", code)
	}
}

// TestWhoMay: guests and people who are not listed see whom to ask; the requester may
// cancel a plan that they may not approve.
func TestWhoMay(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	s.env["OPERATORS"] = "U0LEAD"
	s.startBot()
	support := s.workspace.As("U0SUPPORT").In("C0SUPPORT")
	plan := s.planned(support, "fix")
	for _, user := range []string{"U0SUPPORT", "U0ONCALL", "U0GUEST"} {
		by := s.workspace.As(user).In("C0SUPPORT")
		by.Click(plan, "confirm.approve")
		refused := by.ExpectMessage(withText("Only operators may do this"))
		if !strings.Contains(string(refused.Blocks), `"user_id":"U0LEAD"`) {
			t.Errorf("whom to ask is not said: %s", refused.Text)
		}
	}
	oncall := s.workspace.As("U0ONCALL").In("C0SUPPORT")
	oncall.Click(plan, "confirm.cancel")
	oncall.ExpectMessage(withText("Only operators may do this"))
	support.Click(plan, "confirm.cancel")
	support.ExpectUpdate(plan, withText("Cancelled, nothing was changed"), withoutButtons)
	s.expectNoWrites()
	s.expectHistory("refused: fix", "not an operator's click on approve", "cancelled: fix")
	s.workspace.ExpectNothingElse()
}

// TestNoOperatorsNoApproval: without operators nothing is changed through Slack.
func TestNoOperatorsNoApproval(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ operators, says string }{
		"no operators":                     {"", "OPERATORS is empty"},
		"a group that cannot be read":      {"S0NONE", "could not be read"},
		"every full member, and a guest":   {"*", "Only operators may do this"},
		"a guest that is listed by itself": {"U0GUEST", "Only full members of this workspace"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := repairStage(t)
			s.env["OPERATORS"] = c.operators
			s.startBot()
			plan := s.planned(s.workspace.As("U0LEAD").In("C0SUPPORT"), "generate")
			guest := s.workspace.As("U0GUEST").In("C0SUPPORT")
			guest.Click(plan, "confirm.approve")
			guest.ExpectMessage(withText(c.says))
			s.expectNoWrites()
			s.workspace.ExpectNothingElse()
		})
	}
}

// TestSecondClick: while Stripe still delivers, only a deliberate second press counts: by
// the same person, and of the button that was redrawn for them.
func TestSecondClick(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	paid := time.Now().Add(-14 * time.Minute)
	s.stripe.Put(demo.CheckoutSession{ID: repairID, Status: "complete", PaymentStatus: "paid", Amount: 100, Currency: "usd",
		Created: paid, Event: store.EventFailed})
	s.startBot()
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	oncall := s.workspace.As("U0ONCALL").In("C0SUPPORT")
	plan := s.planned(lead, "generate")
	if !strings.Contains(plan.Text, "we pay for two videos (about $48)") || !strings.Contains(string(plan.Blocks), "dashboard.stripe.com/events/") {
		t.Errorf("the plan does not say that Stripe still delivers, or where: %s", plan.Text)
	}
	older := s.copyOf(lead, plan)
	move := func(press time.Duration) { // the first press, on the clock
		pressed := time.Now().Add(press).UnixMilli()
		if err := s.client.HSet(t.Context(), "sessionbot:{jobs}:plan:"+planID(t, older), "pressed", pressed).Err(); err != nil {
			t.Fatal(err)
		}
	}
	first := func(by wstest.Place, of wstest.Message) {
		t.Helper()
		by.Click(of, "confirm.approve")
		asked := lead.ExpectUpdate(plan, wstest.Saying("Approve anyway"), withText(" pressed once"))
		if asked.Revision == plan.Revision {
			t.Error("the button was not redrawn")
		}
		plan = asked
		s.expectNoWrites()
	}
	first(lead, plan)
	move(time.Minute)
	first(lead, plan) // as if at once: a double click is one
	move(-time.Minute)
	first(oncall, plan) // somebody else's first is no second
	move(-time.Minute)
	first(lead, plan)
	move(-time.Minute)
	lead.Click(older, "confirm.approve") // a copy is not the redrawn button
	lead.ExpectMessage(withText("This plan is shown in another message"))
	s.expectNoWrites()
	lead.Click(plan, "confirm.approve")
	s.expectEnd(lead, plan, withText("Done: video ready"))
	if n := s.files.Started(); n != 1 {
		t.Errorf("%d started, want 1", n)
	}
	s.expectHistory("pressed once: generate, by @U0ONCALL in #C0SUPPORT", "pressed once: generate, by @U0LEAD", "approved: generate, by @U0LEAD")
	s.workspace.ExpectNothingElse()
}

// TestSecondPressOfAPlanThatSlackFreezes: the plan is posted again with the button
// for it, once.
func TestSecondPressOfAPlanThatSlackFreezes(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"edit_window_closed", "cant_update_message", "message_not_found", "is_inactive", "is_archived", "of_tomorrow"} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			s := repairStage(t)
			s.stripe.Put(demo.CheckoutSession{ID: repairID, Status: "complete", PaymentStatus: "paid", Amount: 100, Currency: "usd",
				Created: time.Now().Add(-14 * time.Minute), Event: store.EventFailed})
			s.startBot()
			lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
			old := s.planned(lead, "generate")
			s.workspace.Refuse("chat.update", code)
			lead.Click(old, "confirm.approve")
			plan := lead.ExpectMessage(containing("Approve anyway", " pressed once"))
			await(t, func() string { return s.client.HGet(t.Context(), "sessionbot:{jobs}:plan:"+planID(t, old), "ts").Val() }, plan.TS)
			s.expectNoWrites()
			s.workspace.Fault("clear", 0, "")
			if err := s.client.HSet(t.Context(), "sessionbot:{jobs}:plan:"+planID(t, old), "pressed", time.Now().Add(-time.Minute).UnixMilli()).Err(); err != nil {
				t.Fatal(err)
			}
			lead.Click(plan, "confirm.approve")
			s.expectEnd(lead, plan, withText("Done: video ready"))
			s.workspace.ExpectNothingElse()
		})
	}
}

// TestSecondPressThatIsNotShown: no answer refers to a button that is not there.
func TestSecondPressThatIsNotShown(t *testing.T) {
	t.Parallel()
	for code, says := range map[string]string{
		"is_archived":    "The plan could not be posted, so nothing was done. The channel is archived",
		"internal_error": "If the button does not say “Approve anyway” within a minute, press it again",
		"ratelimited":    "If the button does not say “Approve anyway” within a minute, press it again",
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			s := repairStage(t)
			s.stripe.Put(demo.CheckoutSession{ID: repairID, Status: "complete", PaymentStatus: "paid", Amount: 100, Currency: "usd",
				Created: time.Now().Add(-14 * time.Minute), Event: store.EventFailed})
			s.startBot()
			lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
			plan := s.planned(lead, "generate")
			for _, method := range []string{"chat.update", "chat.postMessage"} {
				s.workspace.Refuse(method, code)
			}
			lead.Click(plan, "confirm.approve")
			lead.ExpectMessage(withText(says))
			s.expectNoWrites()
			s.workspace.Fault("clear", 0, "")
			lead.Click(plan, "confirm.approve")
			lead.ExpectUpdate(plan, containing("Approve anyway"))
			s.workspace.ExpectNothingElse()
		})
	}
}

// TestPlanWithoutAPlace: where the bot is no member, the plan goes to the alert
// channel, else to an operator who asks, and a pointer says so.
func TestPlanWithoutAPlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, alerts, user, approvals string
		place                         string // where the plan is shown, "" = nowhere
		says                          string // in the channel it was asked for in
	}{
		{"the alert channel", "C0ALERTS", "U0SUPPORT", "none", "C0ALERTS", "so the plan is shown in"},
		{"a direct message", "", "U0LEAD", "none", "D", "it sent you the plan in a direct message"},
		{"a second operator would not see that", "", "U0LEAD", "all", "", "Invite the bot into the channel"},
		{"nor may they approve it", "", "U0SUPPORT", "none", "", "Invite the bot into the channel"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := repairStage(t)
			s.env["ALERT_CHANNEL"], s.env["APPROVALS"], s.env["OPERATORS"] = c.alerts, c.approvals, "U0LEAD"
			s.env["ALERT_ON"] = "lost" // the orphan itself is no news here
			s.startBot()
			by := s.workspace.As(c.user).In("C0RANDOM")
			by.Type("/session generate " + repairID)
			by.ExpectMessage(withText(c.says))
			if c.place != "" {
				plan := s.workspace.Expect(func(m wstest.Message) bool {
					return strings.HasPrefix(m.Channel, c.place) && strings.Contains(m.Text, "Generate a video for")
				})
				lead := s.workspace.As("U0LEAD").In(plan.Channel)
				lead.Click(plan, "confirm.approve")
				s.expectEnd(lead, plan, withText("Done: video ready"))
			} else {
				s.expectNoWrites()
			}
			s.workspace.ExpectNothingElse()
		})
	}
}
