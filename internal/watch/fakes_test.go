package watch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/stats"
	"github.com/superduperai/sessionbot/store/watchstate"
)

// fakeMetrics keeps what the last sweep counted.
type fakeMetrics struct {
	mu       sync.Mutex
	verdicts map[diagnosis.Verdict]int
	skipped  map[string]int // by reason
	sweep    time.Duration  // the slowest so far
	swept    atomic.Int64
	rounds   atomic.Int64 // of notifications
}

func (f *fakeMetrics) Counted(r *stats.Rollup) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.verdicts = nil; r != nil {
		f.verdicts = r.Count.Verdicts
	}
}

func (f *fakeMetrics) of(v diagnosis.Verdict) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.verdicts[v]
}

// Swept keeps how long the slowest sweep took.
func (f *fakeMetrics) Swept(_, _ bool, took time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sweep = max(f.sweep, took)
	f.swept.Add(1)
}

func (f *fakeMetrics) slowest() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sweep
}

func (*fakeMetrics) Watched(watchstate.State) {}
func (*fakeMetrics) Alerted(string)           {}

// Skipped counts the sessions that were not alerted.
func (f *fakeMetrics) Skipped(reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.skipped == nil {
		f.skipped = map[string]int{}
	}
	f.skipped[reason]++
}

// PendingAlerts counts the rounds of notifications.
func (f *fakeMetrics) PendingAlerts(int) { f.rounds.Add(1) }

// fakeFileAPI is a SuperDuperAI all of whose files are in one state, unless they
// have their own.
type fakeFileAPI struct {
	mu    sync.Mutex
	state store.FileState // "" = none is known
	own   map[string]store.FileState
	err   error  // what it answers instead
	odd   string // a file whose answer cannot be read
	asked map[string]int
}

func (a *fakeFileAPI) File(_ context.Context, id string) (store.File, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked[id]++
	state := a.state
	if own, ok := a.own[id]; ok {
		state = own
	}
	switch {
	case a.err != nil:
		return store.File{}, a.err
	case id == a.odd:
		return store.File{}, &store.FileError{Trouble: store.FileUnreadable, Err: errors.New("<html>")}
	case state == "":
		return store.File{}, &store.FileError{Trouble: store.FileNotFound, Err: errors.New("404")}
	}
	return store.File{State: state}, nil
}

// requests returns how many requests there were, and for how many files.
func (a *fakeFileAPI) requests() (all, files int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, n := range a.asked {
		all += n
	}
	return all, len(a.asked)
}

// fileID returns the UUID of a file.
func fileID(n int) string { return fmt.Sprintf("6f1c0000-0000-4000-8000-%012d", n) }
