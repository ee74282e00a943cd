package jobs

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/superduperai/sessionbot/internal/grace"
	"github.com/superduperai/sessionbot/internal/requestid"
)

// Execute executes a job to its end and shows that. It does nothing if somebody
// else holds the job's lease.
func (r *Runner) Execute(ctx context.Context, id string) error {
	l, got, err := r.Ledger.Lease(ctx, id, rand.Text())
	if err != nil || !got {
		return err
	}
	held, release := r.Ledger.Leases.Hold(ctx, l)
	defer func() {
		if err := release(); err != nil {
			r.Log.WarnContext(ctx, "lease not released", "job", id, "error", err)
		}
	}()
	job, err := r.Ledger.LoadJob(held, id)
	if err != nil {
		return err
	}
	ctx = requestid.NewContext(ctx, job.Plan.Ref)
	// The one request and the record of its outcome outlive a lease in doubt,
	// against which the record is fenced.
	e := execution{Runner: r, lease: l, job: job, detach: func() (context.Context, context.CancelFunc) {
		return grace.Context(ctx, requestTimeout+saveTimeout, shutdownGrace)
	}}
	return e.run(requestid.NewContext(held, job.Plan.Ref))
}

// sleep waits for d, or returns the error of ctx if that ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
