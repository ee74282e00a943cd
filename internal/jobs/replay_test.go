package jobs_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/superduper"
)

func answering(status int, header ...string) func(*replays, *jobs.Config) {
	return func(s *replays, _ *jobs.Config) {
		s.around = func(_ http.Handler, w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
		}
	}
}

// TestReplayOutcomes: whatever the site does, the job has an outcome, the site gets
// the event once at most, and nothing but the site writes the session.
func TestReplayOutcomes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		before  func(*replays, *jobs.Config)
		outcome store.Outcome
		cause   repair.Cause
		status  string // of the session
		posts   int32
		started int
	}{
		{"made", nil, store.OutcomeDone, "", "processing", 1, 1},
		{"no secret", func(_ *replays, cfg *jobs.Config) { cfg.Webhook = nil }, store.OutcomeRefused, repair.CauseNoSecret, "pending", 0, 0},
		{"no key", func(_ *replays, cfg *jobs.Config) { cfg.Events = nil }, store.OutcomeRefused, repair.CauseNoStripeKey, "pending", 0, 0},
		{"the webhook came", func(s *replays, _ *jobs.Config) {
			s.set("session:"+session, `{"prompt":"A fox","status":"processing","fileId":"`+somebodys+`","timestamp":"`+time.Now().UTC().Format(time.RFC3339)+`"}`)
		}, store.OutcomeRefused, repair.CauseChanged, "processing", 0, 0},
		{"another event", func(s *replays, _ *jobs.Config) {
			s.stripe.Put(demo.CheckoutSession{ID: session, Status: "complete", PaymentStatus: "paid", Amount: 100, Currency: "usd", Created: time.Now().Add(-time.Hour), Event: store.EventNone})
		}, store.OutcomeRefused, repair.CauseChanged, "pending", 0, 0},
		{"another secret", func(s *replays, _ *jobs.Config) { s.site.Secret = "whsec_other" }, store.OutcomeFailed, repair.CauseSignature, "pending", 1, 0},
		{"another time", answering(400, "Date", time.Now().Add(-6*time.Minute).UTC().Format(http.TimeFormat)), store.OutcomeFailed, repair.CauseClock, "pending", 1, 0},
		{"a redirect", answering(307, "Location", "/elsewhere"), store.OutcomeFailed, repair.CauseBlocked, "pending", 1, 0},
		{"401", answering(401), store.OutcomeFailed, repair.CauseBlocked, "pending", 1, 0},
		{"403", answering(403), store.OutcomeFailed, repair.CauseBlocked, "pending", 1, 0},
		{"404", answering(404), store.OutcomeFailed, repair.CauseNoWebhook, "pending", 1, 0},
		{"405", answering(405), store.OutcomeFailed, repair.CauseBlocked, "pending", 1, 0},
		{"429", answering(429), store.OutcomeFailed, repair.CauseBlocked, "pending", 1, 0},
		{"200, and nothing written", answering(200), store.OutcomeFailed, repair.CauseIgnored, "pending", 1, 0},
		{"200, and an error written", func(s *replays, _ *jobs.Config) {
			s.files.BreakFor("generate-video", demo.Fault{Status: 429, Body: "later"})
		}, store.OutcomeFailed, repair.CauseSiteFailed, "error", 1, 0},
		{"503", func(s *replays, cfg *jobs.Config) { cfg.GiveUp = 0; answering(503)(s, cfg) }, store.OutcomeUnclear, repair.CauseNoAnswer, "pending", 1, 0},
		{"no answer for long", func(s *replays, cfg *jobs.Config) { cfg.Timings.Unanswered = time.Millisecond; answering(504)(s, cfg) },
			store.OutcomeUnclear, repair.CauseNoAnswer, "pending", 1, 0},
		{"500, although it was started", func(s *replays, _ *jobs.Config) {
			s.around = func(site http.Handler, w http.ResponseWriter, r *http.Request) {
				site.ServeHTTP(nowhere{}, r)
				w.WriteHeader(http.StatusInternalServerError)
			}
		}, store.OutcomeDone, "", "processing", 1, 1},
		{"no answer, although it was started", func(s *replays, _ *jobs.Config) {
			s.around = func(site http.Handler, _ http.ResponseWriter, r *http.Request) {
				site.ServeHTTP(nowhere{}, r)
				panic(http.ErrAbortHandler)
			}
		}, store.OutcomeDone, "", "processing", 1, 1},
		{"unreachable", func(s *replays, cfg *jobs.Config) {
			cfg.Webhook = superduper.New(superduper.Config{WebhookURL: "http://127.0.0.1:1", WebhookSecret: webhookSecret})
		}, store.OutcomeFailed, repair.CauseUnreachable, "pending", 0, 0},
		{"it fails to be made", func(s *replays, cfg *jobs.Config) { cfg.Generator = broken{cfg.Generator} }, store.OutcomeFailed, repair.CauseFileFailed, "processing", 1, 1},
		{"no token to follow it", func(_ *replays, cfg *jobs.Config) { cfg.Token = false }, store.OutcomeGaveUp, repair.CauseNoToken, "processing", 1, 1},
		{"too long", func(_ *replays, cfg *jobs.Config) { cfg.GiveUp, cfg.Generator = 0, never{cfg.Generator} }, store.OutcomeGaveUp, repair.CauseTooLong, "processing", 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newReplays(t, false)
			id, cfg := s.claimed(), s.config()
			if c.before != nil {
				c.before(s, &cfg)
			}
			job := s.ended(id, cfg)
			if job.Outcome != c.outcome || job.Cause != c.cause || s.posts.Load() != c.posts || s.files.Started() != c.started {
				t.Errorf("%s because of %q %q with %d sent and %d started, want %s because of %q with %d and %d", job.Outcome, job.Cause, job.Detail,
					s.posts.Load(), s.files.Started(), c.outcome, c.cause, c.posts, c.started)
			}
			held := s.value("session:" + session)
			if held["status"] != c.status || held["prompt"] != "A fox" {
				t.Errorf("session: holds %v, want the status %s", held, c.status)
			}
			if c.started == 1 && held["fileId"] != job.FileID {
				t.Errorf("the job follows %q, the session names %v", job.FileID, held["fileId"])
			}
		})
	}
}

