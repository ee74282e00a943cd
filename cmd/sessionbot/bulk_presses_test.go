package main

import (
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
)

// TestPressesFromTheAlert: it takes two presses from the alert to the running repair,
// whether one session is repaired or all of them. Where Stripe still delivers it takes
// three: to include those is a choice, and the first of the two presses that they need.
func TestPressesFromTheAlert(t *testing.T) {
	t.Parallel()
	const all, include, approve = "alert.repair", "confirm.include", "confirm.approve"
	for _, c := range []struct {
		name     string
		sessions int
		event    store.EventState
		head     string   // of the alert
		presses  []string // after which it runs
		shows    []string // what each of them leads to
	}{
		{"one session", 1, store.EventDelivered, "A paid session got no video", []string{"session.menu", approve}, []string{"Approve: generate, about $24", "Running: "}},
		{"37 sessions", 37, store.EventDelivered, "37 paid sessions have had no video", []string{all, approve}, []string{"about $888", "Generating: "}},
		{"37 that Stripe still delivers", 37, store.EventFailed, "37 paid sessions have had no video", []string{all, include, approve},
			[]string{"Include the 37 Stripe may deliver, about $888…", "Approve anyway: generate 37, about $888", "Generating: "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := watched(newStage(t))
			s.holdVideos()
			delete(s.env, "STRIPE_WEBHOOK_SECRET")
			for k := range c.sessions {
				s.pays(watchID(k), pastGrace().Add(-time.Duration(k)*time.Second), c.event)
			}
			s.startBot()
			oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
			m := oncall.ExpectMessage(containing("generate:"))
			for !containing(c.head)(m) {
				m = oncall.ExpectUpdate(m)
			}
			for i, action := range c.presses {
				if s.files.Started() != 0 {
					t.Fatalf("a video is made before the press on %s", action)
				}
				if action == "session.menu" {
					oncall.Choose(m, action, "generate:"+watchID(0))
				} else {
					oncall.Click(m, action)
				}
				if i == len(c.presses)-1 {
					oncall.ExpectUpdate(m, withText(c.shows[i]))
					break
				}
				m = oncall.ExpectMessage(containing(c.presses[i+1], c.shows[i]))
				s.pressedLongAgo(m)
			}
			s.bot.stop()
			oncall.All() // the alert and its thread
		})
	}
}

// pressedLongAgo lets the first press on a plan, if there was one, be no part of a double
// click any more.
func (s *stage) pressedLongAgo(plan wstest.Message) {
	s.t.Helper()
	s.pressed(plan, -time.Minute)
}

// pressed sets the time of the first press on a plan, by the clock, if there was one.
func (s *stage) pressed(plan wstest.Message, at time.Duration) {
	s.t.Helper()
	id, _, _ := strings.Cut(planID(s.t.(*testing.T), plan), ".")
	key := "sessionbot:{jobs}:plan:" + id
	if s.client.HExists(s.t.Context(), key, "pressed").Val() {
		testenv.Must(s.t, s.client.HSet(s.t.Context(), key, "pressed", time.Now().Add(at).UnixMilli()).Err())
	}
}

// TestIncludeStartsNothing: however often Include is pressed, even if another person
// presses the changed button, and whatever the bot does meanwhile, a second press of one person is
// needed, on the changed button and not at once.
func TestIncludeStartsNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.files = demo.NewSuperDuper(time.Now, 0)
	o := outage(s, 5)
	o.allowed = 100
	for k := range 5 {
		s.stripe.Put(paid(bulkID(k), time.Now().Add(-2*time.Hour+time.Duration(k)*time.Minute), store.EventFailed))
	}
	s.startBot()
	support := s.workspace.As("U0SUPPORT").In("C0SUPPORT")
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	support.Type("/session bulk generate")
	empty := support.ExpectMessage(containing("Nothing to generate now", "Include the 5 Stripe may deliver, about $120…"))
	once := containing("Generate 5 videos?", "pressed once, choosing to include what Stripe may still deliver; nothing has been done yet.", "Approve anyway: generate 5, about $120")
	support.Click(empty, "confirm.include")
	support.Click(empty, "confirm.include") // a double click
	plan, other := support.ExpectMessage(once), support.ExpectMessage(once)
	unstarted := func(after string) {
		t.Helper()
		if n := o.count(); n != 0 {
			t.Errorf("%d were requested after %s", n, after)
		}
	}
	unstarted("a double click on Include")

	s.pressed(plan, time.Hour)
	support.Click(plan, "confirm.approve")
	plan = support.ExpectUpdate(plan, withText("@U0SUPPORT pressed once"), without("choosing to include what Stripe may still deliver"))
	unstarted("a press at once")
	s.pressedLongAgo(plan)
	lead.Click(plan, "confirm.approve")
	plan = support.ExpectUpdate(plan, withText("@U0LEAD pressed once"))
	unstarted("a press of somebody else")
	support.Click(other, "confirm.cancel")
	support.ExpectUpdate(other, withText("Cancelled, nothing was changed"))

	s.pays(watchID(1), time.Now().Add(-time.Hour), store.EventDelivered) // was not listed
	s.bot.stop()
	s.startBot()
	s.pressedLongAgo(plan)
	lead.Click(plan, "confirm.approve")
	lead.ExpectUpdate(plan, withText("Finished: 5 videos ready"))
	lead.ExpectMessage(withText("@U0LEAD Finished: 5 videos ready"))
	if n := len(o.once(t)); n != 5 {
		t.Errorf("%d were requested", n)
	}
	s.workspace.ExpectNothingElse()
}
