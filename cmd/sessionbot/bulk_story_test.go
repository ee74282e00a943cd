package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
)

// TestBulkStory: the endpoint was down for an hour. All are listed and repaired by one
// approval: first the canary, then four at a time. A process is killed during the canary,
// and another one in the middle, others continue, the plan is stopped, and a second plan
// repairs the rest. Every customer's video is requested once, and every session is
// accounted for.
func TestBulkStory(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	var released atomic.Pointer[time.Time]
	var first atomic.Bool
	s.files = demo.NewSuperDuper(func() time.Time {
		now := time.Now()
		if first.Load() {
			now = now.Add(time.Hour)
		}
		if since := released.Load(); since != nil { // videos take some milliseconds from then on
			now = now.Add(time.Hour + now.Sub(*since)*100_000)
		}
		return now
	}, time.Hour)
	o := outage(s, 40)
	image := s.value("session:" + bulkID(5))
	image["generationType"] = "image-to-video"
	raw, err := json.Marshal(image)
	testenv.Must(t, err)
	s.put("session:"+bulkID(5), string(raw))
	for _, n := range []int{20, 21} {
		s.stripe.Put(paid(bulkID(n), time.Now().Add(-2*time.Hour+time.Duration(n)*time.Minute), store.EventFailed))
	}
	s.startProcess()
	support := s.workspace.As("U0SUPPORT").In("C0SUPPORT")
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	support.Type("/session list orphaned --limit 50")
	support.ExpectMessage(withText("40 orphaned sessions"))

	support.Type("/session bulk generate")
	plan := support.ExpectMessage(withText("Generate 37 videos?"))
	for _, part := range []string{"about $888; the customers paid $37.00", "Then 4 at a time", "and 27 more",
		"…0000, which takes 2 to 15 min. Expected: its video is finished and the customer's page shows it.", "Left out: 2 that Stripe is still retrying", "Left out: 1 that generate cannot help"} {
		if !strings.Contains(plan.Text, part) {
			t.Errorf("the plan does not say %q:\n%s", part, plan.Text)
		}
	}
	lead.Click(plan, "confirm.approve")
	running := lead.ExpectUpdate(plan, withText("Generating: 0 of 37 done, 1 running, 36 not started"), withText("…0000 goes first, alone"))
	made := func(n int) func() bool {
		return func() bool {
			named := 0
			for k := range 40 {
				if s.value("session:" + bulkID(k))["fileId"] != nil {
					named++
				}
			}
			return named == n
		}
	}
	testenv.Until(t, "the canary is being made, and its session says so", made(1))
	s.bot.kill()
	s.expireLeases()
	s.startProcess()
	first.Store(true)
	running = lead.ExpectUpdate(running, withText("Generating: 1 of 37 done, 4 running, 32 not started"), withText("…0000 as expected"))
	testenv.Until(t, "four more are being made", made(5))
	s.bot.kill()
	s.expireLeases()
	s.startBot()
	s.workspace.As("U0GUEST").In("C0SUPPORT").Click(running, "bulk.stop")
	s.workspace.As("U0GUEST").In("C0SUPPORT").ExpectMessage(withText("Only operators may do this"))
	support.Click(running, "bulk.stop") // who requested it may
	stopping := support.ExpectUpdate(running, withText("The 4 that are running will finish"), withText("Finished videos stay."))
	now := time.Now()
	released.Store(&now)
	support.ExpectUpdate(stopping, withText("Stopped: "), withText("32 not started"))
	reply := support.ExpectMessage(func(m wstest.Message) bool { return m.ThreadTS == plan.TS })
	if !strings.Contains(reply.Text, "@U0LEAD Stopped: ") {
		t.Errorf("the thread says %s", reply.Text)
	}
	if n := len(o.once(t)); n != 5 {
		t.Errorf("%d were requested", n)
	}

	o.mu.Lock()
	o.refuse[bulkPrompt(9)], o.refuse[""], o.allowed = http.StatusUnprocessableEntity, 0, 100
	o.mu.Unlock()
	support.Type("/session bulk generate")
	rest := support.ExpectMessage(withText("Generate 32 videos?"))
	lead.Click(rest, "confirm.include")
	all := lead.ExpectMessage(containing("Generate 34 videos?", "choosing to include what Stripe may still deliver"))
	if !strings.Contains(all.Text, "the events of 2 of these sessions") {
		t.Errorf("it does not say what the two may cost:\n%s", all.Text)
	}
	for _, n := range []int{30, 31, 32, 33} {
		s.webhookLate(n)
	}
	for _, n := range []int{34, 35} {
		refunded := paid(bulkID(n), time.Now().Add(-2*time.Hour+time.Duration(n)*time.Minute), store.EventDelivered)
		refunded.Refunded = refunded.Amount
		s.stripe.Put(refunded)
	}
	s.pressedLongAgo(all)
	lead.Click(all, "confirm.approve")
	lead.ExpectUpdate(all, withText("Finished: 27 videos ready, 1 failed, 6 skipped"), withText("SuperDuperAI rejected the request"))
	lead.ExpectMessage(func(m wstest.Message) bool {
		return m.ThreadTS == all.TS && strings.Contains(m.Text, "@U0LEAD Finished: 27")
	})
	if n := len(o.once(t)); n != 33 {
		t.Errorf("%d were requested", n)
	}
	s.eachAccountedFor(o, 40)
	s.expectCleanLog("A fox for")
}

