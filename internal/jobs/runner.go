package jobs

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/superduperai/sessionbot/internal/panics"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/repair"
)

// Runner executes jobs. It is safe for concurrent use.
type Runner struct {
	Config
	wake    chan struct{}
	failing map[string]bool // what Run failed to do last
	mu      sync.Mutex
	running map[string]bool   // in this process
	retries map[string]*retry // of jobs that failed in this process
}

// retry is when a job that failed is tried again.
type retry struct {
	backoff *backoff.ExponentialBackOff
	delay   time.Duration // the last one of backoff
	at      time.Time
}

// New returns a runner.
func New(cfg Config) *Runner {
	if cfg.ReportCounts == nil {
		cfg.ReportCounts = func(int, int) {}
	}
	if cfg.OnFinished == nil {
		cfg.OnFinished = func(repair.Job) {}
	}
	if cfg.OnChanged == nil {
		cfg.OnChanged = func(context.Context, string) {}
	}
	if cfg.OnStep == nil {
		cfg.OnStep = func(string) {}
	}
	cfg.BulkParallel = max(cfg.BulkParallel, 1)
	if cfg.Mine == nil {
		cfg.Mine = func(string) bool { return true }
	}
	if cfg.Tracer == nil {
		cfg.Tracer = noop.Tracer{}
	}
	cfg.Log = cfg.Log.With("component", "jobs")
	return &Runner{Config: cfg, wake: make(chan struct{}, 1), failing: map[string]bool{}, running: map[string]bool{}, retries: map[string]*retry{}}
}

// Wake makes the runner read the pending jobs at once, such as after a claim.
func (r *Runner) Wake() {
	select {
	case r.wake <- struct{}{}:
	default: // a read is pending already
	}
}

// Run executes pending jobs that no other process executes until ctx ends. It
// returns once their leases are released.
func (r *Runner) Run(ctx context.Context) error {
	var executions sync.WaitGroup
	defer executions.Wait()
	tick := time.NewTicker(r.Timings.BaseDelay)
	defer tick.Stop()
	var checked time.Time
	for {
		if now := r.Now(); now.Sub(checked) >= r.Timings.Replication {
			checked = now
			r.logChange(ctx, "record of replicas", r.Ledger.NoteReplicas(ctx))
		}
		for _, id := range r.pending(ctx) {
			if r.Mine(id) && r.start(id) {
				executions.Go(func() {
					defer r.finish(id)
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

// pending returns the jobs that have not ended.
func (r *Runner) pending(ctx context.Context) []string {
	ids, err := r.Ledger.Pending(ctx)
	var unclear int
	if err == nil {
		unclear, err = r.Ledger.Unclear(ctx)
	}
	if r.logChange(ctx, "list of pending jobs", err); err != nil {
		return nil
	}
	r.ReportCounts(len(ids), unclear)
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.retries, func(id string, _ *retry) bool { return !slices.Contains(ids, id) }) // another process ended it
	return ids
}

// logChange logs the first of failures in a row of a task, and its recovery.
func (r *Runner) logChange(ctx context.Context, task string, err error) {
	switch failing := r.failing[task]; {
	case ctx.Err() != nil:
		return
	case err != nil && !failing:
		r.Log.WarnContext(ctx, "task failed, will retry", "task", task, "error", err)
	case err == nil && failing:
		r.Log.InfoContext(ctx, "task recovered", "task", task)
	}
	r.failing[task] = err != nil
}

// start reports whether the job is to be executed now, and counts it as running.
func (r *Runner) start(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running[id] || len(r.running) >= maxRunning {
		return false
	}
	if next := r.retries[id]; next != nil && r.Now().Before(next.at) {
		return false
	}
	r.running[id] = true
	return true
}

// free returns how many more jobs this process can execute now.
func (r *Runner) free() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return max(maxRunning-len(r.running), 0)
}

func (r *Runner) finish(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.running, id)
}

// attempt executes a job as far as possible, and schedules another attempt if it
// fails or panics.
func (r *Runner) attempt(ctx context.Context, id string) {
	err := panics.Catch(func() error { return r.Execute(ctx, id) })
	if panicked, ok := errors.AsType[*panics.Error](err); ok {
		wait := r.postpone(id, 0)
		r.Log.ErrorContext(ctx, "job panicked, will retry", "job", id, "panic", panicked.Message, "in_ms", wait.Milliseconds(), "stack", panicked.Stack)
		return
	}
	if err == nil || ctx.Err() != nil || errors.Is(err, lease.ErrLost) {
		return
	}
	wait := r.postpone(id, requestedDelay(err))
	r.Log.WarnContext(ctx, "job interrupted, will retry", "job", id, "error", err, "in_ms", wait.Milliseconds())
}

// requestedDelay is how long Slack asks to wait before the next attempt, 0 = it does not.
func requestedDelay(err error) time.Duration {
	if fault, ok := errors.AsType[interface {
		error
		RequestedDelay() time.Duration
	}](err); ok {
		return fault.RequestedDelay()
	}
	return 0
}

// postpone schedules the next attempt at a job with exponential backoff, and no
// sooner than after atLeast. It returns the time until then.
func (r *Runner) postpone(id string, atLeast time.Duration) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := r.retries[id]
	if next == nil {
		next = &retry{backoff: &backoff.ExponentialBackOff{InitialInterval: r.Timings.BaseDelay, Multiplier: 2, MaxInterval: r.Timings.MaxRetryDelay}}
		r.retries[id] = next
	}
	next.delay = next.backoff.NextBackOff()
	delay := max(atLeast, next.delay)
	next.at = r.Now().Add(delay)
	return delay
}

// exhausted reports whether a job failed in this process until its backoff reached the
// maximum: a process that has just started retries first.
func (r *Runner) exhausted(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := r.retries[id]
	return next != nil && next.delay >= r.Timings.MaxRetryDelay
}
