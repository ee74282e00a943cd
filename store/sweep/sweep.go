// Package sweep visits every session in Redis: it counts them, collects the newest
// prompts, and remembers which files are finished.
package sweep

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/stats"
)

const (
	// FullEvery is how often all sessions are read again by default: it bounds how late a
	// change is seen for which there was no notification.
	FullEvery = 30 * time.Minute

	scanCount = 500 // keys that one SCAN looks at: Redis is held for a millisecond or less
	readSize  = 50  // sessions read in one pipeline, for the same reason
	readers   = 2   // pipelines at a time
	// sessionKeys matches the keys of all sessions, and hardly any other.
	sessionKeys = "*:cs_*"
)

// Sweeper sweeps the sessions of one Redis repeatedly. It skips finished ones until
// they are written. It is safe for concurrent use; sweeps must not overlap.
type Sweeper struct {
	redis *rdb.Redis

	mu      sync.Mutex
	known   map[key]entry
	written map[key]bool // since the last sweep began
	missed  bool         // some writes may not be among them
	full    time.Time    // when the last full sweep that went through began
	survey  stats.Survey // of that sweep
}

// New returns a Sweeper of the product's Redis.
func New(r *rdb.Redis) *Sweeper {
	return &Sweeper{redis: r, known: map[key]entry{}, written: map[key]bool{}}
}

// key names a session: the beginning of the SHA-256 of its id.
type key [16]byte

func keyOf(id string) key {
	sum := sha256.Sum256([]byte(id))
	return key(sum[:16])
}

// Written makes the next sweep read the session again.
func (s *Sweeper) Written(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := keyOf(id)
	s.written[k] = true
	if e, ok := s.known[k]; ok {
		s.known[k] = e & seen // a sweep under way counts it once
	}
}

// Missed makes the next sweep read all sessions again: writes may have been missed.
func (s *Sweeper) Missed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.missed = true
}

// Options configure a sweep. Only Now is required.
type Options struct {
	Now    time.Time
	Limits diagnosis.Thresholds
	// Evidence returns the evidence about sessions, in their order; see diagnosis.Sources.
	Evidence func(ctx context.Context, sessions []store.Session) ([]diagnosis.Evidence, error)
	// Visit is called with the sessions that were read, one batch at a time.
	Visit func(ctx context.Context, sessions []Observation) error
	// Progress is called with how many of all keys have been looked at.
	Progress  func(scanned, keys int64)
	FullEvery time.Duration // how often all sessions are read again; 0 = FullEvery
	Newest    int           // how many of the newest prompts to collect
}

// Observation is one session as a sweep found it.
type Observation struct {
	diagnosis.Evidence
	diagnosis.Diagnosis
}

// Result is the result of a sweep.
type Result struct {
	Full       bool // every session was read
	Count      stats.Count
	Prompts    []Prompt     // newest first
	SiteLayout store.Layout // which the site reads, by the sessions visited; LayoutNone = not known
}

// run is a running sweep.
type run struct {
	*Sweeper
	Options
	full   bool
	survey *surveyor

	visiting sync.Mutex // held while Visit is called

	mu         sync.Mutex // guards what follows
	tally      *stats.Tally
	siteLayout store.Layout
	prompts    newestPrompts
}

// Sweep visits all sessions. If ctx expires or Redis times out half-way, the result
// holds what was visited until then, with Count.Complete false.
func (s *Sweeper) Sweep(ctx context.Context, o Options) (Result, error) {
	r := &run{Sweeper: s, Options: o, tally: stats.NewTally(o.Now), siteLayout: store.LayoutNone, survey: newSurveyor(o.Progress)}
	r.begin()
	err := r.visitAll(ctx)
	if err != nil && (r.survey.survey().Scanned == 0 || !timedOut(ctx, err)) {
		r.end(false)
		var callers callersError
		if errors.As(err, &callers) {
			return Result{}, callers.error
		}
		return Result{}, rdb.Classify(err)
	}
	r.end(err == nil)
	count := r.tally.Count()
	count.Complete = err == nil
	s.mu.Lock()
	defer s.mu.Unlock()
	if count.Survey = s.survey; r.full {
		count.Survey = r.survey.survey()
	}
	return Result{Full: r.full, Count: count, Prompts: r.prompts.first(o.Newest), SiteLayout: r.siteLayout}, nil
}

// callersError is an error of Evidence or Visit, which says nothing about Redis.
type callersError struct{ error }

// timedOut reports whether time ran out, of the whole or of one answer.
func timedOut(ctx context.Context, err error) bool {
	var late net.Error
	return ctx.Err() != nil || errors.As(err, &late) && late.Timeout()
}

// begin decides whether the sweep is full.
func (r *run) begin() {
	s := r.Sweeper
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.full = s.missed || s.full.IsZero() || r.Now.Sub(s.full) >= cmp.Or(r.FullEvery, FullEvery); r.full {
		clear(s.known)
	}
	for k, e := range s.known {
		s.known[k] = e &^ seen
	}
	clear(s.written)
	s.missed = false
}

// end forgets the sessions that are gone and those that have to be read again.
func (r *run) end(ok bool) {
	s := r.Sweeper
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, e := range s.known {
		if ok && e&seen == 0 || e&finished == 0 {
			delete(s.known, k)
		}
	}
	switch {
	case ok && r.full:
		s.full, s.survey = r.Now, r.survey.survey()
	case !ok && r.full:
		s.missed = true
	}
}

// visitAll scans all masters and concurrently reads what is not known to be finished.
func (r *run) visitAll(ctx context.Context) error {
	batches := make(chan []string, readers)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(batches)
		return r.redis.Masters(ctx, func(ctx context.Context, master *redis.Client) error {
			return r.scan(ctx, master, batches)
		})
	})
	for range readers {
		group.Go(func() error {
			for ids := range batches {
				if err := r.read(ctx, ids); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// scan goes through the keys of one master. A full sweep looks at all of them,
// for the survey.
func (r *run) scan(ctx context.Context, master *redis.Client, batches chan<- []string) error {
	all, err := master.DBSize(ctx).Result()
	if err != nil {
		return err
	}
	r.survey.scanned(0, all)
	match := sessionKeys
	if r.full {
		match = ""
	}
	var cursor uint64
	var ids []string
	for page, last := 0, false; !last; page++ {
		keys, next, err := master.Scan(ctx, cursor, match, scanCount).Result()
		if err != nil {
			return err
		}
		if !r.full {
			r.survey.scanned(scanCount, 0) // approximately: MATCH hides the others
		} else if err := r.survey.page(ctx, master, page, keys); err != nil {
			return err
		}
		ids = r.unread(keys, ids)
		cursor, last = next, next == 0
		for len(ids) >= readSize || last && len(ids) > 0 {
			n := min(len(ids), readSize)
			select {
			case batches <- ids[:n:n]:
				ids = ids[n:]
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

// unread appends the sessions of the keys that have to be read, and counts those
// that are finished.
func (r *run) unread(keys, ids []string) []string {
	s := r.Sweeper
	s.mu.Lock()
	defer s.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range keys {
		id, ok := store.SessionOf(name)
		if !ok {
			continue
		}
		k := keyOf(id)
		e := s.known[k]
		s.known[k] = e | seen
		switch {
		case e&seen != 0: // at another of its keys, or SCAN returned it twice
		case e&finished != 0:
			r.tally.AddFinished(id, e.length(), e.at())
			r.siteLayout = r.siteLayout.And(e.madeAs())
		default:
			ids = append(ids, id)
		}
	}
	return ids
}
