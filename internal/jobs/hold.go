package jobs

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"github.com/superduperai/sessionbot/internal/requestid"
	"github.com/superduperai/sessionbot/store"
)

// Carry carries a job out to its end and tells it, if nobody else does; false
// where somebody does.
func (r *Runner) Carry(ctx context.Context, id string) (bool, error) {
	lease, got, err := r.Ledger.Lease(ctx, id, rand.Text())
	if err != nil || !got {
		return false, err
	}
	held, stop := context.WithCancel(ctx)
	defer stop()
	var renewing sync.WaitGroup
	renewing.Go(func() { r.renew(held, stop, lease) })
	defer renewing.Wait()
	defer stop()
	defer func() {
		free, done := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer done()
		if err := r.Ledger.Release(free, lease); err != nil && !errors.Is(err, store.ErrLeaseLost) {
			r.Log.WarnContext(ctx, "a job was not given free: others get it when its lease ends", "job", id, "error", err)
		}
	}()
	job, err := r.Ledger.LoadJob(held, id)
	if err != nil {
		return true, err
	}
	ctx = requestid.NewContext(ctx, job.Plan.Ref)
	c := carriage{Runner: r, lease: lease, job: job,
		outlast: func() (context.Context, context.CancelFunc) { return outlast(ctx) }}
	return true, c.run(requestid.NewContext(held, job.Plan.Ref)) // held itself is being read by renew
}

// renew keeps the lease. Whoever cannot stops working before it ends.
func (r *Runner) renew(ctx context.Context, stop func(), lease store.Lease) {
	tick := time.NewTicker(r.Ledger.LeaseTimings.Renew)
	defer tick.Stop()
	renewed := r.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		limited, done := context.WithTimeout(ctx, r.Ledger.LeaseTimings.Renew)
		err := r.Ledger.Renew(limited, lease)
		done()
		switch {
		case err == nil:
			renewed = r.Now()
		case errors.Is(err, store.ErrLeaseLost), r.Now().Sub(renewed) > r.Ledger.LeaseTimings.Life-r.Ledger.LeaseTimings.Renew:
			stop()
			return
		}
	}
}

// outlast is for the one request and for recording what it came to: it goes on
// while the lease is in doubt, which the record is fenced against, and for
// lastWords after ctx has ended.
func outlast(ctx context.Context) (context.Context, context.CancelFunc) {
	lasting, done := context.WithTimeout(context.WithoutCancel(ctx), sendFor+keepFor)
	forget := context.AfterFunc(ctx, func() {
		if pause(lasting, lastWords) == nil {
			done()
		}
	})
	return lasting, func() { forget(); done() }
}

// pause waits, and no longer than ctx.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