// nowhere discards an answer.
type nowhere struct{}

func (nowhere) Header() http.Header            { return http.Header{} }
func (nowhere) Write(body []byte) (int, error) { return len(body), nil }
func (nowhere) WriteHeader(int)                {}

// broken is a SuperDuperAI that makes no file.
type broken struct{ jobs.Generator }

func (broken) File(context.Context, string) (store.File, error) {
	return store.File{State: store.FileFailed}, nil
}

// TestReplayRemembered: a later plan includes the video, and an event without an effect on
// the session.
func TestReplayRemembered(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		before func(*replays, *jobs.Config)
		risk   string
	}{
		{"it failed to be made", func(_ *replays, cfg *jobs.Config) { cfg.Generator = broken{cfg.Generator} }, "A video was started for this payment before"},
		{"nothing was written", answering(200), "The event was replayed before"},
		{"the site timed out", func(s *replays, _ *jobs.Config) { s.site.Client = &http.Client{Transport: tooLate{}} }, "The site's own request"},
		{"it was refused", answering(403), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newReplays(t, false)
			id, cfg := s.claimed(), s.config()
			c.before(s, &cfg)
			if job := s.ended(id, cfg); job.Outcome != store.OutcomeFailed {
				t.Fatalf("%s (%s)", job.Outcome, job.Cause)
			}
			for name, value := range s.value("session:" + session) {
				if file, ok := value.(string); ok && name == "fileId" {
					s.files.Put(file, store.FileFailed)
				}
			}
			p, err := repair.MakePlan(store.ActionGenerate, s.examined(), store.Actor{ID: "U1"}, repair.PlanOptions{TTL: time.Hour}, time.Now())
			if err != nil || (p.Risk == "") != (c.risk == "") || !strings.HasPrefix(p.Risk, c.risk) {
				t.Errorf("the next plan needs a second press for %q, want %q: %v", p.Risk, c.risk, err)
			}
		})
	}
}