// TestBulkPauseStory: the balance is used up. The plan pauses and says why; once the
// account is topped up an operator resumes it, and the remaining videos are made.
func TestBulkPauseStory(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.files = demo.NewSuperDuper(time.Now, 0)
	o := outage(s, 20)
	o.refuse[""], o.allowed = http.StatusPaymentRequired, 3
	s.env["APPROVALS"], s.env["BULK_PARALLEL"], s.env["OPERATORS"] = "generate", "2", "U0LEAD,U0ONCALL"
	s.startBot()
	support := s.workspace.As("U0SUPPORT").In("C0SUPPORT")
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	support.Type("/session bulk generate orphaned")
	plan := support.ExpectMessage(withText("Generate 20 videos?"))
	support.Click(plan, "confirm.approve")
	support.ExpectMessage(withText("Only operators may do this"))
	lead.Click(plan, "confirm.approve")
	// Requests under way when it pauses still end by themselves: refused as well, as
	// long as the account is not topped up.
	paused := lead.ExpectUpdate(plan, withText("Paused: 3 videos ready"), withText("does not have enough balance"), containing("bulk.resume"),
		func(m wstest.Message) bool { return !strings.Contains(m.Text, " running") })
	lead.ExpectMessage(withText("@U0LEAD Paused: "))
	failed := o.count() - 3
	if failed < 3 || failed > 5 {
		t.Errorf("%d failed before it was paused", failed)
	}
	o.mu.Lock()
	o.refuse[""] = 0
	o.mu.Unlock()
	support.Click(paused, "bulk.stop")
	support.ExpectUpdate(paused, withText("Stopped: 3 videos ready"))
	support.ExpectMessage(func(m wstest.Message) bool { return m.ThreadTS == plan.TS })

	support.Type("/session bulk generate orphaned")
	plan = support.ExpectMessage(withText(fmt.Sprintf("Generate %d videos?", 17-failed)))
	o.mu.Lock()
	o.refuse[""], o.allowed = http.StatusUnauthorized, 0
	o.mu.Unlock()
	lead.Click(plan, "confirm.approve")
	paused = lead.ExpectUpdate(plan, withText("Paused: 0 videos ready, 1 failed"), withText("Found: SuperDuperAI rejected the token"), withText("first tries one more session alone"))
	lead.ExpectMessage(withText("@U0LEAD Paused: "))
	o.mu.Lock()
	o.refuse[""] = 0
	o.mu.Unlock()
	support.Click(paused, "bulk.resume")
	support.ExpectMessage(withText("Only operators may do this"))
	lead.Click(paused, "bulk.resume")
	lead.ExpectUpdate(paused, withText("Finished: "))
	lead.ExpectMessage(func(m wstest.Message) bool { return m.ThreadTS == plan.TS })
	if n := len(o.once(t)); n != 20 {
		t.Errorf("%d were requested", n)
	}
}
