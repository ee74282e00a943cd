package main

import (
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
)

// addNote presses a button that offers a note, and writes one.
func addNote(t *testing.T, s *stage, user string, m wstest.Message, button, text string) {
	t.Helper()
	person := s.workspace.As(user)
	person.In(m.Channel).Click(m, button)
	window := person.ExpectModal(func(v wstest.View) bool { return v.Shows("Add a note", "has already taken effect") })
	person.Fill(window, "note", text)
	if wrong, err := person.Submit(window); err != nil || wrong != nil {
		t.Errorf("the note is not taken: %v, %v", wrong, err)
	}
	person.ExpectNoModal()
}

// TestNotesOfDecisions: a decision takes effect at once; the person who made it may add a
// note, which its message and the audit trail show. No one else may, and no window is needed.
func TestNotesOfDecisions(t *testing.T) {
	t.Parallel()
	watchedOnBoth(t, func(t *testing.T, s *stage) {
		s.pays(watchID(1), pastGrace(), store.EventDelivered)
		s.pays(watchID(2), pastGrace(), store.EventDelivered)
		s.startBot()
		lead := s.workspace.As("U0LEAD").In("C0ALERTS")
		support := s.workspace.As("U0SUPPORT").In("C0ALERTS")
		alert := lead.ExpectMessage(containing("paid session"))
		for !containing("dismiss:"+watchID(1), "dismiss:"+watchID(2))(alert) {
			alert = lead.ExpectUpdate(alert)
		}

		lead.Choose(alert, "session.menu", "fix:"+watchID(1))
		plan := lead.ExpectMessage(containing("Mark as error: "))
		lead.Click(plan, "confirm.cancel")
		plan = lead.ExpectUpdate(plan, containing("Cancelled, nothing was changed", "confirm.note"))
		addNote(t, s, "U0SUPPORT", plan, "confirm.note", "not mine")
		support.ExpectMessage(withText("Only the person who made this decision"))
		s.workspace.Refuse("views.open", "expired_trigger_id")
		lead.Click(plan, "confirm.note")
		lead.ExpectMessage(withText("Your decision stands"))
		s.workspace.Fault("clear", 0, "")
		addNote(t, s, "U0LEAD", plan, "confirm.note", "the customer_was refunded")
		lead.ExpectMessage(withText("Note saved"))
		lead.ExpectUpdate(plan, containing("Cancelled, nothing was changed", "the customer_was refunded"), without("confirm.note"))

		lead.Choose(alert, "session.menu", "dismiss:"+watchID(1))
		handled := lead.ExpectMessage(withText("leaves the alert"))
		alert = lead.ExpectUpdate(alert, containing("1 handled.", "handled by "))
		addNote(t, s, "U0LEAD", handled, "alert.note", "refunded by phone")
		lead.ExpectMessage(withText("Note saved"))
		alert = lead.ExpectUpdate(alert, containing("handled by ", "refunded by phone"))

		lead.Type("/session history " + watchID(1))
		history := lead.ExpectMessage(withText(" oldest first")).Text
		for _, part := range []string{"noted: fix, by @U0LEAD in #C0ALERTS: “the customer_was refunded”", "noted, by @U0LEAD in #C0ALERTS: “refunded by phone”"} {
			if !strings.Contains(history, part) {
				t.Errorf("the history does not say %q:\n%s", part, history)
			}
		}
		s.webhook(watchID(2), store.StatusProcessing)
		lead.ExpectUpdate(alert, containing("Resolved after", "1 webhook came late", "refunded by phone"))
		s.workspace.ExpectNothingElse()
	})
}

// TestNoteInATerminal: --note goes with what is decided, also with a no.
func TestNoteInATerminal(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	for _, c := range []struct {
		answer string
		args   []string
		code   int
		says   string
	}{
		{"", []string{"debug", "--note", "why", repairID}, 2, "--note belongs to repairs"},
		{"n\n", []string{"fix", repairID, "--note", "ann@example.com wrote: wait"}, 3, "Nothing was changed."},
		{"y\n", []string{"fix", "--note=refund agreed", repairID}, 0, "Note by"},
		{"", []string{"history", repairID}, 0, ": “refund agreed”"},
		{"", []string{"history", repairID}, 0, ": “(address) wrote: wait”"},
	} {
		p := runWith(t, strings.NewReader(c.answer), false, s.env, append([]string{"session"}, c.args...)...)
		code := p.exitCode()
		if log := p.log.String(); code != c.code || !strings.Contains(log, c.says) {
			t.Errorf("%v answered %q: exit code %d, want %d saying %q:\n%s", c.args, c.answer, code, c.code, c.says, log)
		}
	}
}
