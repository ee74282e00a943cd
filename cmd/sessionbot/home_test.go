package main

import (
	"testing"

	"github.com/superduperai/sessionbot/internal/workspace/blockcheck"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
)

func homeShowing(parts ...string) func(wstest.View) bool {
	return func(v wstest.View) bool { return v.Shows(parts...) }
}

// homeWithout fits an App Home that has none of the parts.
func homeWithout(parts ...string) func(wstest.View) bool {
	return func(v wstest.View) bool {
		for _, part := range parts {
			if v.Shows(part) {
				return false
			}
		}
		return true
	}
}

// TestHome: what is open shows in the App Home; a plan that one operator begins there is
// approved there by the other, whatever process serves them; and the customer's address is
// not in it.
func TestHome(t *testing.T) {
	t.Parallel()
	watchedOnBoth(t, func(t *testing.T, s *stage) {
		s.env["OPERATORS"], s.env["APPROVALS"] = "U0LEAD,U0ONCALL", "generate"
		finish := s.holdVideos()
		s.stored(watchID(1), pastGrace())
		sale := paid(watchID(1), pastGrace(), store.EventDelivered)
		sale.Email = "ann@example.com"
		s.stripe.Put(sale)
		s.startBot()
		lea, olga, sam := s.workspace.As("U0LEAD"), s.workspace.As("U0ONCALL"), s.workspace.As("U0SUPPORT")
		alerts := olga.In("C0ALERTS")
		alert := alerts.ExpectMessage(containing("A paid session got no video."))
		for _, p := range []wstest.Person{lea, olga, sam} {
			p.OpenHome()
			v := p.ExpectHome(homeShowing("1 open incident.", "A paid session got no video.", "alert.ack", "generate:"+watchID(1), "Webhook success", "None yet."))
			for _, violation := range blockcheck.CheckView([]byte(`{"type":"home","blocks":` + string(v.Blocks) + `}`)) {
				t.Errorf("Slack would refuse it: %v", violation)
			}
		}
		lea.Press(lea.ExpectHome(nil), "alert.ack")
		lea.ExpectHome(homeShowing("Acknowledged by"))
		alert = alerts.ExpectUpdate(alert, containing("Acknowledged by"))

		lea.Fill(lea.ExpectHome(nil), "session.menu", "generate:"+watchID(1))
		plan := alerts.ExpectMessage(containing("Generate a video for", "confirm.approve"))
		lea.Close(lea.ExpectModal(homeShowing("where operators see it", "open the plan")))
		approvable := olga.ExpectHome(homeShowing("1 plan to approve", "confirm.approve", "confirm.cancel"))
		for name, p := range map[string]wstest.Person{"who asked for it": lea, "who is no operator": sam} {
			if v := p.ExpectHome(nil); v.Shows("confirm.approve") {
				t.Errorf("%s may approve it", name)
			}
		}
		olga.Press(approvable, "confirm.approve")
		plan = alerts.ExpectUpdate(plan, withText("being made"), without("confirm.approve"))
		olga.ExpectHome(homeWithout("confirm.approve"))
		sam.ExpectHome(homeShowing("being made, approved by"))
		alert = alerts.ExpectUpdate(alert, containing("being made, approved by"))

		if code := s.bot.stop(); code != 0 {
			t.Errorf("asked to stop, it exited with %d", code)
		}
		finish()
		s.startBot()
		alerts.ExpectUpdate(plan, withText("Done: video ready"))
		alerts.ExpectMessage(withText("Done: video ready"))
		alerts.ExpectUpdate(alert, containing("Resolved after"))
		for _, p := range []wstest.Person{lea, olga, sam} {
			if v := p.ExpectHome(homeShowing("Nothing needs you", "Generate: done")); v.Shows("ann@example.com") {
				t.Errorf("the address is in the App Home: %s", v.Blocks)
			}
		}
		s.expectCleanLog("ann@example.com")
	})
}
