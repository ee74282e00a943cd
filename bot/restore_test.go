package bot_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store/repair"
)

// promptForm is the answer that asks for a prompt.
func promptForm(first commands.Entered) commands.Answer {
	answer := commands.EnterAgain(commands.Answer{Blocks: says("The prompt is lost.")}, session, first)
	answer.Outcome = commands.Done
	return answer
}

// TestRestoreAsksForThePrompt, wherever it is begun: errors are shown before anything is
// done, and the plan is posted in its channel.
func TestRestoreAsksForThePrompt(t *testing.T) {
	t.Parallel()
	button := blockkit.Button("session.restore", "Restore prompt…", session)
	for name, c := range map[string]struct {
		begin   func(t *testing.T, s *stage, sam wstest.Person)
		channel string // of the plan
	}{
		"a command": {func(_ *testing.T, _ *stage, sam wstest.Person) {
			sam.In("C0SUPPORT").Type("/session restore " + session)
		}, "C0SUPPORT"},
		"a command in a direct message": {func(_ *testing.T, _ *stage, sam wstest.Person) {
			sam.In("D0SUPPORT").Type("/session restore " + session)
		}, "C0ALERTS"},
		"a button of an answer": {func(_ *testing.T, s *stage, sam wstest.Person) {
			sam.In("C0SUPPORT").Type("/session debug " + session)
			sam.In("C0SUPPORT").Click(sam.In("C0SUPPORT").ExpectMessage(nil), "session.restore")
		}, "C0SUPPORT"},
		"the menu of an alert": {func(t *testing.T, s *stage, sam wstest.Person) {
			sam.In("C0ALERTS").Choose(s.postMenu(t, "C0ALERTS", "restore:"+session), "session.menu", "restore:"+session)
		}, "C0ALERTS"},
		"a button of a modal": {func(t *testing.T, s *stage, sam wstest.Person) {
			place := sam.In("C0SUPPORT")
			m := write(t, s, place, "U0SUPPORT", "C0SUPPORT", "", session)
			if err := place.Shortcut(m, "session_from_message"); err != nil {
				t.Fatal(err)
			}
			sam.Press(sam.ExpectModal(showing("Lost")), "session.restore")
		}, "C0SUPPORT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := play(t)
			s.commands.run = func(_ context.Context, req commands.Request) commands.Answer {
				if strings.HasPrefix(req.Text, "debug ") {
					answer := aboutSession("Lost")
					answer.Actions = append(answer.Actions, button)
					return answer
				}
				if req.Text != "restore "+session || req.User != "U0SUPPORT" {
					t.Errorf("asked %+v", req)
				}
				if req.Entered == nil {
					if !req.Form {
						t.Error("it is not known that there is a view")
					}
					return promptForm(commands.Entered{Prompt: "A fox", Seconds: "8"})
				}
				if want := (commands.Entered{Prompt: "A fox & a hen", Seconds: "5", Size: "1080 × 1920"}); *req.Entered != want {
					t.Errorf("entered %+v, want %+v", *req.Entered, want)
				}
				return commands.Answer{Outcome: commands.Done, Blocks: says("Restore the prompt?"), Plan: &repair.Plan{ID: "P1"}}
			}
			s.commands.action = func(ctx context.Context, id, value string, req commands.Request) commands.Answer {
				if id != "session.restore" || value != session {
					t.Errorf("ran %s %s", id, value)
				}
				req.Text = "restore " + session
				return s.commands.run(ctx, req)
			}
			sam := s.As("U0SUPPORT")
			c.begin(t, s, sam)
			form := sam.ExpectModal(showing("Restore a prompt", "The prompt is lost", "A fox"))
			for field, value := range map[string]string{commands.PromptField: "A \x07 fox", commands.SizeField: "large"} {
				sam.Fill(form, field, value)
			}
			wrong, err := sam.Submit(form)
			if err != nil || len(wrong) != 2 || !strings.Contains(wrong[commands.PromptField], "control character") || !strings.Contains(wrong[commands.SizeField], "1280x720") {
				t.Fatalf("answered %v, %v", wrong, err)
			}
			for field, value := range map[string]string{commands.PromptField: "A fox & a hen", commands.SecondsField: "5", commands.SizeField: "1080 × 1920"} {
				sam.Fill(form, field, value)
			}
			if wrong, err := sam.Submit(form); err != nil || len(wrong) > 0 {
				t.Fatalf("answered %v, %v", wrong, err)
			}
			s.As("U0LEAD").In(c.channel).ExpectMessage(wstest.Saying("Restore the prompt?", "confirm.approve"))
			sam.ExpectModal(showing("The plan is shown", "open the plan"))
			s.ExpectNothingElse()
			if log := s.log.String(); strings.Contains(log, "hen") {
				t.Errorf("log: %s", log)
			}
		})
	}
}

