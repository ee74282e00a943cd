package jobs_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/repair"
)

// slowSite is a site whose read-modify-write pauses between reading and writing
// until it is released.
type slowSite struct {
	*demo.Site
	passing
	read, write chan struct{}
}

func newSlowSite(b *bench) *slowSite {
	options, err := redis.ParseURL(b.redisURL)
	if err != nil {
		b.t.Fatal(err)
	}
	client := redis.NewClient(options)
	b.t.Cleanup(func() { _ = client.Close() })
	s := &slowSite{Site: demo.NewSite(demo.SiteConfig{Redis: client}), read: make(chan struct{}), write: make(chan struct{})}
	client.AddHook(s)
	return s
}

// begin has the site read a session to merge these members into it; what it
// returns has it write, and waits for that.
func (s *slowSite) begin(update string) (end func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/api/webhook-status/"+session, strings.NewReader(update)))
	}()
	<-s.read
	return func() { s.write <- struct{}{}; <-done }
}

// ProcessHook holds a SET up.
func (s *slowSite) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "set" {
			s.read <- struct{}{}
			<-s.write
		}
		return next(ctx, cmd)
	}
}

// polled is a SuperDuperAI that calls at when a file is requested.
type polled struct {
	jobs.Generator
	at func(point string)
}

func (p polled) File(ctx context.Context, id string) (store.File, error) {
	p.at("polled")
	return p.Generator.File(ctx, id)
}

// race is one repair in parallel with one update by the site.
type race struct {
	*bench
	action       store.Action
	deliver      string // of a fix
	from, to     string // at which points the site reads and writes
	update       string // what it merges
	threeKey     bool
	site         *slowSite
	reached      []string
	end          func() // has the site write
	job          repair.Job
	says, hidden bool // session: says what the repair came to; webhook: does not
}

// at releases the site at its points.
func (r *race) at(point string) {
	if slices.Contains(r.reached, point) {
		return // only once
	}
	r.reached = append(r.reached, point)
	if point == r.from {
		r.end = r.site.begin(r.update)
	}
	if point == r.to && r.end != nil {
		r.end()
		r.end = nil
	}
}

const (
	beforeIt = "2026-03-04T10:00:00.000Z"
	ready    = "6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0013"
)

// run executes the repair.
func (r *race) run() {
	r.t.Helper()
	r.orphan()
	if r.threeKey {
		r.set("prompt:"+session, `{"prompt":"A fox","timestamp":"`+beforeIt+`"}`)
		r.set("session:"+session, `{"timestamp":"`+beforeIt+`"}`)
	} else {
		r.client.Del(r.t.Context(), "prompt:"+session)
		r.set("session:"+session, `{"prompt":"A fox","status":"pending","createdAt":"`+beforeIt+`","timestamp":"`+beforeIt+`"}`)
	}
	if r.deliver != "" { // it was seen finished, and the session was reset since
		if err := r.config().Files.Save(r.t.Context(), store.FileRef{Session: session, Created: time.Now(), FileID: r.deliver}, store.FileCompleted); err != nil {
			r.t.Fatal(err)
		}
	}
	x := r.examined()
	x.SiteLayout = store.LayoutOneKey
	id := r.planned(r.action, x)
	r.at("planned")
	answer, err := r.ledger.Claim(r.t.Context(), id, "", store.Actor{ID: "U2"}, time.Now())
	if err != nil || answer.Verdict != repair.Claimed {
		r.t.Fatalf("%s, %v", answer.Verdict, err)
	}
	cfg := r.config()
	cfg.OnStep, cfg.Timings.Poll = r.at, time.Millisecond
	cfg.Generator = polled{cfg.Generator, r.at}
	if err := jobs.New(cfg).Execute(r.t.Context(), id); err != nil {
		r.t.Fatal(err)
	}
	if r.end != nil {
		r.t.Fatalf("the site did not write: %v was reached", r.reached)
	}
	if r.job, err = r.ledger.LoadJob(r.t.Context(), id); err != nil {
		r.t.Fatal(err)
	}
	r.says = r.saysIt("session:")
	r.hidden = r.threeKey && !r.saysIt("webhook:")
}

