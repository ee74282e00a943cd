package bot_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/workspace/blockcheck"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/repair"
)

// troubled is an App Home with one incident, a plan and a repair.
func troubled() commands.Home {
	return commands.Home{
		Alerts: true,
		Incidents: []incident.Incident{{ID: "INC1", Kind: "orphaned", Opened: time.Now(), Cases: []incident.Case{
			{ID: session, Verdict: "orphaned", At: time.Now(), Payment: store.PaymentPaid, Allowed: []store.Action{store.ActionGenerate}}}}},
		Plans: []repair.PlanRecord{{State: repair.PlanOpen, Plan: repair.Plan{ID: "P1", Action: store.ActionFix, Session: session, Requester: store.Actor{ID: "U0SUPPORT"},
			FixText: "Sorry.", Expires: time.Now().Add(time.Hour), Message: store.Message{Channel: "C0SUPPORT", TS: "1.2"}}}},
		Repairs: []audit.Entry{{At: time.Now(), Event: audit.Ended, Action: store.ActionReplay, Session: session, Who: store.Actor{ID: "U0LEAD"}, Detail: "done"}},
	}
}

// TestHomeOfReaders: readers see what is going on, and it changes as that does; plans are
// for those who may approve them.
func TestHomeOfReaders(t *testing.T) {
	t.Parallel()
	s := playWith(t, []string{"*"}, "U0LEAD")
	s.commands.shows(troubled(), nil)
	sam, lea := s.As("U0SUPPORT"), s.As("U0LEAD")
	sam.OpenHome()
	v := sam.ExpectHome(showing("1 open incident.", "alert.ack", "generate:"+session, "Replay: done", "session_find.query", `"dispatch_action":true`))
	if v.Shows("confirm.approve") {
		t.Errorf("who is no operator is shown a plan: %s", v.Blocks)
	}
	lea.OpenHome()
	operators := lea.ExpectHome(showing("1 open incident, 1 plan to approve.", "confirm.approve", "confirm.cancel"))
	for _, view := range []wstest.View{v, operators} {
		raw := `{"type":"home","blocks":` + string(view.Blocks) + `}`
		for _, violation := range blockcheck.CheckView([]byte(raw)) {
			t.Errorf("Slack would refuse it: %v", violation)
		}
	}
	s.commands.shows(commands.Home{Alerts: true}, nil)
	sam.ExpectHome(showing("Not checked yet"))
	lea.ExpectHome(showing("Not checked yet"))
	s.ExpectNothingElse()
}

// TestHomeOfOthers: they see whom to ask, and nothing else.
func TestHomeOfOthers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, user, says string
		readers          []string
	}{
		{"a guest", "U0GUEST", "Only full members of this workspace may use this bot", []string{"*"}},
		{"somebody of a connected workspace", "U0PARTNER", "Only full members of this workspace may use this bot", []string{"*"}},
		{"a member who is no reader", "U0SUPPORT", "listed in READERS may use this bot", []string{"U0ONCALL"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := playWith(t, c.readers, "U0LEAD")
			s.commands.shows(troubled(), nil)
			p := s.As(c.user)
			p.OpenHome()
			if v := p.ExpectHome(showing(c.says, `"user_id":"U0LEAD"`)); v.Shows(session) || v.Shows("button") {
				t.Errorf("%s sees %s", c.user, v.Blocks)
			}
			s.ExpectNothingElse()
		})
	}
}

// TestHomeWithoutRedis says so where it is opened, and is left as it is elsewhere.
func TestHomeWithoutRedis(t *testing.T) {
	t.Parallel()
	s := playWith(t, []string{"*"}, "U0LEAD")
	s.commands.shows(troubled(), nil)
	sam, lea := s.As("U0SUPPORT"), s.As("U0LEAD")
	sam.OpenHome()
	before := sam.ExpectHome(showing("1 open incident."))
	s.commands.shows(commands.Home{}, rdb.ErrNoAnswer)
	lea.OpenHome()
	lea.ExpectHome(showing("Redis", "Open this tab again in a moment.", "Ref "))
	if now := sam.ExpectHome(nil); now.Hash != before.Hash {
		t.Errorf("it changed to %s", now.Blocks)
	}
	sam.OpenHome()
	sam.ExpectHome(showing("Redis", "Open this tab again in a moment."))
	s.commands.shows(troubled(), nil)
	sam.ExpectHome(showing("1 open incident."))
	s.ExpectNothingElse()
}

