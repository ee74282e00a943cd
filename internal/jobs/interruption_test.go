package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/sessions"
	"github.com/superduperai/sessionbot/superduper"
)

// TestStoppedDuringRequest: a runner that is stopped during the request waits for
// the answer, and another one continues from there.
func TestStoppedDuringRequest(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	id, cfg := b.claimed(store.ActionGenerate), b.config()
	ctx, stop := context.WithCancel(t.Context())
	cfg.Generator = meanwhile{cfg.Generator, stop}
	if err := jobs.New(cfg).Run(ctx); err != nil {
		t.Fatal(err)
	}
	job, err := b.ledger.LoadJob(t.Context(), id)
	if err != nil || job.Step != repair.StepSent || job.FileID == "" {
		t.Fatalf("stopped after %s with file %q: %v", job.Step, job.FileID, err)
	}
	b.endedWell(id, b.config())
}

// TestLateUpdate: a runner that lost its lease while Slack took an update shows the end
// once more, which that update may have overwritten, and posts no second reply.
func TestLateUpdate(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	id, cfg := b.claimed(store.ActionGenerate), b.config()
	late, shown := true, &notifications{}
	cfg.Notify = func(ctx context.Context, p repair.Progress) error {
		if late { // another process takes over and ends the job meanwhile
			late = false
			b.leaseEnds(id)
			b.endedWell(id, b.config())
		}
		return shown.notify(ctx, p)
	}
	if err := jobs.New(cfg).Execute(t.Context(), id); !errors.Is(err, lease.ErrLost) && !errors.Is(err, context.Canceled) {
		t.Errorf("the lease was lost: %v", err)
	}
	if p := shown.last(); len(shown.list) != 2 || p.Job.Outcome != store.OutcomeDone || p.Reply != repair.ReplyNone {
		t.Errorf("%d shown, the last of them %+v", len(shown.list), p)
	}
}

// meanwhile is a SuperDuperAI that runs a function before it answers.
type meanwhile struct {
	jobs.Generator
	happens func()
}

func (m meanwhile) Generate(ctx context.Context, r superduper.Request) (string, error) {
	m.happens()
	return m.Generator.Generate(ctx, r)
}

// endedWell runs the job to its end, and checks that one video was generated.
func (b *bench) endedWell(id string, cfg jobs.Config) {
	b.t.Helper()
	job := b.ended(id, cfg)
	if job.Outcome != store.OutcomeDone || job.Cause != "" || b.files.Started() != 1 {
		b.t.Errorf("%s (%s) with %d started", job.Outcome, job.Cause, b.files.Started())
	}
	if got := b.value("webhook:" + session); got["status"] != "completed" || got["fileId"] != job.FileID {
		b.t.Errorf("webhook: holds %v, the job's file is %q", got, job.FileID)
	}
}

// TestResumedTooLate: a job whose process died before the request, and that is
// resumed long after its approval, sends none.
func TestResumedTooLate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		died    string
		outcome store.Outcome
		status  any
	}{
		{"recorded", store.OutcomeRefused, nil},
		{"checked", store.OutcomeRefused, nil},
		{"written", store.OutcomeFailed, "error"},
	} {
		t.Run(c.died, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, false)
			id := b.claimed(store.ActionGenerate)
			if c.died != "recorded" {
				b.stoppedAt(id, c.died)
			}
			cfg := b.config()
			cfg.Now = func() time.Time { return time.Now().Add(time.Hour) }
			job := b.ended(id, cfg)
			if job.Outcome != c.outcome || job.Cause != repair.CauseLate || b.files.Started() != 0 {
				t.Errorf("%s (%s) with %d started, want %s", job.Outcome, job.Cause, b.files.Started(), c.outcome)
			}
			if got := b.value("webhook:" + session)["status"]; got != c.status {
				t.Errorf("the webhook's status is %v, want %v", got, c.status)
			}
		})
	}
}

