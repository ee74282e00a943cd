package watch

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/superduperai/sessionbot/store"
)

const (
	// checksAtOnce bounds the requests that wait for an answer.
	checksAtOnce = 5
	checkFor     = 10 * time.Second
	// maxChecks is how many files are kept in mind until the next sweep: more than
	// are checked until then.
	maxChecks = 10_000
	// foundEvery is how often it is noted that a file was found.
	foundEvery = 10 * time.Minute
)

// FileAPI knows the state of a file. An error is a *store.FileError.
type FileAPI interface {
	File(ctx context.Context, fileID string) (store.File, error)
}

// FileRecords remembers what was seen of files; see sweep.Files.
type FileRecords interface {
	States(ctx context.Context, sessions []store.Session) ([]store.FileRecord, error)
	Known(ctx context.Context, ref store.FileRef) (store.FileRecord, error)
	Save(ctx context.Context, ref store.FileRef, state store.FileState) error
	Keep(ctx context.Context) error
}

// check is a file that is due to be asked for.
type check struct {
	store.FileRef
	started time.Time
	last    store.File
}

// checks are the files that are due, the newest sessions' first.
type checks struct {
	incident sync.Mutex // held while the incident about them is kept

	mu     sync.Mutex
	queue  []check
	asked  map[string]time.Time // files of whose answers nothing was remembered
	health fileHealth
	noted  time.Time // that a file was found
}

// newest are the checks of the newest sessions, those first.
func newest(found []check) []check {
	slices.SortFunc(found, func(a, b check) int { return b.started.Compare(a.started) })
	return found[:min(len(found), maxChecks)]
}

// replace makes a sweep's findings the queue.
func (q *checks) replace(found []check, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.queue = newest(found)
	maps.DeleteFunc(q.asked, func(_ string, at time.Time) bool { return now.Sub(at) >= checkAgain })
}

// due reports whether the file of a session has to be asked for by now.
func (q *checks) due(c check, now time.Time, limits store.Thresholds) bool {
	q.mu.Lock()
	asked := q.asked[c.FileID]
	q.mu.Unlock()
	switch c.last.State {
	case store.FileNone, store.FileCompleted:
		return false
	}
	_, valid := store.FileUUID(c.FileID)
	return valid && !nextCheck(c.started, c.last, asked, limits).After(now)
}

// next takes the first of the queue.
func (q *checks) next() (check, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.queue) == 0 {
		return check{}, false
	}
	first := q.queue[0]
	q.queue = q.queue[1:]
	return first, true
}

// checkFiles asks for the files that are due, several at a time where the API is
// slow, until ctx ends.
func (s *shift) checkFiles(ctx context.Context) error {
	var group errgroup.Group
	group.SetLimit(checksAtOnce)
	wait := time.Duration(0)
	for pause(ctx, wait) == nil {
		s.files.mu.Lock()
		wait = s.files.health.pause(s.Now(), s.Timings.Check)
		s.files.mu.Unlock()
		if c, ok := s.files.next(); ok {
			group.Go(func() error {
				err := contained(func() error { return s.check(ctx, c) })
				if err != nil && ctx.Err() == nil {
					s.Log.DebugContext(ctx, "file not checked", "error", err)
				}
				if ctx.Err() == nil {
					s.report(ctx, store.PartFiles, err)
				}
				return nil // the next one may be
			})
		}
	}
	return group.Wait()
}

// check asks for one file, and has its session looked at.
func (s *shift) check(ctx context.Context, c check) error {
	known, err := s.Files.Known(ctx, c.FileRef)
	if err != nil {
		return err
	}
	state := known.File.State
	if state != store.FileCompleted {
		c.last = known.File
		if !s.files.due(c, s.Now(), s.Limits) { // it was checked while the sweep went on
			return nil
		}
		if state, err = s.ask(ctx, c); err != nil || state == "" {
			return err
		}
	}
	return s.saw(ctx, c.FileRef, state)
}