// TestPromptIsNotEnteredTwice: if it cannot be planned it stays in its field.
func TestPromptIsNotEnteredTwice(t *testing.T) {
	t.Parallel()
	s := play(t)
	away := true
	s.commands.run = func(_ context.Context, req commands.Request) commands.Answer {
		switch {
		case req.Entered == nil:
			return promptForm(commands.Entered{})
		case away:
			away = false
			return commands.Answer{Outcome: commands.Failed, Err: errors.New("no redis"), Blocks: says("Redis is away")}
		}
		return commands.Answer{Outcome: commands.Done, Blocks: says("Restore " + req.Entered.Prompt + "?"), Plan: &repair.Plan{ID: "P1"}}
	}
	sam := s.As("U0SUPPORT")
	sam.In("C0SUPPORT").Type("/session restore " + session)
	form := sam.ExpectModal(showing("The prompt is lost"))
	sam.Fill(form, commands.PromptField, "A hen")
	for _, shows := range []string{"Redis is away", "open the plan"} {
		if wrong, err := sam.Submit(form); err != nil || len(wrong) > 0 {
			t.Fatalf("answered %v, %v", wrong, err)
		}
		form = sam.ExpectModal(showing(shows))
	}
	sam.In("C0SUPPORT").ExpectMessage(wstest.Saying("Restore A hen?"))
	s.ExpectNothingElse()
}

// TestRestoreWithoutAView says what to type, where the request was made.
func TestRestoreWithoutAView(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.Refuse("views.open", "expired_trigger_id")
	s.commands.run = func(_ context.Context, req commands.Request) commands.Answer {
		if req.Form {
			t.Error("a form is required, and there is no view")
		}
		return commands.Answer{Outcome: commands.Usage, Blocks: says("Which prompt? Type: /session restore")}
	}
	s.commands.action = func(ctx context.Context, _, _ string, req commands.Request) commands.Answer {
		return s.commands.run(ctx, req)
	}
	place := s.As("U0SUPPORT").In("C0ALERTS")
	place.Type("/session restore " + session)
	place.ExpectMessage(wstest.Saying("Which prompt?"))
	place.Choose(s.postMenu(t, "C0ALERTS", "restore:"+session), "session.menu", "restore:"+session)
	if m := place.ExpectMessage(wstest.Saying("Which prompt?")); !m.Ephemeral {
		t.Errorf("got %s", m)
	}
	s.ExpectNothingElse()
}

// TestFormThatCannotBeShown: the view is there, and its fields are not.
func TestFormThatCannotBeShown(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.Refuse("views.update", "hash_conflict")
	s.commands.run = func(context.Context, commands.Request) commands.Answer { return promptForm(commands.Entered{}) }
	place := s.As("U0SUPPORT").In("C0SUPPORT")
	place.Type("/session restore " + session)
	if m := place.ExpectMessage(wstest.Saying("Type it: /session restore " + session)); !m.Ephemeral {
		t.Errorf("got %s", m)
	}
	s.ExpectNothingElse()
}

// TestShareFromAModal posts in the channel that it was opened in, once, and says so above.
func TestShareFromAModal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ refused, above string }{
		{"", "Shared, without the customer"}, {"is_archived", "This could not be posted in the channel"},
	} {
		t.Run(c.refused, func(t *testing.T) {
			t.Parallel()
			s := play(t)
			s.commands.run = func(context.Context, commands.Request) commands.Answer {
				return aboutSession("Orphaned, ann@example.com")
			}
			s.commands.action = func(_ context.Context, id, value string, req commands.Request) commands.Answer {
				if id != "session.debug" || value != session || !req.Shared || req.User != "U0SUPPORT" {
					t.Errorf("ran %s %s: %+v", id, value, req)
				}
				return aboutSession("Orphaned")
			}
			sam, place := s.As("U0SUPPORT"), s.As("U0SUPPORT").In("C0SUPPORT")
			m := write(t, s, place, "U0SUPPORT", "C0SUPPORT", "", session)
			if err := place.Shortcut(m, "session_from_message"); err != nil {
				t.Fatal(err)
			}
			v := sam.ExpectModal(showing("ann@example.com", "session.share"))
			if c.refused != "" {
				s.Refuse("chat.postMessage", c.refused)
			}
			sam.Press(v, "session.share")
			above := sam.ExpectModal(showing(c.above))
			if c.refused != "" {
				s.ExpectNothingElse()
				return
			}
			shared := s.As("U0LEAD").In("C0SUPPORT").ExpectMessage(wstest.Saying("shared by <@U0SUPPORT>", "Orphaned", `"text":"Debug"`))
			if shared.Ephemeral || strings.Contains(string(shared.Blocks), "session.share") || strings.Contains(string(shared.Blocks), "ann@") {
				t.Errorf("shared %s", shared)
			}
			sam.Close(above)
			sam.Press(v, "session.share")
			sam.ExpectModal(showing("Already shared"))
			s.ExpectNothingElse()
		})
	}
}

// TestNothingToShareIn: from a global shortcut, or a conversation of two, there is no
// channel.
func TestNothingToShareIn(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.commands.run = func(context.Context, commands.Request) commands.Answer { return aboutSession("Orphaned") }
	sam, place := s.As("U0SUPPORT"), s.As("U0SUPPORT").In("D0SUPPORT")
	write(t, s, place, "U0SUPPORT", "D0SUPPORT", "", session)
	m := place.ExpectMessage(wstest.Saying("Orphaned"))
	if err := place.Shortcut(m, "session_from_message"); err != nil {
		t.Fatal(err)
	}
	if v := sam.ExpectModal(showing("Orphaned")); v.Shows("session.share") {
		t.Errorf("it offers to share: %s", v.Blocks)
	}
	s.ExpectNothingElse()
}
