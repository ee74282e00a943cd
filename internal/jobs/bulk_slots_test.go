package jobs_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// unfinished says of every file that it is being made, until it is released.
type unfinished struct {
	jobs.Generator
	released *atomic.Bool
}

func (u unfinished) File(ctx context.Context, id string) (store.File, error) {
	released := u.released.Load() // before the answer, which may change with it
	file, err := u.Generator.File(ctx, id)
	if !released {
		file.State = store.FileInProgress
	}
	return file, err
}

// TestBulkFillsNoMoreThanTheProcess: a session that the process has no room for is not
// begun, since its job would be refused as late before there is any.
func TestBulkFillsNoMoreThanTheProcess(t *testing.T) {
	t.Parallel()
	const room = 63 // besides the job of the plan itself
	b := newBulkBench(t, false, room+5)
	p := b.claimed(store.ActionGenerate)
	b.withoutCanary(p)
	cfg := b.config()
	var released atomic.Bool
	cfg.Generator, cfg.BulkParallel = unfinished{cfg.Generator, &released}, 1000
	b.running(cfg)
	testenv.Until(t, "the process is full", func() bool { return b.once() == room })
	if n := b.job(p.ID).Bulk.Counts(); n != (repair.BulkCounts{Running: room, Left: 5}) {
		t.Errorf("%+v", n)
	}
	released.Store(true)
	b.until(p.ID, "all are made", func(s *repair.Bulk) bool { return s.Counts().Done == room+5 })
}

// withoutCanary has all sessions of a claimed plan begun at once, as in a plan that a
// version without canaries claimed.
func (b *bulkBench) withoutCanary(p repair.Plan) {
	b.t.Helper()
	l, got, err := b.ledger.Lease(b.t.Context(), p.ID, "an older version")
	job := b.job(p.ID)
	if job.Bulk.Canary == nil || !got || err != nil {
		b.t.Fatalf("it has a canary: %v, leased: %v, %v", job.Bulk.Canary, got, err)
	}
	job.Bulk.Canary = nil
	testenv.Must(b.t, b.ledger.SaveJob(b.t.Context(), l, job))
	b.leaseEnds(p.ID)
}
