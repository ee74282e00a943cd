package watch

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
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
)

// FileAPI knows the state of a file. An error is a *store.FileError.
type FileAPI interface {
	File(ctx context.Context, fileID string) (store.File, error)
}

// FileRecords remembers what was seen of files; see sweep.Files.
type FileRecords interface {
	States(ctx context.Context, sessions []store.Session) ([]store.File, error)
	Known(ctx context.Context, ref store.FileRef) (store.File, error)
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
	mu     sync.Mutex
	queue  []check
	health fileHealth
}

// collector gathers the newest of the files that a sweep finds due.
type collector struct{ found []check }

// add takes the file of a session if it has to be asked for by now.
func (c *collector) add(s store.Session, d store.Diagnosis, last store.File, now time.Time, limits store.Thresholds) {
	if last.State == store.FileNone || last.State == store.FileCompleted || last.State == store.FileUnknown {
		return
	}
	started := cmp.Or(d.Since, d.Time(), now.Add(-store.KeyLife))
	if nextCheck(started, last, limits).After(now) {
		return
	}
	if c.found = append(c.found, check{s.FileRef(now), started, last}); len(c.found) >= 2*maxChecks {
		c.found = c.newest()
	}
}

func (c *collector) newest() []check {
	slices.SortFunc(c.found, func(a, b check) int { return b.started.Compare(a.started) })
	return c.found[:min(len(c.found), maxChecks)]
}

// replace makes a sweep's findings the queue.
func (q *checks) replace(found []check) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.queue = found
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
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(checksAtOnce)
	for {
		s.files.mu.Lock()
		wait := s.files.health.pause(s.Now())
		s.files.mu.Unlock()
		if err := pause(ctx, wait); err != nil {
			return group.Wait()
		}
		if c, ok := s.files.next(); ok {
			group.Go(func() error { return contained(func() error { return s.check(ctx, c) }) })
		}
	}
}

// check asks for one file, and has its session looked at.
func (s *shift) check(ctx context.Context, c check) error {
	known, err := s.Files.Known(ctx, c.FileRef)
	if err != nil {
		return err
	}
	state := known.State
	if state != store.FileCompleted {
		if state, err = s.ask(ctx, c); err != nil || state == store.FileUnknown {
			return err
		}
	}
	if err := s.Files.Save(ctx, c.FileRef, state); err != nil {
		return err
	}
	if err := s.Records.Put(ctx, store.Due{Session: c.Session, At: s.Now()}); err != nil {
		return err
	}
	s.nudge()
	return nil
}

// ask asks the API for the file, and keeps the incident about the API itself.
// FileUnknown means that the answer says nothing of the file.
func (s *shift) ask(ctx context.Context, c check) (store.FileState, error) {
	limited, cancel := context.WithTimeout(ctx, checkFor)
	defer cancel()
	file, err := s.API.File(limited, c.FileID)
	if ctx.Err() != nil {
		return store.FileUnknown, nil // the process ends
	}
	missing := errors.Is(err, store.FileNotFound)
	s.files.mu.Lock()
	health := &s.files.health
	health.note(c.FileID, err, s.Now())
	trouble, since := health.broken(s.Now())
	unknown := slices.Clone(health.missing)
	s.files.mu.Unlock()
	if err != nil && !missing && trouble == "" {
		s.Log.DebugContext(ctx, "file not checked", "error", err)
	}
	open, failed := s.filesIncident(ctx, trouble, since, err == nil, unknown)
	switch {
	case failed != nil:
		return store.FileUnknown, failed
	case err == nil:
		return file.State, s.prove(ctx, c)
	case missing && !open:
		return store.FileMissing, nil
	}
	return store.FileUnknown, nil
}

// prove notes that the API knows a file that the site started.
func (s *shift) prove(ctx context.Context, c check) error {
	s.mu.Lock()
	proven := s.proven
	s.mu.Unlock()
	if proven.Covers(s.APIURL, c.Created.Add(-time.Minute)) {
		return nil
	}
	job, err := s.Ledger.JobOf(ctx, c.Session)
	if err != nil || job.ID != "" { // the file may be of our own making
		return err
	}
	if err := s.Records.Note(ctx, s.lead, store.Proven(s.APIURL, c.Created)); err != nil {
		return err
	}
	state, err := s.Records.State(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.proven = state.Proven
	return err
}

// filesIncident keeps the one incident about files that cannot be checked, and
// reports whether it is open. It closes with the first file that is found. What a
// wrong API did not know says nothing of the files.
func (s *shift) filesIncident(ctx context.Context, trouble store.FileTrouble, since time.Time, found bool, unknown []string) (open bool, err error) {
	i, open, err := s.current(ctx, store.IncidentFiles)
	switch {
	case err != nil:
		return open, err
	case found && open:
		return false, s.close(ctx, i)
	case trouble == "":
		return open, nil
	case !open:
		i = store.Incident{ID: rand.Text(), Kind: store.IncidentFiles, Opened: s.Now(), Grown: s.Now(), Since: since, Trouble: trouble}
		i.Changed(string(FilesUnavailable))
		_, err = s.Records.OpenIncident(ctx, s.lead, i)
		for _, id := range unknown {
			err = errors.Join(err, s.Files.Save(ctx, store.FileRef{FileID: id}, store.FileUnchecked))
		}
	case i.Trouble != trouble:
		_, err = s.change(ctx, i, func(i *store.Incident) bool {
			i.Trouble = trouble
			i.Changed(string(FilesUnavailable))
			return true
		})
	}
	nudge(s.news)
	return true, err
}
