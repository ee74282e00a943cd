package jobs_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/repair"
)

// leaves freezes the replica and ends its link.
func (b *bench) leaves(master, replica *redistest.Server) {
	b.t.Helper()
	replica.Freeze(b.t)
	if err := master.Client().ClientKillByFilter(b.t.Context(), "TYPE", "replica").Err(); err != nil {
		b.t.Fatal(err)
	}
}

// waiting returns a job that waits for the only replica, which is gone.
func waiting(t *testing.T) (b *bench, id string, replica *redistest.Server) {
	t.Helper()
	b = newOwnBench(t)
	replica = redistest.StartReplica(t, b.server)
	id = b.claimed(store.ActionGenerate)
	if err := b.ledger.NoteReplicas(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.leaves(b.server, replica)
	return b, id, replica
}

// TestAwaitReplicas: nothing is sent while a replica that could take over does not
// have the record; the job continues by itself once it does.
func TestAwaitReplicas(t *testing.T) {
	t.Parallel()
	t.Run("it lags", func(t *testing.T) {
		t.Parallel()
		b := newOwnBench(t)
		replica := redistest.StartReplica(t, b.server)
		id := b.claimed(store.ActionGenerate)
		replica.Freeze(t)
		b.goesOn(id, replica)
	})
	t.Run("it left", func(t *testing.T) {
		t.Parallel()
		b, id, replica := waiting(t)
		b.goesOn(id, replica)
	})
}

func (b *bench) goesOn(id string, replica *redistest.Server) {
	b.t.Helper()
	cfg, startedWaiting := b.config(), -1
	cfg.Notify = func(_ context.Context, p repair.Progress) error {
		if p.Job.Cancellable() && startedWaiting < 0 {
			startedWaiting = b.files.Started()
			replica.Thaw(b.t)
		}
		return nil
	}
	b.endedWell(id, cfg)
	if startedWaiting != 0 {
		b.t.Errorf("%d started while it waited (-1: that was not shown)", startedWaiting)
	}
}

// TestAwaitReplicasTooLong: the job ends with its reason.
func TestAwaitReplicasTooLong(t *testing.T) {
	t.Parallel()
	b, id, _ := waiting(t)
	cfg := b.config()
	var late atomic.Bool
	cfg.Now = func() time.Time {
		if late.Load() {
			return time.Now().Add(11 * time.Minute)
		}
		return time.Now()
	}
	cfg.Notify = func(_ context.Context, p repair.Progress) error {
		late.Store(p.Job.Waiting)
		return nil
	}
	job := b.ended(id, cfg)
	if job.Outcome != store.OutcomeFailed || job.Cause != repair.CauseLate || len(job.Detail) != 1 || b.files.Started() != 0 {
		t.Errorf("%s (%s) %q with %d started", job.Outcome, job.Cause, job.Detail, b.files.Started())
	}
}

// TestCancelledWhileWaiting: nothing is sent, not even once the replica is back,
// and the session and the audit trail say so.
func TestCancelledWhileWaiting(t *testing.T) {
	t.Parallel()
	b, id, replica := waiting(t)
	cfg := b.config()
	cfg.Notify = func(ctx context.Context, p repair.Progress) error {
		if !p.Job.Cancellable() {
			return nil
		}
		answer, err := b.ledger.Cancel(ctx, id, store.Actor{ID: "U1"}, time.Now())
		if err != nil || answer.Verdict != repair.JobCancelled {
			t.Errorf("%s, %v", answer.Verdict, err)
		}
		replica.Thaw(t)
		return nil
	}
	over := make(chan store.Outcome, 1)
	cfg.OnFinished = func(job repair.Job) { over <- job.Outcome }
	job := b.ended(id, cfg)
	if job.Outcome != store.OutcomeCancelled || b.files.Started() != 0 {
		t.Errorf("%s (%s) with %d started", job.Outcome, job.Cause, b.files.Started())
	}
	if counted := <-over; counted != store.OutcomeCancelled {
		t.Errorf("it counts as %s", counted)
	}
	if got := b.value("webhook:" + session)["status"]; got != "error" {
		t.Errorf("the webhook's status is %v", got)
	}
	entries, err := audit.NewTrail(b.product).History(t.Context(), session, 10)
	var record []string
	for _, e := range entries {
		record = append(record, string(e.Event)+" by "+e.Who.ID)
	}
	if want := []string{"claimed by U2", "cancelled by U1", "outcome by U2"}; err != nil || !slices.Equal(record, want) {
		t.Errorf("on record: %q, %v", record, err)
	}
}

// TestResumedByAnotherReplica: a job keeps waiting in the process that takes it over.
func TestResumedByAnotherReplica(t *testing.T) {
	t.Parallel()
	b, id, replica := waiting(t)
	ctx, stop := context.WithCancel(t.Context())
	cfg := b.config()
	cfg.Notify = func(_ context.Context, p repair.Progress) error {
		if p.Job.Waiting || p.Job.Outcome != "" {
			stop()
		}
		return nil
	}
	if err := jobs.New(cfg).Run(ctx); err != nil {
		t.Fatal(err)
	}
	if job, err := b.ledger.LoadJob(t.Context(), id); err != nil || !job.Cancellable() {
		t.Fatalf("it is at step %s, %v", job.Step, err)
	}
	replica.Thaw(t)
	b.endedWell(id, b.config())
}
