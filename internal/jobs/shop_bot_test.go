package jobs_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/internal/payments"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/superduper"
)

func (s *shop) examined() diagnosis.Examination { return s.bot.Examine(s.t.Context(), s.id) }

// repaired plans a repair by the examination, has it approved, with a second press
// where the plan needs one, and executes it.
func (s *shop) repaired(action store.Action) repair.Plan {
	s.t.Helper()
	p, err := repair.MakePlan(action, s.examined(), store.Actor{ID: "U1"}, repair.PlanOptions{TTL: time.Hour, FixText: "sorry", RefundText: "refunded",
		Models: repair.Models{Video: "google-cloud/veo3-text2video", Image: "azure-openai/gpt-image-1"}, Prices: repair.ListPrices}, time.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.ledger.SavePlan(s.t.Context(), p); err != nil {
		s.t.Fatal(err)
	}
	approve := func(press string, at time.Time) repair.ClaimResult {
		answer, err := s.ledger.Claim(s.t.Context(), p.ID, press, store.Actor{ID: "U2"}, at)
		if err != nil {
			s.t.Fatal(err)
		}
		return answer
	}
	answer := approve("", time.Now().Add(-5*time.Second))
	if p.Risk != "" {
		if answer.Verdict != repair.NeedsSecondPress {
			s.t.Fatalf("the first press: %s, although %s", answer.Verdict, p.Risk)
		}
		answer = approve(answer.Press, time.Now())
	}
	if answer.Verdict != repair.Claimed {
		s.t.Fatalf("the last press: %s", answer.Verdict)
	}
	if err := jobs.New(s.cfg).Execute(s.t.Context(), p.ID); err != nil {
		s.t.Fatal(err)
	}
	if job, err := s.ledger.LoadJob(s.t.Context(), p.ID); err != nil || job.Outcome != store.OutcomeDone {
		s.t.Fatalf("%s (%s) %q, %v", job.Outcome, job.Cause, job.Detail, err)
	}
	return p
}

// check repairs, has both events delivered, and compares what was seen with the course
// and against what holds for all of them.
func (s *shop) check(p course, x diagnosis.Examination) {
	s.t.Helper()
	prompt, byBot, risk := x.Session.PromptText(), s.videos.byBot(), ""
	if p.repair != none {
		risk = s.repaired(p.repair).Risk
	}
	repaired, made := s.seen(), s.videos.Started()
	s.deliver()
	delivered := s.seen()
	s.deliverIntent()
	if diff := cmp.Diff(p.seen, strings.Join([]string{repaired, delivered, s.seen()}, " → ")); diff != "" || (risk == "") != (p.risk == "") || !strings.HasPrefix(risk, p.risk) {
		s.t.Errorf("it needs a second press for %q, want %q; the page (-want +got):\n%s", risk, p.risk, diff)
	}
	if n := s.videos.byBot() - byBot; n > 1 || n == 1 != (p.repair == generate) {
		s.t.Errorf("the bot made %d videos", n)
	}
	if known := x.File.State == store.FileCompleted || len(x.Finished) > 0; known && p.repair != none && !strings.HasPrefix(repaired, "video") {
		s.t.Errorf("a finished video is hidden: %s", repaired)
	}
	if now := s.session().PromptText(); now != prompt {
		s.t.Errorf("the prompt %q is %q now", prompt, now)
	}
	more, makes := s.videos.Started() > made, p.repair == generate || p.repair == replay
	if more && x.Session.Layout() == store.LayoutThreeKey {
		s.t.Error("the site found a prompt and started another video")
	}
	if coming := x.Event.State == store.EventFailed && !x.SiteShowsOutcome(); makes && more && coming && risk == "" {
		s.t.Error("the plan does not say that Stripe will still deliver")
	}
	if second := makes && s.videos.Started() > 1; second != (p.why != "") {
		s.t.Errorf("a second video is %t, the reason is %q", second, p.why)
	}
}

// videos is SuperDuperAI, which counts what is generated there and for whom.
type videos struct {
	*demo.SuperDuper
	mu    sync.Mutex
	names map[string]string // by file
	bot   int
}

func (v *videos) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		v.SuperDuper.ServeHTTP(w, r)
		return
	}
	recorder := httptest.NewRecorder()
	v.SuperDuper.ServeHTTP(recorder, r)
	var file struct{ ID string }
	if json.Unmarshal(recorder.Body.Bytes(), &file) == nil && file.ID != "" {
		v.mu.Lock()
		v.names[file.ID] = fmt.Sprint("video ", v.Started())
		if r.Header.Get("Authorization") == "Bearer "+token {
			v.bot++
		}
		v.mu.Unlock()
	}
	w.WriteHeader(recorder.Code)
	_, _ = w.Write(recorder.Body.Bytes()) // who asked has hung up
}

func (v *videos) name(file string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if name, ok := v.names[file]; ok {
		return name
	}
	return "somebody else's video"
}

func (v *videos) byBot() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.bot
}

// bothAPIs answers for Stripe, SuperDuperAI and the site.
type bothAPIs struct {
	*superduper.Client
	stripe *payments.Reader
}

func (a bothAPIs) Payment(ctx context.Context, id string) store.Payment {
	p, err := a.stripe.Payment(ctx, id)
	if err != nil {
		return store.Payment{SessionID: id, State: store.PaymentUnverified, Why: store.StripeFault}
	}
	return p
}

func (a bothAPIs) Event(ctx context.Context, p store.Payment) store.Event {
	e, err := a.stripe.Event(ctx, p)
	if err != nil {
		return store.Event{}
	}
	return e
}
