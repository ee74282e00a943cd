package bot_test

import (
	"context"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store/repair"
)

func showing(parts ...string) func(wstest.View) bool {
	return func(v wstest.View) bool { return v.Shows(parts...) }
}

// TestMessageShortcut: the modal is open before the answer is there, and its buttons do
// what they do elsewhere.
func TestMessageShortcut(t *testing.T) {
	t.Parallel()
	s := play(t)
	slow := make(chan struct{})
	s.commands.run = func(_ context.Context, req commands.Request) commands.Answer {
		if req.Command != "/session" || req.Text != "debug "+session || req.User != "U0SUPPORT" || req.Channel != "C0SUPPORT" || req.Shared {
			t.Errorf("asked %+v", req)
		}
		<-slow
		answer := aboutSession("Orphaned")
		answer.Actions = append(answer.Actions, blockkit.Button("session.generate", "Generate…", session))
		return answer
	}
	s.commands.action = func(_ context.Context, id, value string, req commands.Request) commands.Answer {
		if value != session || req.Channel != "C0SUPPORT" || req.Shared {
			t.Errorf("ran %s %s: %+v", id, value, req)
		}
		if id == "session.generate" {
			return commands.Answer{Outcome: commands.Done, Blocks: says("Generate a video?"), Plan: &repair.Plan{ID: "P1"}}
		}
		answer := aboutSession("Still orphaned")
		answer.Actions = append(answer.Actions, blockkit.Button("session.generate", "Generate…", session))
		return answer
	}
	sam, place := s.As("U0SUPPORT"), s.As("U0SUPPORT").In("C0SUPPORT")
	m := write(t, s, place, "U0SUPPORT", "C0SUPPORT", "", "No video: https://superduperai.co/session/"+session)
	if err := place.Shortcut(m, "session_from_message"); err != nil {
		t.Fatal(err)
	}
	loading := sam.ExpectModal(showing("Looking it up"))
	close(slow)
	v := sam.ExpectModal(showing("Orphaned", "Refresh", "Generate"))
	if v.ID != loading.ID || !v.Shows("session.share") {
		t.Errorf("%s shows %s, want %s", v.ID, v.Blocks, loading.ID)
	}
	sam.Press(v, "session.debug")
	if again := sam.ExpectModal(showing("Still orphaned")); again.ID != v.ID {
		t.Errorf("Refresh shows another modal")
	}
	sam.Press(v, "session.generate")
	if plan := place.ExpectMessage(wstest.Saying("Generate a video?", "confirm.approve")); plan.Ephemeral {
		t.Errorf("got %s", plan)
	}
	pointer := sam.ExpectModal(showing("The plan is shown in", "open the plan"))
	if open := sam.Views().Modals; len(open) != 2 || pointer.ID == v.ID {
		t.Errorf("open are %+v", open)
	}
	s.ExpectNothingElse()
	if strings.Contains(s.log.String(), session) {
		t.Errorf("log: %s", s.log)
	}
}

// TestMessageShortcutOfSeveral offers a choice, which is answered above it.
func TestMessageShortcutOfSeveral(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.commands.run = func(context.Context, commands.Request) commands.Answer {
		t.Error("a command was run without a choice")
		return commands.Answer{}
	}
	s.commands.action = func(_ context.Context, id, value string, _ commands.Request) commands.Answer {
		return aboutSession(id + " of " + value)
	}
	sam, place := s.As("U0SUPPORT"), s.As("U0SUPPORT").In("C0SUPPORT")
	m := write(t, s, place, "U0SUPPORT", "C0SUPPORT", "", "cs_live_b2, cs_live_c3, ann@example.com and pi_3NqXaB2eZvKYlo2C (again: `cs_live_b2`)")
	if err := place.Shortcut(m, "session_from_message"); err != nil {
		t.Fatal(err)
	}
	choice := sam.ExpectModal(showing("This names 4 sessions or customers", "cs_live_b2", "cs_live_c3", "ann@example.com", "pi_3NqXaB2eZvKYlo2C"))
	sam.Press(choice, "session.debug")
	sam.ExpectModal(showing("session.debug of cs_live_b2"))
	s.ExpectNothingElse()
}

func TestMessageShortcutOfNothing(t *testing.T) {
	t.Parallel()
	s := play(t)
	sam, place := s.As("U0SUPPORT"), s.As("U0SUPPORT").In("C0SUPPORT")
	m := write(t, s, place, "U0SUPPORT", "C0SUPPORT", "", "Where is my video?")
	if err := place.Shortcut(m, "session_from_message"); err != nil {
		t.Fatal(err)
	}
	sam.ExpectModal(showing("There is no session id"))
	s.ExpectNothingElse()
}

