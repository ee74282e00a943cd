package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
)

// orders counts the requests to SuperDuperAI by prompt, and refuses some.
type orders struct {
	http.Handler
	mu      sync.Mutex
	asked   map[string]int
	refuse  map[string]int // HTTP status by prompt, "" = of all that follow after so many
	allowed int
}

func (o *orders) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		o.Handler.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	var order struct{ Config struct{ Prompt string } }
	if err == nil {
		err = json.Unmarshal(body, &order)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	o.mu.Lock()
	o.asked[order.Config.Prompt]++
	status := o.refuse[order.Config.Prompt]
	if status == 0 && len(o.asked) > o.allowed {
		status = o.refuse[""]
	}
	o.mu.Unlock()
	if status != 0 {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"detail":"no"}`) // who asked has hung up
		return
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	o.Handler.ServeHTTP(w, r)
}

// once checks that nobody's video was requested twice, and returns whose were.
func (o *orders) once(t *testing.T) []string {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for prompt, n := range o.asked {
		if n != 1 {
			t.Errorf("%q was requested %d times", prompt, n)
		}
	}
	return slices.Sorted(maps.Keys(o.asked))
}

func (o *orders) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.asked)
}

// bulkID is the id of the nth customer, who paid the longer ago the smaller n is.
func bulkID(n int) string {
	return fmt.Sprintf("cs_live_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3bu%04d", n)
}

func bulkPrompt(n int) string { return fmt.Sprintf("A fox for %04d", n) }

// outage has the webhook's endpoint down for an hour: n customers paid and got
// nothing, of whom the last three have their session under three keys.
func outage(s *stage, n int) *orders {
	s.t.Helper()
	s.env["OPERATORS"], s.env["SITE_LAYOUT"], s.env["BULK_PARALLEL"] = "S0OPS", "one-key", "4"
	o := &orders{Handler: s.files, asked: map[string]int{}, refuse: map[string]int{}}
	s.env["SUPERDUPERAI_URL"] = s.serve(o)
	for k := range n {
		at := time.Now().Add(-2*time.Hour + time.Duration(k)*time.Minute)
		s.stripe.Put(paid(bulkID(k), at, store.EventDelivered))
		text := at.UTC().Format("2006-01-02T15:04:05.000Z")
		if k >= n-3 {
			s.put("prompt:"+bulkID(k), fmt.Sprintf(`{"prompt":%q,"timestamp":%q}`, bulkPrompt(k), text))
			continue
		}
		s.put("session:"+bulkID(k), fmt.Sprintf(`{"prompt":%q,"videoCount":1,"duration":8,"resolution":"1280x720","status":"pending","createdAt":%q,"timestamp":%q}`, bulkPrompt(k), text, text))
	}
	return o
}

// webhookLate has the site hear of a payment after all.
func (s *stage) webhookLate(n int) {
	s.t.Helper()
	value := s.value("session:" + bulkID(n))
	value["status"], value["fileId"], value["timestamp"] = "processing", fmt.Sprintf("6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b%04d", n), time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	raw, err := json.Marshal(value)
	testenv.Must(s.t, err)
	s.put("session:"+bulkID(n), string(raw))
}

// TestBulkStory: the endpoint was down for an hour. All are listed and repaired by one
// approval; a process is killed in the middle, another one carries on, somebody stops
// it, and a second plan repairs the rest. Every customer's video is requested once, and
// every session is accounted for.
func TestBulkStory(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	var released atomic.Pointer[time.Time]
	s.files = demo.NewSuperDuper(func() time.Time {
		now := time.Now()
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
	for _, part := range []string{"37 videos, about $888; the customers paid $37.00", "4 at a time", "and 27 more",
		"Left out: 2 that Stripe will still deliver", "Left out: 1 that generate cannot repair"} {
		if !strings.Contains(plan.Text, part) {
			t.Errorf("the plan does not say %q:\n%s", part, plan.Text)
		}
	}
	lead.Click(plan, "confirm.approve")
	running := lead.ExpectUpdate(plan, withText("Generating: 0 of 37 done, 4 running, 33 left"))
	testenv.Until(t, "four are being made, and their sessions say so", func() bool {
		named := 0
		for k := range 40 {
			if s.value("session:" + bulkID(k))["fileId"] != nil {
				named++
			}
		}
		return named == 4
	})
	s.bot.kill()
	s.expireLeases()
	s.startBot()
	s.workspace.As("U0GUEST").In("C0SUPPORT").Click(running, "bulk.stop")
	s.workspace.As("U0GUEST").In("C0SUPPORT").ExpectMessage(withText("Only operators may do this"))
	support.Click(running, "bulk.stop") // who requested it may
	stopping := support.ExpectUpdate(running, withText("The 4 that are running will finish"), withText("stopping reverts nothing"))
	now := time.Now()
	released.Store(&now)
	support.ExpectUpdate(stopping, withText("Stopped: "), withText("33 not begun"))
	reply := support.ExpectMessage(func(m wstest.Message) bool { return m.ThreadTS == plan.TS })
	if !strings.Contains(reply.Text, "@U0LEAD Stopped: ") {
		t.Errorf("the thread says %s", reply.Text)
	}
	made := len(o.once(t))
	if made != 4 {
		t.Errorf("%d were requested", made)
	}

	o.mu.Lock()
	o.refuse[bulkPrompt(9)], o.refuse[""], o.allowed = http.StatusUnprocessableEntity, 0, 100
	o.mu.Unlock()
	support.Type("/session bulk generate")
	rest := support.ExpectMessage(withText("Generate 33 videos?"))
	lead.Click(rest, "confirm.include")
	all := lead.ExpectMessage(withText("Generate 35 videos?"))
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
	lead.Click(all, "confirm.approve")
	second := lead.ExpectUpdate(all, withText("Pressed once by"))
	pressed := time.Now()
	testenv.Until(t, "a second press is no double click", func() bool { return time.Since(pressed) > 2*time.Second })
	lead.Click(second, "confirm.approve")
	lead.ExpectUpdate(second, withText("Finished: 28 videos ready, 1 failed, 6 skipped"), withText("SuperDuperAI does not take the request"))
	lead.ExpectMessage(func(m wstest.Message) bool {
		return m.ThreadTS == all.TS && strings.Contains(m.Text, "@U0LEAD Finished: 28")
	})
	if made := len(o.once(t)); made != 33 {
		t.Errorf("%d were requested", made)
	}
	s.eachAccountedFor(o, 40)
	s.expectCleanLog("A fox for")
}

// expireLeases acts as if the life of all jobs' leases had gone by.
func (s *stage) expireLeases() {
	s.t.Helper()
	pending, err := s.client.ZRange(s.t.Context(), "sessionbot:{jobs}:pending", 0, -1).Result()
	testenv.Must(s.t, err)
	for _, id := range pending {
		testenv.Must(s.t, s.client.Del(s.t.Context(), "sessionbot:{jobs}:lease:"+id).Err())
	}
}

// eachAccountedFor checks that every session that was requested is completed, or an
// error if it was refused, and that nothing was written to the others.
func (s *stage) eachAccountedFor(o *orders, n int) {
	s.t.Helper()
	for k := range n {
		asked, refused := o.asked[bulkPrompt(k)] == 1, o.refuse[bulkPrompt(k)] != 0
		value := s.value("session:" + bulkID(k))
		switch status := value["status"]; {
		case refused && status == "error", asked && !refused && (status == "completed" || status == "processing"): // the site never writes completed
		case !asked && (status == "pending" || status == nil || status == "processing"):
		default:
			s.t.Errorf("%s: requested %v, refused %v, status %v", bulkID(k), asked, refused, status)
		}
	}
}

// TestRepairAllStory: from the alert to all repaired. What the site can read is replayed,
// of what recovers meanwhile nothing is sent, what the site fails at is named, and what
// it cannot read is generated by a plan of its own.
func TestRepairAllStory(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.files = demo.NewSuperDuper(time.Now, 0)
	o := outage(s, 40)
	o.allowed = 100
	o.refuse[bulkPrompt(9)] = http.StatusTooManyRequests
	s.site = demo.NewSite(demo.SiteConfig{Redis: s.client, FilesURL: s.env["SUPERDUPERAI_URL"], StripeURL: s.env["STRIPE_API_URL"], Secret: webhookMark})
	s.env["SITE_URL"], s.env["STRIPE_WEBHOOK_SECRET"] = s.serve(s.site), webhookMark
	image := s.value("session:" + bulkID(5))
	image["generationType"] = "image-to-video"
	raw, err := json.Marshal(image)
	testenv.Must(t, err)
	s.put("session:"+bulkID(5), string(raw))
	s.startBot()
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	lead := s.workspace.As("U0LEAD").In("C0ALERTS")
	alert := oncall.ExpectMessage(containing("alert.repair"))
	for !containing("40 paid sessions")(alert) {
		alert = oncall.ExpectUpdate(alert)
	}
	oncall.Click(alert, "alert.repair")
	plan := oncall.ExpectMessage(withText("Replay the webhook for 37 sessions?"))
	for _, part := range []string{"37 videos, about $888; the customers paid $37.00", "Left out: 3 that only generate can repair"} {
		if !strings.Contains(plan.Text, part) {
			t.Errorf("the plan does not say %q:\n%s", part, plan.Text)
		}
	}
	for _, n := range []int{30, 31, 32, 33} {
		s.webhookLate(n)
	}
	for _, n := range []int{34, 35} {
		refunded := paid(bulkID(n), time.Now().Add(-2*time.Hour+time.Duration(n)*time.Minute), store.EventDelivered)
		refunded.Refunded = refunded.Amount
		s.stripe.Put(refunded)
	}
	lead.Click(plan, "confirm.approve")
	lead.ExpectUpdate(plan, withText("Finished: 30 videos ready, 1 failed, 6 skipped"), withText("the site took the event and wrote an error"))
	lead.ExpectMessage(func(m wstest.Message) bool {
		return m.ThreadTS == plan.TS && strings.Contains(m.Text, "@U0LEAD Finished: 30")
	})

	oncall.Click(alert, "alert.repair")
	rest := oncall.ExpectMessage(containing("confirm.other"))
	oncall.Click(rest, "confirm.other")
	generate := oncall.ExpectMessage(withText("Generate 3 videos?"))
	lead.Click(generate, "confirm.approve")
	lead.ExpectUpdate(generate, withText("Finished: 3 videos ready"))
	lead.ExpectMessage(func(m wstest.Message) bool { return m.ThreadTS == generate.TS })
	if made := len(o.once(t)); made != 34 {
		t.Errorf("%d were requested", made)
	}
	s.eachAccountedFor(o, 40)
	s.expectCleanLog("A fox for", webhookMark)
	s.bot.stop()
	oncall.All() // the alert and its thread
}

// TestBulkPauseStory: the balance is used up. The plan pauses and says why; once the
// account is topped up an operator resumes it, and those that are left are made.
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
	paused := lead.ExpectUpdate(plan, withText("Paused: 3 videos ready"), withText("too little balance"), containing("bulk.resume"))
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
	paused = lead.ExpectUpdate(plan, withText("Paused: 0 videos ready"), withText("refused the token"))
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

// TestBulkInATerminal: the same plan, with the sums as JSON, and exit codes.
func TestBulkInATerminal(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.files = demo.NewSuperDuper(time.Now, 0)
	o := outage(s, 6)
	bulk := func(answer string, args ...string) (report commands.BulkReport, log string, code int) {
		t.Helper()
		p := runWith(t, strings.NewReader(answer), false, s.env, append([]string{"session", "bulk"}, args...)...)
		code = p.exitCode()
		log = p.log.String()
		for line := range strings.Lines(log) {
			if strings.HasPrefix(line, `{"plan"`) {
				testenv.Must(t, json.Unmarshal([]byte(line), &report))
			}
		}
		return report, log, code
	}
	for _, c := range []struct {
		answer string
		args   []string
		code   int
		says   string
	}{
		{"", []string{}, 2, "Which repair?"},
		{"", []string{"refund"}, 2, "generate, replay or fix"},
		{"", []string{"generate", "sideways"}, 2, "verdict"},
		{"", []string{"generate", "--limit", "0"}, 2, "--limit"},
		{"n\n", []string{"generate"}, 3, "Generate 6 videos?"},
		{"", []string{"generate", "stalled"}, 0, "Nothing to generate now: no session in trouble fits."},
		{"", []string{"generate", "--limit", "60"}, 3, "too many for one plan"},
	} {
		if _, log, code := bulk(c.answer, c.args...); code != c.code || !strings.Contains(log, c.says) {
			t.Errorf("%v: exit code %d, want %d saying %q:\n%s", c.args, code, c.code, c.says, log)
		}
	}
	if o.count() != 0 {
		t.Errorf("%d were requested before anybody agreed", o.count())
	}
	report, log, code := bulk("y\n", "generate", "--limit", "2", "--json")
	if code != 0 || report.Done != 2 || report.Left != 0 || len(report.Sessions) != 2 || report.Sessions[0].ID != bulkID(0) || report.Sessions[0].Outcome != "done" {
		t.Errorf("exit code %d, %+v:\n%s", code, report, log)
	}
	o.mu.Lock()
	o.refuse[bulkPrompt(3)] = http.StatusUnprocessableEntity
	o.allowed = 100
	o.mu.Unlock()
	report, log, code = bulk("", "generate", "--yes", "--json")
	if code != 1 || report.Done != 3 || report.Failed != 1 || report.Sessions[1].Outcome != "failed" || report.Sessions[1].Reason == "" {
		t.Errorf("exit code %d, %+v:\n%s", code, report, log)
	}
	o.once(t)
}

// TestBulkStoppedInATerminal: Ctrl-C begins no more, and so does a pause, which has no
// button there.
func TestBulkStoppedInATerminal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		status int // of all requests
		says   string
		paused bool
	}{
		{"interrupted", 0, "no more sessions are begun", false},
		{"paused", http.StatusPaymentRequired, "too little balance: no. Once that is fixed, run /session bulk generate again.", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			o := outage(s, 9) // a video takes a minute
			o.refuse[""] = c.status
			p := run(t, s.env, "session", "bulk", "generate", "--yes", "--json")
			if c.status == 0 {
				testenv.Until(t, "four are being made", func() bool { return o.count() == 4 })
				p.interrupt()
			}
			code := p.exitCode()
			var report commands.BulkReport
			for line := range strings.Lines(p.log.String()) {
				if strings.HasPrefix(line, `{"plan"`) {
					testenv.Must(t, json.Unmarshal([]byte(line), &report))
				}
			}
			if code != 1 || report.Paused != c.paused || report.Left == 0 || report.Done+report.Failed+report.Skipped+report.Left != 9 || !strings.Contains(p.log.String(), c.says) {
				t.Errorf("exit code %d, %+v", code, report)
			}
			if requested := len(o.once(t)); requested > 7 {
				t.Errorf("%d were requested", requested)
			}
		})
	}
}
