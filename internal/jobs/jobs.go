// Package jobs carries claimed plans out, step by step, each recorded before
// what follows it is begun, so that any replica can go on where another one
// stopped. What people are told of it is not written here.
package jobs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/superduper"
)

const (
	atOnce     = 64                     // jobs that one process carries out at the same time; most only wait for their file
	lookEvery  = 2 * time.Second        // for jobs that nobody carries out
	renewEvery = 5 * time.Second        // a lease holds three times as long
	beginIn    = 10 * time.Minute       // after the claim; later nobody counts on it any more
	sendWithin = 5 * time.Second        // after StepSending was recorded; a lease holds three times as long
	sendFor    = 30 * time.Second       // the one request
	keepFor    = time.Minute            // while Redis does not take what the request came to
	keepEvery  = 200 * time.Millisecond // between two attempts at that
	lastWords  = 5 * time.Second        // for request and record, once the process is to stop
)

// Maker makes videos and images; see superduper.Client.
type Maker interface {
	GenerateVideo(ctx context.Context, r superduper.VideoRequest) (superduper.File, error)
	GenerateImage(ctx context.Context, r superduper.ImageRequest) (superduper.File, error)
	File(ctx context.Context, id string) (superduper.File, error)
}

// Config is what a Runner works with. Everything is required but Pending and At.
type Config struct {
	Ledger  *store.Ledger
	Writer  store.Writer
	Product store.SessionReader
	Site    store.SiteReader
	Maker   Maker
	// Examine looks at a session as if the job itself were not there.
	Examine func(ctx context.Context, session, job string) store.Examination
	// Tell shows how a job stands. The end of a job is told until it succeeds.
	Tell      func(ctx context.Context, p store.Progress) error
	Token     bool // SuperDuperAI can be asked
	GiveUp    time.Duration
	PollEvery time.Duration
	Log       *slog.Logger
	Now       func() time.Time
	// Pending is told how many jobs are not over. It may be nil.
	Pending func(n int)
	// At is called after each recorded step; tests break off there.
	At func(step string)
}

// Runner carries jobs out.
type Runner struct {
	Config
	wake chan struct{}
	mu   sync.Mutex
	busy map[string]bool // jobs in this process's hands
}

// New makes a runner.
func New(cfg Config) *Runner {
	if cfg.At == nil {
		cfg.At = func(string) {}
	}
	return &Runner{Config: cfg, wake: make(chan struct{}, 1), busy: map[string]bool{}}
}

// Wake makes the runner look for jobs at once, such as after a claim.
func (r *Runner) Wake() {
	select {
	case r.wake <- struct{}{}:
	default: // it is about to look anyway
	}
}

// Run carries out whatever job nobody else does, until ctx ends; then it gives
// its jobs free for others.
func (r *Runner) Run(ctx context.Context) error {
	var carried sync.WaitGroup
	defer carried.Wait()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		ids, err := r.Ledger.Pending(ctx)
		if err != nil && ctx.Err() == nil {
			r.Log.WarnContext(ctx, "pending jobs could not be looked up", "error", err)
		}
		if err == nil && r.Pending != nil {
			r.Pending(len(ids))
		}
		for _, id := range ids {
			if r.take(id) {
				carried.Go(func() {
					defer r.give(id)
					r.attempt(ctx, id)
				})
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-r.wake:
		case <-tick.C:
		}
	}
}

func (r *Runner) take(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busy[id] || len(r.busy) >= atOnce {
		return false
	}
	r.busy[id] = true
	return true
}

func (r *Runner) give(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.busy, id)
}

// attempt carries a job out as far as it goes. What stops it is tried again
// with the next look.
func (r *Runner) attempt(ctx context.Context, id string) {
	defer r.contain(id)
	_, err := r.Carry(ctx, id)
	if err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrLeaseLost) {
		r.Log.WarnContext(ctx, "a job was interrupted and will be gone on with", "job", id, "error", err)
	}
}

// contain keeps a panic to its job: others go on, and this one is tried again.
// A panic's value may hold a customer's data, so only the runtime's own words
// are logged.
func (r *Runner) contain(id string) {
	value := recover()
	if value == nil {
		return
	}
	what := fmt.Sprintf("%T", value)
	if fault, ok := value.(runtime.Error); ok {
		what = fault.Error()
	}
	r.Log.Error("a job panicked", "job", id, "panic", what, "stack", string(debug.Stack()))
}

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
			r.Log.Warn("a job was not given free: others get it when its lease ends", "job", id, "error", err)
		}
	}()
	job, err := r.Ledger.LoadJob(held, id)
	if err != nil {
		return true, err
	}
	c := carriage{Runner: r, lease: lease, job: job,
		outlast: func() (context.Context, context.CancelFunc) { return outlast(ctx) }}
	return true, c.run(held)
}

// renew keeps the lease. Whoever cannot stops working before it ends.
func (r *Runner) renew(ctx context.Context, stop func(), lease store.Lease) {
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	renewed := r.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		limited, done := context.WithTimeout(ctx, renewEvery)
		err := r.Ledger.Renew(limited, lease)
		done()
		switch {
		case err == nil:
			renewed = r.Now()
		case errors.Is(err, store.ErrLeaseLost), r.Now().Sub(renewed) > store.LeaseLife-renewEvery:
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