// TestReplaySettled: a person records the outcome of an event whose fate is not known;
// the job itself never sends it again, and writes nothing.
func TestReplaySettled(t *testing.T) {
	t.Parallel()
	for _, made := range []bool{true, false} {
		s := newReplays(t, false)
		id, cfg := s.claimed(), s.config()
		cfg.GiveUp = 0
		answering(504)(s, &cfg)
		if job := s.ended(id, cfg); job.Outcome != store.OutcomeUnclear {
			t.Fatalf("%s (%s)", job.Outcome, job.Cause)
		}
		if x := s.examined(); x.Verdict != diagnosis.VerdictUnclear {
			t.Errorf("it is %s: %s", x.Verdict, x.Reason)
		}
		file, outcome, cause := "", store.OutcomeFailed, repair.CauseNotMade
		if made {
			file, cause = somebodys, repair.CauseOverwritten
			s.files.Put(file, store.FileCompleted)
		}
		before := s.value("session:" + session)
		if _, err := s.ledger.Settle(t.Context(), id, repair.Settlement{By: store.Actor{ID: "U3"}, FileID: file, At: time.Now()}); err != nil {
			t.Fatal(err)
		}
		job := s.ended(id, s.config())
		if job.Outcome != outcome || job.Cause != cause || job.FileID != file || s.posts.Load() != 1 {
			t.Errorf("settled with %q it is %s because of %q, %d sent", file, job.Outcome, job.Cause, s.posts.Load())
		}
		if now := s.value("session:" + session); now["status"] != before["status"] || now["timestamp"] != before["timestamp"] {
			t.Errorf("the session became %v", now)
		}
		if x := s.examined(); made != (x.Deliver == file && file != "") {
			t.Errorf("settled with %q it is %s, and fix shows %q", file, x.Verdict, x.Deliver)
		}
	}
}

// TestReplayAndStripe: Stripe's own delivery comes while our event's video is made.
func TestReplayAndStripe(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault   *demo.Fault
		outcome store.Outcome
		cause   repair.Cause
	}{
		"it starts another":            {nil, store.OutcomeDone, ""},
		"it fails and hides the first": {&demo.Fault{Status: 429, Body: "later"}, store.OutcomeFailed, repair.CauseOverwritten},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newReplays(t, false)
			id, cfg := s.claimed(), s.config()
			cfg.OnStep = func(step string) {
				if step != "filed" {
					return
				}
				if c.fault != nil {
					s.files.BreakFor("generate-video", *c.fault)
				}
				unsigned := s.site
				unsigned.Secret = ""
				(&shop{bench: s.bench}).post(unsigned, "payment_intent.succeeded", "pi_job9")
				s.files.Heal()
			}
			job := s.ended(id, cfg)
			if job.Outcome != c.outcome || job.Cause != c.cause || !job.Overwritten || s.posts.Load() != 1 {
				t.Errorf("%s because of %q, overwritten %v, %d sent", job.Outcome, job.Cause, job.Overwritten, s.posts.Load())
			}
			if x := s.examined(); c.fault != nil && (x.Verdict != diagnosis.VerdictUndelivered || x.Deliver != job.FileID) {
				t.Errorf("it is %s, and fix shows %q", x.Verdict, x.Deliver)
			}
		})
	}
}

// errStripe is a Stripe that does not give the event.
type errStripe struct{ err error }

func (s errStripe) RawEvent(context.Context, string, string) ([]byte, error) { return nil, s.err }

// TestReplayWithoutEvent: an event that Stripe does not hold ends the job, one that it may
// return later does not.
func TestReplayWithoutEvent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err   error
		cause repair.Cause
	}{
		{store.ErrNoEvent, repair.CauseNoEvent}, {store.StripeForbidden, repair.CauseNoStripeKey}, {store.StripeKeyRefused, repair.CauseNoStripeKey},
		{store.StripeWrongMode, repair.CauseNoStripeKey}, {store.StripeNoAnswer, ""},
	} {
		s := newReplays(t, false)
		id, cfg := s.claimed(), s.config()
		cfg.Events = errStripe{c.err}
		err := jobs.New(cfg).Execute(t.Context(), id)
		job, loadErr := s.ledger.LoadJob(t.Context(), id)
		if loadErr != nil || job.Cause != c.cause || (job.Outcome == "") != (c.cause == "") || errors.Is(err, c.err) != (c.cause == "") {
			t.Errorf("%v: %s because of %q, %v", c.err, job.Outcome, job.Cause, errors.Join(err, loadErr))
		}
		s.sentOnce(false)
	}
}
