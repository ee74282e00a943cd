package jobs_test

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// TestOutcomes: whatever SuperDuperAI and other writers do, the job has an outcome,
// and the session says so.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	status := func(code int, body string) func(*bench, *jobs.Config) {
		return func(b *bench, _ *jobs.Config) {
			b.files.BreakFor("generate-video", demo.Fault{Status: code, Body: body})
		}
	}
	for _, c := range []struct {
		name    string
		action  store.Action
		before  func(*bench, *jobs.Config)
		outcome store.Outcome
		cause   repair.Cause
		status  any // of webhook:
		started int
	}{
		{"made", store.ActionGenerate, nil, store.OutcomeDone, "", "completed", 1},
		{"fixed", store.ActionFix, nil, store.OutcomeDone, "", "error", 0},
		{"no token", store.ActionGenerate, func(_ *bench, cfg *jobs.Config) { cfg.Token = false }, store.OutcomeRefused, repair.CauseNoToken, nil, 0},
		{"the webhook came", store.ActionGenerate, func(b *bench, _ *jobs.Config) {
			b.set("webhook:"+session, `{"status":"processing","fileId":"f","timestamp":"`+time.Now().UTC().Format(time.RFC3339)+`"}`)
		}, store.OutcomeRefused, repair.CauseChanged, "processing", 0},
		{"another prompt", store.ActionGenerate, func(b *bench, _ *jobs.Config) { b.set("prompt:"+session, `{"prompt":"A hen"}`) },
			store.OutcomeRefused, repair.CauseChanged, nil, 0},
		{"another prompt after the claim", store.ActionGenerate, func(b *bench, cfg *jobs.Config) {
			cfg.OnStep = func(step string) {
				if step == string(repair.StepWritten) {
					b.set("prompt:"+session, `{"prompt":"A hen"}`)
				}
			}
		}, store.OutcomeFailed, repair.CauseChanged, "error", 0},
		{"401", store.ActionGenerate, status(401, `{"detail":"no"}`), store.OutcomeFailed, repair.CauseUnauthorised, "error", 0},
		{"402", store.ActionGenerate, status(402, `{"detail":"no balance"}`), store.OutcomeFailed, repair.CauseBalance, "error", 0},
		{"403", store.ActionGenerate, status(403, `{"detail":"VIP only"}`), store.OutcomeFailed, repair.CauseForbidden, "error", 0},
		{"422", store.ActionGenerate, status(422, `{"detail":[{"loc":["body","config","duration"],"msg":"too long"}]}`), store.OutcomeFailed, repair.CauseRejected, "error", 0},
		{"429", store.ActionGenerate, status(429, `{}`), store.OutcomeFailed, repair.CauseRateLimited, "error", 0},
		{"500", store.ActionGenerate, status(500, `{}`), store.OutcomeFailed, repair.CauseServerFault, "error", 0},
		{"a gateway without an answer", store.ActionGenerate, status(524, `<html>`), store.OutcomeUnclear, repair.CauseNoAnswer, "processing", 0},
		{"the answer is cut off", store.ActionGenerate, func(b *bench, _ *jobs.Config) {
			b.files.BreakFor("generate-video", demo.Fault{Cut: true, Late: true})
		}, store.OutcomeUnclear, repair.CauseNoAnswer, "processing", 1},
		{"too long", store.ActionGenerate, func(_ *bench, cfg *jobs.Config) {
			cfg.GiveUp = 0
			cfg.Generator = never{cfg.Generator}
		}, store.OutcomeGaveUp, repair.CauseTooLong, "processing", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, false)
			id, cfg := b.claimed(c.action), b.config()
			if c.before != nil {
				c.before(b, &cfg)
			}
			job := b.ended(id, cfg)
			if job.Outcome != c.outcome || job.Cause != c.cause {
				t.Errorf("%s because of %q %q, want %s because of %q", job.Outcome, job.Cause, job.Detail, c.outcome, c.cause)
			}
			if got := b.value("webhook:" + session)["status"]; got != c.status {
				t.Errorf("the webhook's status is %v, want %v", got, c.status)
			}
			if n := b.files.Started(); n != c.started {
				t.Errorf("%d started, want %d", n, c.started)
			}
		})
	}
}

// never is a SuperDuperAI that never finishes a file.
type never struct{ jobs.Generator }

