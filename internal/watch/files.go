package watch

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/watchstate"
)

const (
	maxRequests   = 5 // for files, that wait for an answer
	checkTimeout  = 10 * time.Second
	maxChecks     = 10_000           // in the queue: more than are checked until the next sweep
	foundInterval = 10 * time.Minute // between two records that a file was found
)

// check is a file that is due to be checked.
type check struct {
	store.FileRef
	started time.Time
	last    store.File
}

// fileChecker requests the files that are due from SuperDuperAI, those of the newest
// sessions first.
type fileChecker struct {
	*term
	requests errgroup.Group

	mu            sync.Mutex
	queue         []check
	failed        map[string]time.Time // when a request for a file last failed
	health        fileHealth
	foundRecorded time.Time // when that a file was found was last recorded
}

// newest returns the checks of the newest sessions, those first.
func newest(found []check) []check {
	slices.SortFunc(found, func(a, b check) int { return b.started.Compare(a.started) })
	return found[:min(len(found), maxChecks)]
}

// replace makes a sweep's findings the queue.
func (f *fileChecker) replace(found []check, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queue = newest(found)
	maps.DeleteFunc(f.failed, func(_ string, at time.Time) bool { return now.Sub(at) >= checkInterval })
}

// due reports whether a file is due to be checked.
func (f *fileChecker) due(c check, now time.Time) bool {
	if c.last.State == store.FileNone || c.last.State == store.FileCompleted {
		return false
	}
	f.mu.Lock()
	failed := f.failed[c.FileID]
	f.mu.Unlock()
	_, valid := store.FileUUID(c.FileID)
	return valid && !nextCheck(c.started, c.last, failed, f.Limits).After(now)
}

// next takes the first of the queue. It reports false if the queue is empty.
func (f *fileChecker) next() (check, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.queue) == 0 {
		return check{}, false
	}
	first := f.queue[0]
	f.queue = f.queue[1:]
	return first, true
}

func (f *fileChecker) delay(time.Duration) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.health.delay(f.Now(), f.Timings.Check)
}

// checkNext begins to check the first file of the queue. It waits while too many
// requests are under way.
func (f *fileChecker) checkNext(ctx context.Context) error {
	c, ok := f.next()
	if !ok {
		return nil
	}
	f.requests.Go(func() error {
		err := catchPanic(func() error { return f.check(ctx, c) })
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			f.Log.DebugContext(ctx, "file not checked", "error", err)
		}
		f.monitor.report(ctx, incident.PartFiles, err)
		return nil
	})
	return nil
}

// check checks one file, and has its session inspected.
func (f *fileChecker) check(ctx context.Context, c check) error {
	known, err := f.Files.Known(ctx, c.FileRef)
	if err != nil {
		return err
	}
	if known.File.State == store.FileCompleted {
		return f.save(ctx, c.FileRef, known.File.State)
	}
	c.last = known.File
	if !f.due(c, f.Now()) { // it was checked during the sweep
		return nil
	}
	state, err := f.request(ctx, c)
	if err != nil || state == "" {
		return err
	}
	return f.save(ctx, c.FileRef, state)
}

// save saves the state of a file, and has its session inspected.
func (f *fileChecker) save(ctx context.Context, ref store.FileRef, state store.FileState) error {
	if err := f.Files.Save(ctx, ref, state); err != nil {
		return err
	}
	return f.Enqueue(ctx, ref.Session)
}

// request asks the API for a file, and keeps the incident about the API itself. It
// returns "" if the answer says nothing about the file, or not yet.
func (f *fileChecker) request(ctx context.Context, c check) (store.FileState, error) {
	limited, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	file, err := f.API.File(limited, c.FileID)
	if ctx.Err() != nil {
		return "", nil // the term ends
	}
	now := f.Now()
	f.mu.Lock()
	wasInDoubt := f.health.inDoubt()
	confirmed := f.health.observe(c.FileRef, c.last.State, err, now)
	trouble, since := f.health.outage(now)
	switch {
	case err == nil && wasInDoubt: // so all failures until now were its own
		clear(f.failed)
	case err == nil:
		delete(f.failed, c.FileID)
	case !errors.Is(err, store.FileRateLimited):
		f.failed[c.FileID] = now
	}
	f.mu.Unlock()
	if err != nil {
		f.Log.DebugContext(ctx, "file not seen", "error", err)
	}
	if failed := f.monitor.reportFiles(ctx, trouble, since, err == nil); failed != nil {
		return "", failed
	}
	for _, missing := range confirmed {
		if failed := f.save(ctx, missing.FileRef, missing.state); failed != nil {
			return "", failed
		}
	}
	if err != nil {
		return "", nil
	}
	return file.State, f.recordFound(ctx, c, now)
}

// recordFound records that the API knows a file, and whether the site started it.
func (f *fileChecker) recordFound(ctx context.Context, c check, now time.Time) error {
	var changes []watchstate.Change
	f.mu.Lock()
	if now.Sub(f.foundRecorded) >= foundInterval {
		f.foundRecorded = now
		changes = append(changes, watchstate.Found(now))
	}
	f.mu.Unlock()
	if !c.Created.IsZero() && !f.snapshot().state.Proven.Covers(f.APIURL, c.Created.Add(-time.Minute)) {
		job, err := f.Ledger.JobOf(ctx, c.Session)
		if err != nil {
			return err
		}
		if job.ID == "" { // else a job of ours may have started it
			changes = append(changes, watchstate.Proven(f.APIURL, c.Created))
		}
	}
	if len(changes) == 0 {
		return nil
	}
	return f.record(ctx, changes...)
}
