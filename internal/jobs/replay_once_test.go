package jobs_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/repair"
)

// child starts a process that executes jobs and kills itself at a step.
func (s *replays) child(at string) *exec.Cmd {
	child := exec.Command(os.Args[0], "-test.run=^TestReplayChild$")
	child.Env = append(os.Environ(), "REPLAY_CHILD="+at, "JOBS_REDIS="+s.redisURL, "JOBS_API="+s.env.api, "JOBS_STRIPE="+s.env.stripe, "JOBS_SITE="+s.env.site)
	return child
}

// TestReplayChild is the process that the tests below kill.
func TestReplayChild(t *testing.T) {
	t.Parallel()
	at := os.Getenv("REPLAY_CHILD")
	if at == "" {
		return
	}
	product, ledger := opened(t, os.Getenv("JOBS_REDIS"))
	cfg := replayConfig(product, ledger, services{os.Getenv("JOBS_API"), os.Getenv("JOBS_STRIPE"), os.Getenv("JOBS_SITE")})
	cfg.OnStep = func(step string) {
		if step == at {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // nothing comes after it
			select {}
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), testenv.Patience)
	defer cancel()
	if err := jobs.New(cfg).Run(ctx); err != nil {
		t.Fatal(err)
	}
}

// TestReplayKilled: killed at any step, the job is resumed elsewhere, and the event is
// never sent twice. Between request and answer the session says whether it arrived.
func TestReplayKilled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		at      string
		cluster bool
		outcome store.Outcome
		posts   int32
	}{
		{"checked", false, store.OutcomeDone, 1},
		{"sending", true, store.OutcomeUnclear, 0},
		{"answered", false, store.OutcomeDone, 1},
		{"sent", true, store.OutcomeDone, 1},
		{"filed", false, store.OutcomeDone, 1},
		{"fileddone", false, store.OutcomeDone, 1},
	} {
		t.Run(c.at, func(t *testing.T) {
			t.Parallel()
			s := newReplays(t, c.cluster)
			id := s.claimed()
			child := s.child(c.at)
			out, err := child.CombinedOutput()
			if status, ok := child.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
				t.Fatalf("the child was not killed: %v\n%s", err, out)
			}
			s.leaseEnds(id)
			cfg := s.config()
			cfg.GiveUp = time.Second
			job := s.ended(id, cfg)
			if job.Outcome != c.outcome || s.posts.Load() != c.posts {
				t.Errorf("%s (%s) with %d sent, want %s with %d", job.Outcome, job.Cause, s.posts.Load(), c.outcome, c.posts)
			}
		})
	}
}

// TestReplayTwoReplicas: two replicas race for two plans of one session, and the event
// is sent once.
func TestReplayTwoReplicas(t *testing.T) {
	t.Parallel()
	s := newReplays(t, false)
	replicas := [2]*jobs.Runner{jobs.New(s.config()), jobs.New(s.config())}
	for round := range 50 {
		s.ordered()
		x := s.examined()
		plans := []string{s.planned(store.ActionReplay, x), s.planned(store.ActionReplay, x)}
		if round%2 == 1 { // a generation competes
			plans[1] = s.planned(store.ActionGenerate, x)
		}
		var race sync.WaitGroup
		for i, replica := range replicas {
			race.Go(func() {
				if _, err := s.ledger.Claim(t.Context(), plans[i], "", store.Actor{ID: "U2"}, time.Now()); err != nil {
					t.Error(err)
				}
				s.executeAll(replica)
			})
		}
		race.Wait()
		s.executeAll(replicas[0]) // what the two took from each other
		if n := s.files.Started(); n != round+1 {
			t.Fatalf("round %d: %d started", round, n)
		}
		if outcomes := s.outcomes(plans); slices.Index(outcomes, store.OutcomeDone) < 0 || slices.Equal(outcomes, []store.Outcome{store.OutcomeDone, store.OutcomeDone}) {
			t.Fatalf("round %d: %q", round, outcomes)
		}
	}
}

// TestReplaySuspended: a process that was suspended before its request does not send
// it once another one has the job.
func TestReplaySuspended(t *testing.T) {
	t.Parallel()
	s := newReplays(t, false)
	id, cfg := s.claimed(), s.config()
	var still atomic.Bool
	cfg.Now = func() time.Time {
		if still.Load() {
			return time.Now().Add(lease.Job.Life)
		}
		return time.Now()
	}
	other := s.config()
	other.GiveUp = 0
	cfg.OnStep = func(step string) {
		if step == "sending" && still.CompareAndSwap(false, true) {
			s.leaseEnds(id)
			if err := jobs.New(other).Execute(t.Context(), id); err != nil {
				t.Error(err)
			}
		}
	}
	if err := jobs.New(cfg).Execute(t.Context(), id); !errors.Is(err, lease.ErrLost) {
		t.Errorf("it ended with %v", err)
	}
	job, err := s.ledger.LoadJob(t.Context(), id)
	if err != nil || job.Outcome != store.OutcomeUnclear || s.posts.Load() != 0 {
		t.Errorf("%s with %d sent: %v", job.Outcome, s.posts.Load(), err)
	}
}

