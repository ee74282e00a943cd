package main

import (
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
)

// TestBulkReplayStory: the endpoint was down for an hour, and the site's secret was
// changed. The plan pauses after the canary and says so; once that is fixed an
// operator resumes it, which begins with a canary again, a replica is killed in the
// middle, the other one continues, and the plan is stopped. A second plan replays the rest,
// the order with a picture included. The site takes each event once.
func TestBulkReplayStory(t *testing.T) {
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
	o.allowed = 100
	site := demo.SiteConfig{Redis: s.client, FilesURL: s.env["SUPERDUPERAI_URL"], StripeURL: s.env["STRIPE_API_URL"], Secret: "whsec_ofAnotherEndpoint"}
	d := &deliveries{site: demo.NewSite(site), refuse: bulkID(25), taken: map[string]int{}, refused: map[string]int{}}
	s.env["SITE_URL"] = s.serve(d)
	image := s.value("session:" + bulkID(15))
	image["generationType"] = "image-to-video"
	raw, err := json.Marshal(image)
	testenv.Must(t, err)
	s.put("session:"+bulkID(15), string(raw))
	s.env["APPROVALS"] = "generate" // counts for what the site makes as well
	s.startProcess()
	killed := s.bot
	support := s.workspace.As("U0SUPPORT").In("C0SUPPORT")
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	guest := s.workspace.As("U0GUEST").In("C0SUPPORT")

	support.Type("/session bulk replay")
	plan := support.ExpectMessage(withText("Replay the webhook for 37 sessions?"))
	for _, part := range []string{"about $888; the customers paid $37.00", "Then 4 at a time", "Left out: 3 stored in a format that the site cannot read"} {
		if !strings.Contains(plan.Text, part) {
			t.Errorf("the plan does not say %q:\n%s", part, plan.Text)
		}
	}
	support.Click(plan, "confirm.details")
	page := support.ExpectMessage(withText("1–20 of 40"))
	support.Click(page, "confirm.details")
	last := support.ExpectUpdate(page, withText("21–40 of 40"), withText("left out: the site cannot read it: generate instead"))
	if !last.Ephemeral {
		t.Error("all sessions are shown to the whole channel")
	}
	support.Click(plan, "confirm.approve")
	support.ExpectMessage(withText("another operator has to approve it"))
	lead.Click(plan, "confirm.approve")
	paused := lead.ExpectUpdate(plan, withText("Paused: 0 videos ready, 1 failed, 36 not started"), withText("Found: the site rejected the signature (STRIPE_WEBHOOK_SECRET)"), containing("bulk.resume"))
	lead.ExpectMessage(withText("@U0LEAD Paused: "))
	taken, wrong := d.once(t)
	if taken != 0 || wrong != 1 || o.count() != 0 {
		t.Errorf("%d taken, %d refused before it was paused, %d requested", taken, wrong, o.count())
	}
	guest.Click(paused, "bulk.resume")
	guest.ExpectMessage(withText("Only operators may do this"))
	site.Secret = webhookMark
	d.mu.Lock()
	d.site = demo.NewSite(site)
	d.mu.Unlock()
	lead.Click(paused, "bulk.resume")
	running := lead.ExpectUpdate(paused, withText("Replaying: 0 of 37 done, 1 failed, 1 running, 35 not started"), withText("…0001 goes first, alone"))
	named := func() (n int) {
		for k := range 40 {
			if s.value("session:" + bulkID(k))["fileId"] != nil {
				n++
			}
		}
		return n
	}
	testenv.Until(t, "the site makes the canary", func() bool { return named() == 1 })
	first.Store(true)
	running = lead.ExpectUpdate(running, withText("Replaying: 1 of 37 done, 1 failed, 4 running"))
	testenv.Until(t, "the site makes four more", func() bool { return named() == 5 })
	s.startBot() // the other replica
	killed.kill()
	s.expireLeases()
	s.workspace.AwaitConnections(1)
	support.Click(running, "bulk.stop")
	stopping := support.ExpectUpdate(running, withText("The 4 that are running will finish"), withText("Finished videos stay."))
	now := time.Now()
	released.Store(&now)
	support.ExpectUpdate(stopping, withText("Stopped: 5 videos ready, 1 failed, 31 not started"))
	support.ExpectMessage(func(m wstest.Message) bool {
		return m.ThreadTS == plan.TS && strings.Contains(m.Text, "@U0LEAD Stopped: ")
	})

	support.Type("/session bulk replay")
	rest := support.ExpectMessage(withText("Replay the webhook for 32 sessions?"))
	for _, n := range []int{30, 31, 32, 33} {
		s.webhookLate(n)
	}
	for _, n := range []int{34, 35} {
		refunded := paid(bulkID(n), time.Now().Add(-2*time.Hour+time.Duration(n)*time.Minute), store.EventDelivered)
		refunded.Refunded = refunded.Amount
		s.stripe.Put(refunded)
	}
	d.mu.Lock()
	d.refused = map[string]int{} // what the first plan sent there
	d.mu.Unlock()
	lead.Click(rest, "confirm.approve")
	lead.ExpectUpdate(rest, withText("Finished: 25 videos ready, 1 failed, 6 skipped"), withText("the site rejected the signature"))
	lead.ExpectMessage(func(m wstest.Message) bool {
		return m.ThreadTS == rest.TS && strings.Contains(m.Text, "@U0LEAD Finished: 25")
	})
	if taken, wrong := d.once(t); taken != 30 || wrong != 1 || d.taken[bulkID(15)] != 1 || d.refused[bulkID(25)] != 1 {
		t.Errorf("the site took %d and refused %d", taken, wrong)
	}
	for k := range 40 {
		if made := o.asked[bulkPrompt(k)]; made != d.taken[bulkID(k)] {
			t.Errorf("%s: %d events, %d videos", bulkID(k), d.taken[bulkID(k)], made)
		}
	}
	s.eachAccountedFor(o, 40)
	s.expectCleanLog("A fox for", webhookMark, "whsec_")
	s.quiet(killed, "A fox for", webhookMark)
}
