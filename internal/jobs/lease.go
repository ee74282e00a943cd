package jobs

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"github.com/superduperai/sessionbot/internal/requestid"
	"github.com/superduperai/sessionbot/store/repair"
)

// Execute executes a job to its end and shows that. It does nothing if somebody
// else holds the job's lease.
func (r *Runner) Execute(ctx context.Context, id string) error {
	lease, got, err := r.Ledger.Lease(ctx, id, rand.Text())
	if err != nil || !got {
		return err
	}
	held, cancel := context.WithCancel(ctx)
	var renewing sync.WaitGroup
	renewing.Go(func() { r.renew(held, cancel, lease) })
	defer renewing.Wait()
	defer cancel()
	defer func() {
		release, done := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer done()
		if err := r.Ledger.Release(release, lease); err != nil && !errors.Is(err, repair.ErrLeaseLost) {
			r.Log.WarnContext(ctx, "lease not released", "job", id, "error", err)
		}
	}()
	job, err := r.Ledger.LoadJob(held, id)
	if err != nil {
		return err
	}
	ctx = requestid.NewContext(ctx, job.Plan.Ref)
	e := execution{Runner: r, lease: lease, job: job,
		detach: func() (context.Context, context.CancelFunc) { return detach(ctx) }}
	return e.run(requestid.NewContext(held, job.Plan.Ref))
}

// renew renews the lease until ctx ends. When it can no longer be sure of the
// lease it cancels the execution.
func (r *Runner) renew(ctx context.Context, cancel func(), lease repair.Lease) {
	timings := r.Ledger.LeaseTimings
	tick := time.NewTicker(timings.Renew)
	defer tick.Stop()
	renewed := r.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		limited, done := context.WithTimeout(ctx, timings.Renew)
		err := r.Ledger.Renew(limited, lease)
		done()
		switch {
		case err == nil:
			renewed = r.Now()
		case errors.Is(err, repair.ErrLeaseLost), r.Now().Sub(renewed) > timings.Life-timings.Renew:
			cancel()
			return
		}
	}
}

// detach returns a context for the one request and for recording its outcome. It
// outlives a lease in doubt, against which the record is fenced, and lasts for
// shutdownGrace after ctx has ended.
func detach(ctx context.Context) (context.Context, context.CancelFunc) {
	detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout+saveTimeout)
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(shutdownGrace, cancel) })
	return detached, func() {
		stop()
		cancel()
	}
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
