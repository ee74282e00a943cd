package main

import (
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
)

// without fits messages that hold none of the parts.
func without(parts ...string) func(wstest.Message) bool {
	return func(m wstest.Message) bool {
		for _, part := range parts {
			if containing(part)(m) {
				return false
			}
		}
		return true
	}
}

// TestRepairShowsInTheAlert: from its approval on a repair shows at its row, whose menu
// offers no second one; one that fails opens its row again; one that succeeds
// strikes it through.
func TestRepairShowsInTheAlert(t *testing.T) {
	t.Parallel()
	watchedOnBoth(t, func(t *testing.T, s *stage) {
		s.env["SWEEP_INTERVAL"] = "1h" // what begins and ends is noticed by itself
		finish := s.holdVideos()
		s.pays(watchID(1), pastGrace(), store.EventDelivered)
		s.startBot()
		oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
		alert := oncall.ExpectMessage(containing("A paid session got no video.", "generate:"+watchID(1)))

		s.files.BreakFor("generate-video", demo.Fault{Status: 402, Body: `{"detail":"Insufficient balance"}`})
		generate := func() wstest.Message {
			oncall.Choose(alert, "session.menu", "generate:"+watchID(1))
			plan := oncall.ExpectMessage(containing("Generate a video for"))
			oncall.Click(plan, "confirm.approve")
			return plan
		}
		plan := generate()
		oncall.ExpectUpdate(plan, withText("Failed: no video"))
		oncall.ExpectMessage(withText("Failed: no video"))
		alert = oncall.ExpectUpdate(alert, containing("A paid session got no video.", "the last repair failed", "generate:"+watchID(1), "dismiss:"+watchID(1)))

		s.files.Heal()
		plan = generate()
		alert = oncall.ExpectUpdate(alert, containing("being made, approved by", "U0ONCALL", "debug:"+watchID(1)), without("generate:"+watchID(1), "fix:"+watchID(1)))
		finish()
		oncall.ExpectUpdate(plan, withText("Done: video ready"))
		oncall.ExpectMessage(withText("Done: video ready"))
		oncall.ExpectUpdate(alert, containing("Resolved after", "1 generated.", `"strike":true`), without("session.menu"))
	})
}

// TestHandledOutside: an operator closes a session's case, on record; no one else may.
// It is not alerted again, until it gets into other trouble.
func TestHandledOutside(t *testing.T) {
	t.Parallel()
	watchedOnBoth(t, func(t *testing.T, s *stage) {
		s.env["OPERATORS"] = "U0LEAD"
		s.pays(watchID(1), pastGrace(), store.EventDelivered)
		s.startBot()
		alerts := s.workspace.As("U0LEAD").In("C0ALERTS")
		alert := alerts.ExpectMessage(containing("A paid session got no video.", "dismiss:"+watchID(1)))

		support := s.workspace.As("U0SUPPORT").In("C0ALERTS")
		support.Choose(alert, "session.menu", "dismiss:"+watchID(1))
		support.ExpectMessage(withText("Only operators may do this"))

		alerts.Choose(alert, "session.menu", "dismiss:"+watchID(1))
		alerts.ExpectMessage(withText("You are alerted about it again only if it has a different problem"))
		alerts.ExpectUpdate(alert, containing("Resolved after", "1 handled.", `"strike":true`, "handled by "), without("session.menu"))

		if code := s.bot.stop(); code != 0 {
			t.Errorf("asked to stop, it exited with %d", code)
		}
		s.startBot()
		lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
		lead.Type("/session debug " + watchID(1))
		lead.ExpectMessage(withText("handled elsewhere by @U0LEAD"))
		lead.Type("/session history " + watchID(1))
		lead.ExpectMessage(withText("handled elsewhere, by @U0LEAD in #C0ALERTS · it was orphaned"))
		s.workspace.ExpectNothingElse()

		s.put("webhook:"+watchID(1), `{"status":"error","timestamp":"`+time.Now().UTC().Format(time.RFC3339)+`"}`)
		alerts.ExpectMessage(containing("Failed: a video could not be made", "dismiss:"+watchID(1)))
		s.onlyUpdates(containing("Failed: a video could not be made")) // once its payment has been looked up
	})
}