// TestFindShortcut: the field is checked at once, and the answer takes its place.
func TestFindShortcut(t *testing.T) {
	t.Parallel()
	s := play(t)
	slow := make(chan struct{})
	s.commands.run = func(_ context.Context, req commands.Request) commands.Answer {
		if req.Command != "/session" || req.Text != "find ann@example.com" || req.User != "U0SUPPORT" {
			t.Errorf("asked %+v", req)
		}
		<-slow
		return commands.Answer{Outcome: commands.Done, Shareable: true, Blocks: []slack.Block{
			blockkit.Row("one session", blockkit.Button("session.debug", "Debug", session))}}
	}
	s.commands.action = func(context.Context, string, string, commands.Request) commands.Answer {
		return commands.Answer{Outcome: commands.Done, Blocks: says("Generate a video?"), Plan: &repair.Plan{ID: "P1"}}
	}
	sam := s.As("U0SUPPORT")
	if err := sam.Shortcut("session_find"); err != nil {
		t.Fatal(err)
	}
	v := sam.ExpectModal(showing("Find a session"))
	sam.Fill(v, commands.FindField, "Ann")
	if wrong, err := sam.Submit(v); err != nil || !strings.Contains(wrong[commands.FindField], "no session id") {
		t.Fatalf("answered %v, %v", wrong, err)
	}
	sam.Fill(v, commands.FindField, "Ann <ann@example.com>")
	if wrong, err := sam.Submit(v); err != nil || len(wrong) > 0 {
		t.Fatalf("answered %v, %v", wrong, err)
	}
	sam.ExpectModal(showing("Looking it up"))
	close(slow)
	found := sam.ExpectModal(showing("one session"))
	if open := sam.Views().Modals; len(open) != 1 || found.Shows("session.share") {
		t.Errorf("open are %+v", open)
	}
	sam.Press(found, "session.debug") // whose plan has no channel that it came from
	s.As("U0ONCALL").In("C0ALERTS").ExpectMessage(wstest.Saying("Generate a video?", "confirm.approve"))
	sam.ExpectModal(showing("where operators see it", "open the plan"))
	s.ExpectNothingElse()
}

// TestExpiredTriggers: the answer comes where it would have come without a modal, or in
// a direct message.
func TestExpiredTriggers(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.Refuse("views.open", "expired_trigger_id")
	s.commands.run = func(context.Context, commands.Request) commands.Answer { return aboutSession("Orphaned") }
	sam, place := s.As("U0SUPPORT"), s.As("U0SUPPORT").In("C0SUPPORT")
	m := write(t, s, place, "U0SUPPORT", "C0SUPPORT", "", session)
	if err := place.Shortcut(m, "session_from_message"); err != nil {
		t.Fatal(err)
	}
	if m := place.ExpectMessage(wstest.Saying("Orphaned", "session.share")); !m.Ephemeral {
		t.Errorf("got %s", m)
	}
	if err := sam.Shortcut("session_find"); err != nil {
		t.Fatal(err)
	}
	sam.In("D0SUPPORT").ExpectMessage(wstest.Saying("took too long to open"))
	s.ExpectNothingElse()
}

// TestDebugFromAnAlert opens a modal, so that the alert stays in view.
func TestDebugFromAnAlert(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.commands.run = func(_ context.Context, req commands.Request) commands.Answer {
		if req.Text != "debug "+session || req.Channel != "C0ALERTS" {
			t.Errorf("asked %+v", req)
		}
		return aboutSession("Orphaned")
	}
	alert := s.postMenu(t, "C0ALERTS", "debug:"+session)
	oncall := s.As("U0ONCALL")
	oncall.In("C0ALERTS").Choose(alert, "session.menu", "debug:"+session)
	oncall.ExpectModal(showing("Orphaned", "Refresh"))
	s.ExpectNothingElse()

	s.Refuse("views.open", "expired_trigger_id")
	oncall.In("C0ALERTS").Choose(alert, "session.menu", "debug:"+session)
	if m := oncall.In("C0ALERTS").ExpectMessage(wstest.Saying("Orphaned", "session.share")); !m.Ephemeral {
		t.Errorf("got %s", m)
	}
	s.ExpectNothingElse()
}

// postMenu posts the row of an alert with a session's menu.
func (s *stage) postMenu(t *testing.T, channel, value string) wstest.Message {
	t.Helper()
	option := slack.NewOptionBlockObject(value, slack.NewTextBlockObject(slack.PlainTextType, "Debug", false, false), nil)
	row := slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, "a session", false, false), nil,
		slack.NewAccessory(slack.NewOverflowBlockElement("session.menu", option)))
	api := slack.New(s.server.BotToken(), slack.OptionAPIURL(s.server.APIURL()))
	_, ts, err := api.PostMessageContext(t.Context(), channel, slack.MsgOptionText("an alert", false), slack.MsgOptionBlocks(row))
	if err != nil {
		t.Fatal(err)
	}
	return s.Expect(func(m wstest.Message) bool { return m.TS == ts })
}
