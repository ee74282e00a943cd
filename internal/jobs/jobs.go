// Package jobs carries claimed plans out, step by step, each recorded before
// what follows it is begun, so that any replica can go on where another one
// stopped. What people are told of it is not written here.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/superduper"
)

const (
	atOnce     = 64               // jobs that one process carries out at the same time; most only wait for their file
	beginIn    = 10 * time.Minute // after the claim; later nobody counts on it any more
	sendWithin = 5 * time.Second  // after StepSending was recorded; a lease holds three times as long
	sendFor    = 30 * time.Second // the one request
	keepFor    = time.Minute      // while Redis does not take what the request came to
	lastWords  = 5 * time.Second  // for request and record, once the process is to stop
	endWithin  = 3 * time.Second  // for what is to be seen of the end
)

// Timings are the pauses of a Runner.
type Timings struct {
	Poll        time.Duration // between two looks at a file
	MaxPoll     time.Duration // the longest of them while SuperDuperAI does not answer
	Reread      time.Duration // from a write to a look whether it stands: an update by the site that began before may still overwrite it
	Pending     time.Duration // between two looks for jobs that nobody carries out
	MaxRetry    time.Duration // between two attempts at a job that is interrupted again and again
	SaveRetry   time.Duration // between two attempts to record what a request came to
	Replication time.Duration // between two looks whether Redis has a replica
}

// DefaultTimings are those of production.
func DefaultTimings() Timings {
	return Timings{
		Poll: 5 * time.Second, MaxPoll: time.Minute, Reread: 5 * time.Second, Pending: 2 * time.Second,
		MaxRetry: time.Minute, SaveRetry: 200 * time.Millisecond, Replication: time.Minute,
	}
}

// Maker makes videos and images; see superduper.Client.
type Maker interface {
	GenerateVideo(ctx context.Context, r superduper.VideoRequest) (superduper.File, error)
	GenerateImage(ctx context.Context, r superduper.ImageRequest) (superduper.File, error)
	File(ctx context.Context, id string) (superduper.File, error)
}

// FileRecords remembers files that were seen finished; see sweep.Files.
type FileRecords interface {
	Save(ctx context.Context, ref store.FileRef, state store.FileState) error
}

// Config is what a Runner works with. Everything is required but
// Standing, Over and At.
type Config struct {
	Ledger  *store.Ledger
	Writer  store.Writer
	Product store.SessionReader
	Files   FileRecords
	Site    store.SiteReader
	Maker   Maker
	// Examine looks at a session as if the job itself were not there.
	Examine func(ctx context.Context, session, job string) store.Examination
	// Tell shows how a job stands. The end of a job is told until it succeeds; an
	// error may have a method Pause that tells how long not to try.
	Tell    func(ctx context.Context, p store.Progress) error
	Token   bool // SuperDuperAI can be asked
	GiveUp  time.Duration
	Timings Timings
	Log     *slog.Logger
	Now     func() time.Time
	// Standing is told now and then how many jobs are not over, and how many wait
	// for a person, in all processes together.
	Standing func(running, unclear int)
	// Over is told of every job that came to its end in this process.
	Over func(job store.Job)
	// At is called after each recorded step; tests break off there.
	At func(step string)
}

// Runner carries jobs out.
type Runner struct {
	Config
	wake chan struct{}
	mu   sync.Mutex
	busy map[string]bool    // jobs in this process's hands
	rest map[string]pausing // jobs that were interrupted
}

// pausing is how long a job that was interrupted is left alone.
type pausing struct {
	until time.Time
	wait  time.Duration
}

// New makes a runner.
func New(cfg Config) *Runner {
	if cfg.Standing == nil {
		cfg.Standing = func(int, int) {}
	}
	if cfg.Over == nil {
		cfg.Over = func(store.Job) {}
	}
	if cfg.At == nil {
		cfg.At = func(string) {}
	}
	return &Runner{Config: cfg, wake: make(chan struct{}, 1), busy: map[string]bool{}, rest: map[string]pausing{}}
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
	tick := time.NewTicker(r.Timings.Pending)
	defer tick.Stop()
	var noted time.Time
	for {
		if now := r.Now(); now.Sub(noted) >= r.Timings.Replication {
			noted = now
			if err := r.Ledger.NoteReplicas(ctx); err != nil && ctx.Err() == nil {
				r.Log.WarnContext(ctx, "it was not noted whether Redis has a replica", "error", err)
			}
		}
		for _, id := range r.pending(ctx) {
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

// pending are the jobs that are not over.
func (r *Runner) pending(ctx context.Context) []string {
	ids, err := r.Ledger.Pending(ctx)
	var unclear int
	if err == nil {
		unclear, err = r.Ledger.Unclear(ctx)
	}
	if err != nil {
		if ctx.Err() == nil {
			r.Log.WarnContext(ctx, "pending jobs could not be looked up", "error", err)
		}
		return nil
	}
	r.Standing(len(ids), unclear)
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.rest, func(id string, _ pausing) bool { return !slices.Contains(ids, id) }) // others ended it
	return ids
}

func (r *Runner) take(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busy[id] || len(r.busy) >= atOnce || r.Now().Before(r.rest[id].until) {
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
// after a pause that grows.
func (r *Runner) attempt(ctx context.Context, id string) {
	defer r.contain(id)
	_, err := r.Carry(ctx, id)
	if err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrLeaseLost) {
		wait := r.leave(id, askedPause(err))
		r.Log.WarnContext(ctx, "a job was interrupted and will be gone on with", "job", id, "error", err, "in_ms", wait.Milliseconds())
	}
}

// askedPause is how long whoever stopped a job asks to be left alone, 0 = not said.
func askedPause(err error) time.Duration {
	var asks interface{ Pause() time.Duration }
	if errors.As(err, &asks) {
		return asks.Pause()
	}
	return 0
}

// leave leaves a job alone for a while, each time for longer, and for the pause
// that was asked for at least.
func (r *Runner) leave(id string, pause time.Duration) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	wait := min(max(2*r.rest[id].wait, r.Timings.Pending), r.Timings.MaxRetry)
	pause = max(pause, wait)
	r.rest[id] = pausing{until: r.Now().Add(pause), wait: wait}
	return pause
}

// triedLong tells whether a job was interrupted so often here that the pauses
// grow no more: a process that has just started tries again first.
func (r *Runner) triedLong(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rest[id].wait >= r.Timings.MaxRetry
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
	wait := r.leave(id, 0)
	r.Log.Error("a job panicked", "job", id, "panic", what, "in_ms", wait.Milliseconds(), "stack", string(debug.Stack()))
}