// TestReplayReadsOnceMore: what the site writes while the event is about to be sent
// keeps it from being sent.
func TestReplayReadsOnceMore(t *testing.T) {
	t.Parallel()
	for _, held := range []string{
		`{"prompt":"A fox","status":"processing","fileId":"` + somebodys + `"}`,
		`{"prompt":"A fox","status":"error","error":"later"}`,
	} {
		s := newReplays(t, false)
		id, cfg := s.claimed(), s.config()
		cfg.OnStep = func(step string) {
			if step == "sending" {
				s.set("session:"+session, held)
			}
		}
		job := s.ended(id, cfg)
		if job.Outcome != store.OutcomeRefused || job.Cause != repair.CauseChanged || s.posts.Load() != 0 {
			t.Errorf("%s: %s because of %q %q with %d sent", held, job.Outcome, job.Cause, job.Detail, s.posts.Load())
		}
	}
	s := newReplays(t, false)
	id, cfg := s.claimed(), s.config()
	var once sync.Once
	cfg.OnStep = func(step string) {
		if step == "sending" { // of no consequence
			once.Do(func() { s.set("session:"+session, `{"prompt":"A fox","status":"pending","style":"other"}`) })
		}
	}
	if job := s.ended(id, cfg); job.Outcome != store.OutcomeDone {
		t.Errorf("%s because of %q %q", job.Outcome, job.Cause, job.Detail)
	}
	s.sentOnce(true)
}

// TestAtMostOneReplay: stopped anywhere, resumed by any process, with a site that
// answers anything, an approved plan sends one event at most, and has an outcome.
func TestAtMostOneReplay(t *testing.T) {
	t.Parallel()
	s := newReplays(t, false)
	steps := []string{"checked", "sending", "answered", "sent", "filed", "none"}
	answers := []func(site http.Handler, w http.ResponseWriter, r *http.Request){
		nil,
		func(_ http.Handler, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) },
		func(_ http.Handler, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		func(_ http.Handler, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		func(http.Handler, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		func(site http.Handler, _ http.ResponseWriter, r *http.Request) {
			site.ServeHTTP(nowhere{}, r)
			panic(http.ErrAbortHandler)
		},
	}
	for round := range 60 {
		s.ordered()
		s.posts.Store(0)
		s.around = answers[rand.IntN(len(answers))]
		id := s.claimed()
		cfg := s.config()
		cfg.GiveUp, cfg.Timings.SiteWrite = 10*time.Millisecond, 10*time.Millisecond
		var at []string
		for range rand.IntN(4) { // executions that stop, as a process does on SIGTERM
			step := steps[rand.IntN(len(steps))]
			at = append(at, step)
			ctx, stop := context.WithCancel(t.Context())
			stopped := cfg
			stopped.OnStep = func(now string) {
				if now == step {
					stop()
				}
			}
			_ = jobs.New(stopped).Execute(ctx, id) // it was interrupted, or is over
			stop()
			s.leaseEnds(id)
		}
		job := s.ended(id, cfg)
		if n := s.posts.Load(); n > 1 || job.Outcome == "" {
			t.Fatalf("round %d, stopped at %q: %s (%s) with %d sent", round, at, job.Outcome, job.Cause, n)
		}
		if job.Outcome == store.OutcomeDone != (s.value("session:" + session)["fileId"] != nil) {
			t.Fatalf("round %d, stopped at %q: %s (%s), and the session holds %v", round, at, job.Outcome, job.Cause, s.value("session:"+session))
		}
	}
}

// TestReplayResumedTooLate: a job whose process died before the request, and that is
// resumed long after its approval, sends nothing.
func TestReplayResumedTooLate(t *testing.T) {
	t.Parallel()
	for _, died := range []string{"recorded", "checked"} {
		s := newReplays(t, false)
		id, cfg := s.claimed(), s.config()
		if died != "recorded" {
			ctx, stop := context.WithCancel(t.Context())
			stopped := s.config()
			stopped.OnStep = func(step string) {
				if step == died {
					stop()
				}
			}
			_ = jobs.New(stopped).Execute(ctx, id) // it was interrupted
			stop()
		}
		cfg.Now = func() time.Time { return time.Now().Add(time.Hour) }
		job := s.ended(id, cfg)
		if job.Outcome != store.OutcomeRefused || job.Cause != repair.CauseLate && job.Cause != repair.CauseChanged {
			t.Errorf("%s: %s (%s)", died, job.Outcome, job.Cause)
		}
		if s.posts.Load() != 0 {
			t.Errorf("%s: %d sent", died, s.posts.Load())
		}
	}
}