// TestHomeSearch: what is typed is looked up, and answered in a modal.
func TestHomeSearch(t *testing.T) {
	t.Parallel()
	s := playWith(t, []string{"*"}, "U0LEAD")
	s.commands.run = func(_ context.Context, req commands.Request) commands.Answer {
		if req.Command != "/session" || req.Text != "find kim@example.org" || req.User != "U0SUPPORT" || req.Shared {
			t.Errorf("asked %+v", req)
		}
		return aboutSession("of kim@example.org")
	}
	sam := s.As("U0SUPPORT")
	sam.OpenHome()
	v := sam.ExpectHome(nil)
	sam.Fill(v, commands.FindField, "Kim <kim@example.org>")
	if m := sam.ExpectModal(showing("of kim@example.org", "Refresh")); m.Shows("session.share") {
		t.Errorf("it can be shared: %s", m.Blocks)
	}
	sam.Close(sam.ExpectModal(nil))
	sam.Fill(v, commands.FindField, "Kim")
	sam.Close(sam.ExpectModal(showing("There is no session id")))
	if now := sam.ExpectHome(nil); now.Shows("kim@example.org") || strings.Contains(s.log.String(), "kim@example.org") {
		t.Error("the address is in the App Home, or in the log")
	}
	s.Refuse("views.open", "expired_trigger_id")
	sam.Fill(v, commands.FindField, "kim@example.org")
	sam.In("D0SUPPORT").ExpectMessage(wstest.Saying("of kim@example.org"))
	s.ExpectNothingElse()
}

// TestPlanBegunInTheHome is posted where operators see it, and the window links to it.
func TestPlanBegunInTheHome(t *testing.T) {
	t.Parallel()
	s := playWith(t, []string{"*"}, "U0LEAD")
	s.commands.shows(troubled(), nil)
	plan := func(_ context.Context, req commands.Request) commands.Answer {
		if req.User != "U0SUPPORT" || req.Channel != "" {
			t.Errorf("asked %+v", req)
		}
		return commands.Answer{Outcome: commands.Done, Blocks: says("Generate a video?"), Plan: &repair.Plan{ID: "P2"}}
	}
	s.commands.run = plan
	sam := s.As("U0SUPPORT")
	sam.OpenHome()
	sam.Fill(sam.ExpectHome(showing("generate:"+session)), "session.menu", "generate:"+session)
	s.As("U0ONCALL").In("C0ALERTS").ExpectMessage(wstest.Saying("Generate a video?", "confirm.approve"))
	sam.ExpectModal(showing("where operators see it", "C0ALERTS", "open the plan"))
	s.ExpectNothingElse()
}

// TestClicksInTheHome are answered in a window, else directly.
func TestClicksInTheHome(t *testing.T) {
	t.Parallel()
	s := playWith(t, []string{"*"}, "U0LEAD")
	s.commands.shows(troubled(), nil)
	lea := s.As("U0LEAD")
	lea.OpenHome()
	v := lea.ExpectHome(showing("confirm.approve"))
	lea.Press(v, "alert.ack") // alerts are off
	lea.Close(lea.ExpectModal(showing("its data is gone")))
	lea.Press(v, "confirm.approve")
	lea.Close(lea.ExpectModal(showing("This plan is gone")))
	s.Refuse("views.open", "expired_trigger_id")
	lea.Press(v, "confirm.cancel")
	lea.In("D0LEAD").ExpectMessage(wstest.Saying("This plan is gone"))
	s.ExpectNothingElse()
}

// TestHomeSurvivesARestart: another process keeps it current, without being opened again.
func TestHomeSurvivesARestart(t *testing.T) {
	t.Parallel()
	s := playWith(t, []string{"*"}, "U0LEAD")
	s.commands.shows(troubled(), nil)
	sam := s.As("U0SUPPORT")
	sam.OpenHome()
	sam.ExpectHome(showing("1 open incident."))
	s.stop()
	if err := await(t, s.ended); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	s.commands.shows(commands.Home{Alerts: true}, nil)
	s.start(t)
	sam.ExpectHome(showing("Not checked yet"))
	s.ExpectNothingElse()
}