func (never) File(context.Context, string) (store.File, error) {
	return store.File{State: store.FileInProgress}, nil
}

// TestKilled: killed at any step, the job is resumed elsewhere, and nothing is
// started twice. Between request and answer its outcome is unclear.
func TestKilled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		at      string
		action  store.Action
		cluster bool
		outcome store.Outcome
		status  any // of webhook:
		started int
	}{
		{at: "checked", action: store.ActionGenerate, outcome: store.OutcomeDone, status: "completed", started: 1},
		{at: "written", action: store.ActionGenerate, cluster: true, outcome: store.OutcomeDone, status: "completed", started: 1},
		{at: "sending", action: store.ActionGenerate, outcome: store.OutcomeUnclear, status: "processing", started: 0},
		{at: "answered", action: store.ActionGenerate, outcome: store.OutcomeUnclear, status: "processing", started: 1},
		{at: "sent", action: store.ActionGenerate, cluster: true, outcome: store.OutcomeDone, status: "completed", started: 1},
		{at: "filed", action: store.ActionGenerate, outcome: store.OutcomeDone, status: "completed", started: 1},
		{at: "finished", action: store.ActionGenerate, outcome: store.OutcomeDone, status: "completed", started: 1},
		{at: "finisheddone", action: store.ActionGenerate, outcome: store.OutcomeDone, status: "completed", started: 1},
		{at: "checked", action: store.ActionFix, outcome: store.OutcomeDone, status: "error"},
		{at: "written", action: store.ActionFix, outcome: store.OutcomeDone, status: "error"},
		{at: "finisheddone", action: store.ActionFix, outcome: store.OutcomeDone, status: "error"},
	} {
		t.Run(string(c.action)+" "+c.at, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, c.cluster)
			id := b.claimed(c.action)
			b.killedAt(c.at, 1)
			b.leaseEnds(id)
			job := b.ended(id, b.config())
			if job.Outcome != c.outcome || b.files.Started() != c.started {
				t.Errorf("%s (%s) with %d started, want %s with %d", job.Outcome, job.Cause, b.files.Started(), c.outcome, c.started)
			}
			if got := b.value("webhook:" + session)["status"]; got != c.status {
				t.Errorf("the webhook's status is %v, want %v", got, c.status)
			}
			if c.outcome == store.OutcomeUnclear {
				b.settled(id)
			}
		})
	}
}

// killedAt runs a process that executes jobs until it is killed at a step, when that
// is recorded for the nth time.
func (b *bench) killedAt(step string, nth int) {
	b.t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestChild$")
	child.Env = append(os.Environ(), "JOBS_CHILD="+step, "JOBS_NTH="+strconv.Itoa(nth), "JOBS_REDIS="+b.redisURL, "JOBS_API="+b.apiURL)
	out, err := child.CombinedOutput()
	if status, ok := child.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		b.t.Fatalf("the child was not killed: %v\n%s", err, out)
	}
}

// settled: a person found that nothing was generated.
func (b *bench) settled(id string) {
	b.t.Helper()
	if _, err := b.ledger.Settle(b.t.Context(), id, repair.Settlement{By: store.Actor{ID: "U3"}, FileID: "", At: time.Now()}); err != nil {
		b.t.Fatal(err)
	}
	before := b.files.Started()
	job := b.ended(id, b.config())
	if job.Outcome != store.OutcomeFailed || job.Cause != repair.CauseNotMade || b.files.Started() != before {
		b.t.Errorf("settled, it is %s because of %q, %d started", job.Outcome, job.Cause, b.files.Started()-before)
	}
	if got := b.value("webhook:" + session)["status"]; got != "error" {
		b.t.Errorf("settled, the webhook's status is %v", got)
	}
}

// TestChild is the process that killedAt kills.
func TestChild(t *testing.T) {
	t.Parallel()
	at := os.Getenv("JOBS_CHILD")
	if at == "" {
		return
	}
	product, ledger := opened(t, os.Getenv("JOBS_REDIS"))
	cfg := config(product, ledger, os.Getenv("JOBS_API"))
	nth, err := strconv.ParseInt(os.Getenv("JOBS_NTH"), 10, 64)
	testenv.Must(t, err)
	var n atomic.Int64
	cfg.OnStep = func(step string) {
		if step == at && n.Add(1) == nth {
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