// saw remembers the state of a file, and has its session looked at.
func (s *shift) saw(ctx context.Context, ref store.FileRef, state store.FileState) error {
	if err := s.Files.Save(ctx, ref, state); err != nil {
		return err
	}
	err := s.Records.Put(ctx, store.Due{Session: ref.Session, At: s.Now()})
	s.nudge()
	return err
}

// ask asks the API for the file, and keeps the incident about the API itself. It
// returns "" where the answer says nothing of the file, or not yet.
func (s *shift) ask(ctx context.Context, c check) (store.FileState, error) {
	limited, cancel := context.WithTimeout(ctx, checkFor)
	defer cancel()
	file, err := s.API.File(limited, c.FileID)
	if ctx.Err() != nil {
		return "", nil // the process ends
	}
	now := s.Now()
	q := &s.files
	q.mu.Lock()
	again := err == nil && (q.health.failing >= failingRequests || len(q.health.strays) == strayFiles)
	strays := q.health.note(c.FileRef, c.last.State, err, now)
	trouble, since := q.health.broken(now)
	switch {
	case again: // what was asked for meanwhile was asked for in vain
		clear(q.asked)
	case err == nil:
		delete(q.asked, c.FileID)
	case !errors.Is(err, store.FileRateLimited):
		q.asked[c.FileID] = now
	}
	q.mu.Unlock()
	if err != nil {
		s.Log.DebugContext(ctx, "file not seen", "error", err)
	}
	if failed := s.filesIncident(ctx, trouble, since, err == nil); failed != nil {
		return "", failed
	}
	for _, stray := range strays { // the API is the right one
		if failed := s.saw(ctx, stray.FileRef, stray.state); failed != nil {
			return "", failed
		}
	}
	if err != nil {
		return "", nil
	}
	return file.State, s.noteFound(ctx, c, now)
}

// noteFound notes that the API knows a file, and whether the site started it.
func (s *shift) noteFound(ctx context.Context, c check, now time.Time) error {
	s.mu.Lock()
	proven := s.proven
	s.mu.Unlock()
	var changes []store.StateChange
	s.files.mu.Lock()
	if now.Sub(s.files.noted) >= foundEvery {
		s.files.noted = now
		changes = append(changes, store.Found(now))
	}
	s.files.mu.Unlock()
	if !c.Created.IsZero() && !proven.Covers(s.APIURL, c.Created.Add(-time.Minute)) {
		job, err := s.Ledger.JobOf(ctx, c.Session)
		if err != nil {
			return err
		}
		if job.ID == "" { // else the file may be of our own making
			changes = append(changes, store.Proven(s.APIURL, c.Created))
		}
	}
	if len(changes) == 0 {
		return nil
	}
	if err := s.Records.Note(ctx, s.lead, changes...); err != nil {
		return err
	}
	state, err := s.Records.State(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.proven = state.Proven
	return err
}

// filesIncident keeps the one incident about files that cannot be checked. It
// closes with the first file that is found.
func (s *shift) filesIncident(ctx context.Context, trouble store.FileTrouble, since time.Time, found bool) error {
	if trouble == "" && !found {
		return nil
	}
	s.files.incident.Lock()
	defer s.files.incident.Unlock()
	i, open, err := s.current(ctx, store.IncidentFiles)
	switch {
	case err != nil:
		return err
	case found && open:
		return s.close(ctx, i)
	case trouble == "":
		return nil
	case !open:
		i = store.Incident{ID: rand.Text(), Kind: store.IncidentFiles, Opened: s.Now(), Grown: s.Now(), Since: since, Trouble: trouble}
		i.Changed(string(FilesUnavailable))
		_, err = s.Records.OpenIncident(ctx, s.lead, i)
	case i.Trouble != trouble:
		_, err = s.change(ctx, i, func(i *store.Incident) bool {
			i.Trouble = trouble
			i.Changed(string(FilesUnavailable))
			return true
		})
	}
	nudge(s.news)
	return err
}