// stoppedAt runs a runner until the step is recorded.
func (b *bench) stoppedAt(id, step string) {
	b.t.Helper()
	ctx, stop := context.WithCancel(b.t.Context())
	defer stop()
	cfg := b.config()
	cfg.OnStep = func(at string) {
		if at == step {
			stop()
		}
	}
	if err := jobs.New(cfg).Run(ctx); err != nil {
		b.t.Fatal(err)
	}
	if job, err := b.ledger.LoadJob(b.t.Context(), id); err != nil || string(job.Step) != step {
		b.t.Fatalf("stopped after %s, want %s: %v", job.Step, step, err)
	}
}

// TestKilledBetweenWriteAndRecord: a claim that a process wrote, and died before it
// recorded that, is recognised as our own.
func TestKilledBetweenWriteAndRecord(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	id := b.claimed(store.ActionGenerate)
	b.stoppedAt(id, "checked")
	job, err := b.ledger.LoadJob(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	s, err := (sessions.Reader{Redis: b.product}).Session(t.Context(), session)
	if err != nil {
		t.Fatal(err)
	}
	w := sessions.Writes(s, sessions.Update{Kind: sessions.UpdateProcessing, At: job.Claimed})[0]
	if _, err := (sessions.Writer{Product: b.product, State: b.product}).Write(t.Context(), w, job.Digests[w.Kind]); err != nil {
		t.Fatal(err)
	}
	b.endedWell(id, b.config())
}

// TestSuspendedProcess: a process that was suspended before its request does not
// send it once another one has the job.
func TestSuspendedProcess(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	id, cfg := b.claimed(store.ActionGenerate), b.config()
	var still atomic.Bool
	cfg.Now = func() time.Time {
		if still.Load() {
			return time.Now().Add(lease.Job.Life)
		}
		return time.Now()
	}
	cfg.OnStep = func(step string) {
		if step == "sending" && still.CompareAndSwap(false, true) {
			b.leaseEnds(id)
			if err := jobs.New(b.config()).Execute(t.Context(), id); err != nil {
				t.Error(err)
			}
		}
	}
	if err := jobs.New(cfg).Execute(t.Context(), id); !errors.Is(err, lease.ErrLost) {
		t.Errorf("it ended with %v", err)
	}
	job, err := b.ledger.LoadJob(t.Context(), id)
	if err != nil || job.Outcome != store.OutcomeUnclear || b.files.Started() != 0 {
		t.Errorf("%s with %d started: %v", job.Outcome, b.files.Started(), err)
	}
}

// TestPanics: a panic fails only its job, which is tried again.
func TestPanics(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	id, cfg := b.claimed(store.ActionGenerate), b.config()
	panicked := false
	cfg.OnStep = func(step string) {
		if step == "filed" && !panicked {
			panicked = true
			panic("A fox")
		}
	}
	var log bytes.Buffer
	cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	b.endedWell(id, cfg)
	if text := log.String(); !strings.Contains(text, "job panicked") || strings.Contains(text, "fox") {
		t.Errorf("the log says %s", text)
	}
}

// TestSiteStartsAsWell: the webhook comes during our request. What the site wrote
// stays, and our generation is followed to its end.
func TestSiteStartsAsWell(t *testing.T) {
	t.Parallel()
	b := newBench(t, true)
	id, cfg := b.claimed(store.ActionGenerate), b.config()
	cfg.OnStep = func(step string) {
		if step == "answered" {
			b.set("webhook:"+session, `{"status":"processing","fileId":"theirs","timestamp":"2026-03-04T12:00:00.000Z"}`)
		}
	}
	job := b.ended(id, cfg)
	if job.Outcome != store.OutcomeFailed || job.Cause != repair.CauseOverwritten || !job.Overwritten || job.FileID == "" || b.files.Started() != 1 {
		t.Errorf("%s (%s), overwritten %v, file %q, %d started", job.Outcome, job.Cause, job.Overwritten, job.FileID, b.files.Started())
	}
	if got := b.value("webhook:" + session)["fileId"]; got != "theirs" {
		t.Errorf("the site's file became %v", got)
	}
}