// saysIt reports whether a key holds the outcome of a repair that is done.
func (r *race) saysIt(prefix string) bool {
	got := r.value(prefix + session)
	switch {
	case r.action == store.ActionFix && r.deliver == "":
		return got["status"] == "error" && got["error"] == "sorry"
	case r.action == store.ActionFix:
		return got["status"] == "completed" && got["fileId"] == r.deliver && got["error"] == nil
	}
	return r.job.FileID != "" && got["status"] == "completed" && got["fileId"] == r.job.FileID && got["error"] == nil
}

// judge compares the job's outcome with the site's key.
func (r *race) judge() (fault string) {
	held := r.value("session:" + session)
	var written map[string]any
	if err := json.Unmarshal([]byte(r.update), &written); err != nil {
		r.t.Fatal(err)
	}
	for name, value := range written {
		if held[name] != value {
			return fmt.Sprintf("the site's %s is lost", name)
		}
	}
	switch done := r.job.Outcome == store.OutcomeDone; {
	case done != r.says, done && r.hidden:
		return "done is what does not stand, or the reverse"
	case done || r.job.Outcome == store.OutcomeRefused && r.job.Cause == repair.CauseChanged:
		return ""
	case r.job.Outcome != store.OutcomeFailed || r.job.Cause != repair.CauseOverwritten || !r.job.Overwritten:
		return "it is not reported as overwritten"
	}
	x := r.examined()
	x.SiteLayout, x.Site = store.LayoutOneKey, &store.Site{Found: true}
	x.Site.Status, _ = held["status"].(string) // without one it says nothing
	x.Site.FileID, _ = held["fileId"].(string)
	d := diagnosis.Diagnose(x.Evidence, time.Now().Add(time.Hour), limits)
	made := r.action == store.ActionGenerate && r.job.FileID != "" && (d.Allows(store.ActionFix) || x.Site.Sees(r.job.FileID)) // fix shows it
	theirs := r.action == store.ActionFix && held["status"] == "error"                                                         // of the site's own, which the customer sees
	if !d.Allows(r.action) && !made && !theirs {
		return fmt.Sprintf("it is not offered again: %s (%s), %v", d.Verdict, d.Reason, d.Allowed)
	}
	return ""
}

// TestSiteOverwritesLate: a hundred rounds of the site's read-modify-write in
// parallel with every repair. Nothing that the site wrote is lost, what it
// overwrote is reported, and only what was kept is called done.
func TestSiteOverwritesLate(t *testing.T) {
	t.Parallel()
	fix := []string{"planned", "checked", "written"}
	generate := []string{"planned", "checked", "written", "sending", "answered", "sent", "filed", "polled", "finished"}
	for _, c := range []struct {
		name    string
		action  store.Action
		deliver string
		points  []string
	}{
		{"marked as error", store.ActionFix, "", fix},
		{"delivered", store.ActionFix, ready, fix},
		{"generated", store.ActionGenerate, "", generate},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, false)
			site, outcomes := newSlowSite(b), map[store.Outcome]int{}
			var turns [][2]string // when the site reads, and when it writes
			for i, from := range c.points {
				for _, to := range c.points[i:] {
					turns = append(turns, [2]string{from, to})
				}
			}
			updates := []string{
				`{"cancelUrl":"https://example.com"}`,
				`{"status":"processing","fileId":"theirs","timestamp":"` + beforeIt + `"}`,
				`{"status":"error","error":"429","timestamp":"` + time.Now().Add(time.Minute).UTC().Format(time.RFC3339) + `"}`,
			}
			for round := range max(100, 2*len(updates)*len(turns)) {
				turn := turns[round/2/len(updates)%len(turns)]
				r := &race{bench: b, site: site, action: c.action, deliver: c.deliver, from: turn[0], to: turn[1],
					update: updates[round/2%len(updates)], threeKey: round%2 == 1}
				r.run()
				outcomes[r.job.Outcome]++
				if fault := r.judge(); fault != "" {
					t.Errorf("round %d, read when %s, written when %s, %s, three-key %v: %s: %s (%s), overwritten %v, session: %v, webhook: %v", round, r.from, r.to, r.update, r.threeKey,
						fault, r.job.Outcome, r.job.Cause, r.job.Overwritten, b.value("session:"+session), b.value("webhook:"+session))
				}
			}
			if len(outcomes) != 3 { // done, refused and failed
				t.Errorf("not all was tried: %v", outcomes)
			}
		})
	}
}
