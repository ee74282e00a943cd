package main

import (
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
)

// TestOtherWaysIn: a mention, a direct message, a shortcut and an alert's menu are answered
// like the command, each to those who may read it.
func TestOtherWaysIn(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.env["OPERATORS"] = "S0OPS"
	id, at := watchID(1), time.Now().Add(-10*time.Minute-time.Second)
	s.stored(id, at)
	sale := paid(id, at, store.EventDelivered)
	sale.Email = "ann@example.com"
	s.stripe.Put(sale)
	s.startBot()
	alert := s.workspace.As("U0SUPPORT").In("C0ALERTS").ExpectMessage(containing("A paid session got no video."))
	sam := s.workspace.As("U0SUPPORT")
	const orphaned = "Orphaned: paid, but no video was started."
	address := func(m wstest.Message) bool { return strings.Contains(m.Text+string(m.Blocks), "ann@example.com") }
	write := func(channel, text string) wstest.Message {
		t.Helper()
		ts, err := s.server.Write("U0SUPPORT", channel, "", text)
		if err != nil {
			t.Fatal(err)
		}
		return sam.In(channel).ExpectMessage(func(m wstest.Message) bool { return m.TS == ts })
	}

	asked := write("C0SUPPORT", "<@U0BOT> what about "+id+"?")
	if m := sam.In("C0SUPPORT").ExpectMessage(withText(orphaned)); m.ThreadTS != asked.TS || m.Ephemeral || address(m) {
		t.Errorf("others read %s", m)
	}
	write("C0SUPPORT", "And "+id+"?") // says nothing to the bot
	asked = write("D0SUPPORT", id)
	if m := sam.In("D0SUPPORT").ExpectMessage(withText(orphaned)); m.ThreadTS != asked.TS || !address(m) {
		t.Errorf("the one who asked reads %s", m)
	}
	write("D0SUPPORT", "fix "+id)
	s.workspace.As("U0ONCALL").In("C0ALERTS").ExpectMessage(containing("confirm.approve", "confirm.cancel", id))
	sam.In("D0SUPPORT").ExpectMessage(containing("where operators see it", "open the plan"))

	if err := sam.In("C0ALERTS").Shortcut(alert, "session_from_message"); err != nil {
		t.Fatal(err)
	}
	v := sam.ExpectModal(func(v wstest.View) bool { return v.Shows(orphaned, "ann@example.com", "session.generate") })
	sam.Press(v, "session.generate")
	s.workspace.As("U0ONCALL").In("C0ALERTS").ExpectMessage(containing("Generate a video for", id))
	sam.ExpectModal(func(v wstest.View) bool { return v.Shows("The plan is shown in", "open the plan") })

	if err := s.workspace.As("U0LEAD").Shortcut("session_find"); err != nil {
		t.Fatal(err)
	}
	lea := s.workspace.As("U0LEAD")
	find := lea.ExpectModal(func(v wstest.View) bool { return v.Shows("Find a session") })
	lea.Fill(find, "session_find.query", "ann@example.com")
	if wrong, err := lea.Submit(find); err != nil || len(wrong) > 0 {
		t.Fatalf("answered %v, %v", wrong, err)
	}
	found := lea.ExpectModal(func(v wstest.View) bool { return v.Shows("of ann@example.com", id) })
	lea.Press(found, "session.debug")
	lea.ExpectModal(func(v wstest.View) bool { return v.Shows(orphaned) })
	s.workspace.ExpectNothingElse()
	s.expectCleanLog("ann@example.com")
}
