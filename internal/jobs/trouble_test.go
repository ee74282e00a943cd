package jobs_test

import (
	"context"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/superduper"
)

// TestRedisIsAwayAfterTheRequest: the file was started, and its id is known to
// nobody else. It is kept until Redis takes it.
func TestRedisIsAwayAfterTheRequest(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	id := b.claimed(store.ActionGenerate)
	g := newGate(t, b.addr)
	product, ledger := opened(t, g.url())
	cfg := config(product, ledger, b.apiURL)
	cfg.At = func(step string) {
		if step == "answered" {
			g.shut(10)
		}
	}
	b.endedWell(id, cfg)
}

// TestStoppedDuringTheRequest: a runner that is to stop while the request is
// out waits for the answer, and another one goes on from there.
func TestStoppedDuringTheRequest(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	id, cfg := b.claimed(store.ActionGenerate), b.config()
	ctx, stop := context.WithCancel(t.Context())
	cfg.Maker = meanwhile{cfg.Maker, stop}
	if err := jobs.New(cfg).Run(ctx); err != nil {
		t.Fatal(err)
	}
	job, err := b.ledger.LoadJob(t.Context(), id)
	if err != nil || job.Step != store.StepSent || job.FileID == "" {
		t.Fatalf("stopped after %s with file %q: %v", job.Step, job.FileID, err)
	}
	b.endedWell(id, b.config())
}

// meanwhile is a SuperDuperAI that lets something happen before it answers.
type meanwhile struct {
	jobs.Maker
	happens func()
}

func (m meanwhile) GenerateVideo(ctx context.Context, r superduper.VideoRequest) (superduper.File, error) {
	m.happens()
	return m.Maker.GenerateVideo(ctx, r)
}

// endedWell runs the job to its end: one video was started, and is there.
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

// TestFoundLate: a job whose replica died before the request, and that is found
// long after its approval, spends nothing any more.
func TestFoundLate(t *testing.T) {
	for _, c := range []struct {
		died    string
		outcome store.Outcome
		status  any
	}{
		{"recorded", store.OutcomeRefused, nil},
		{"checked", store.OutcomeFailed, "error"},
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
			if job.Outcome != c.outcome || job.Cause != store.CauseLate || b.files.Started() != 0 {
				t.Errorf("%s (%s) with %d started, want %s", job.Outcome, job.Cause, b.files.Started(), c.outcome)
			}
			if got := b.value("webhook:" + session)["status"]; got != c.status {
				t.Errorf("the webhook's status is %v, want %v", got, c.status)
			}
		})
	}
}

// stoppedAt lets a runner stop once the step is recorded.
func (b *bench) stoppedAt(id, step string) {
	b.t.Helper()
	ctx, stop := context.WithCancel(b.t.Context())
	defer stop()
	cfg := b.config()
	cfg.At = func(at string) {
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
