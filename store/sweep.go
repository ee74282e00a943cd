package store

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"
)

const (
	// verifyRounds is in how many sweeps all sessions that rest are read again.
	verifyRounds = 60
	// wideEvery is how often a sweep looks at all keys. Nearly all sessions are met
	// at their prompt:, and of the others it is remembered that they have none.
	wideEvery = 10
	// reseedAfter is when all that is remembered is forgotten.
	reseedAfter = 24 * time.Hour
	// manyKeys is enough for the first sweep to go by the statuses, and to leave
	// the rest to the second, and for others to be narrow.
	manyKeys = 50_000
	// maxApart is how many sessions are remembered that have no prompt:. Where there
	// are more, or the one-key layout is in use, all sessions' keys are looked at.
	maxApart = 10_000
	// maxWritten is how many sessions that were written are remembered until the
	// next sweep. Where there are more it reads everything.
	maxWritten = 10_000

	// freshFor is how long ago it may have been written what a quick sweep looks
	// at. A checkout is open for a day at most: what is older was not paid today.
	freshFor = 48 * time.Hour

	askSize  = 500 // sessions whose status is asked at a time
	askers   = 4   // at once: Redis is never without a question
	readSize = 100 // sessions read in one pipeline
	readers  = 4   // at once: each answer waits for a page of keys
)

// Sweeper looks at all sessions again and again. Those that rest it knows by
// what it remembers of them, 12 to 16 bytes each, and reads again only in turn.
type Sweeper struct {
	redis *Redis

	mu       sync.Mutex
	known    *remembered
	made     time.Time // what is known
	sweeps   int       // that went through since
	survey   Survey
	apart    map[string]bool // sessions without prompt:
	crowded  bool            // there are too many of those to remember, or the one-key layout is in use
	written  map[string]bool // since the last sweep began
	flooded  bool            // more was than can be remembered
	missed   bool            // writes may have been
	manyKeys int64           // from how many keys on the first sweep goes by the statuses
}

// NewSweeper sweeps the Redis given.
func NewSweeper(r *Redis) *Sweeper { return &Sweeper{redis: r, manyKeys: manyKeys} }

// Written says that a session was written: what is remembered of it is not true
// any more.
func (s *Sweeper) Written(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.known == nil:
	case len(s.written) >= maxWritten:
		s.flooded = true
	default:
		s.written[id] = true
		if at := s.known.find(s.known.fingerprint([]byte(id))); at.mark() == resting {
			at.stand(unsettled)
		}
	}
}

// Missed says that writes may not have been told: the next sweep looks at all
// keys.
func (s *Sweeper) Missed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.missed = true
}

// Sweeping is one sweep.
type Sweeping struct {
	Now  time.Time
	Pace bool // let Redis serve others in between
	// Read is told the sessions that were read, in batches, which are its to look
	// at until it returns; its error ends the sweep.
	Read func([]Session) error
	// Rest is told each session that was not read since it rests. It may be called
	// while Read is. The id is valid until it returns.
	Rest func(id []byte, r Resting)
}

// SweepSums is what a sweep came to.
type SweepSums struct {
	Sessions int
	// Quick means that it looked for fresh trouble alone, as the first over many keys
	// does: the next one has to follow at once.
	Quick bool
	// Unread of them say that they are completed, or have not been written lately,
	// and have not been read by a quick sweep. Who has not been written lately may be
	// counted more than once.
	Unread int
	// Survey is of the last sweep that went through over all keys.
	Survey Survey
}

// sweep is a sweep under way.
type sweep struct {
	*Sweeper
	Sweeping
	keys    int64
	seen    *surveyor // nil: it does not see all keys
	whole   bool      // every session is read
	quick   bool      // by the statuses
	wide    bool      // over all keys
	lookups bool      // now through those of session:
	asks    chan asked
	reads   chan page

	heard            map[string]bool // sessions written before it began, since the last one did
	asked, webhooks  atomic.Int64    // sessions asked for one, and those that have it
	sessions, unread int             // guarded by mu

	handing sync.Mutex   // one batch at a time
	refused error        // what Read returned; guarded by it
	done    atomic.Int64 // sessions read
}

// asked is sessions whose status is asked of one of their keys.
type asked struct {
	prefix string
	ids    []string
}

// page is sessions to be read that were met among some keys, by the prefix of the
// only key that they are likely to have; "" = there may be others.
type page struct {
	keys int64
	ids  map[string][]string
}

func (p *page) add(only, id string) {
	if p.ids == nil {
		p.ids = map[string][]string{}
	}
	p.ids[only] = append(p.ids[only], id)
}

// Sweep looks at all sessions there are. It is an error where not all were seen.
func (s *Sweeper) Sweep(ctx context.Context, how Sweeping) (SweepSums, error) {
	w := &sweep{Sweeper: s, Sweeping: how}
	return w.run(ctx)
}

func (w *sweep) run(ctx context.Context) (SweepSums, error) {
	if err := w.begin(ctx); err != nil {
		return SweepSums{}, silence(err)
	}
	err := w.passes(ctx)
	if err == nil {
		err = w.readApart(ctx)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		maps.Copy(w.written, w.heard)
		w.missed = w.missed || w.wide
	} else {
		w.known.dropUnseen()
		w.sweeps++
		if w.seen != nil {
			w.survey = w.seen.survey()
		}
	}
	if w.refused == nil {
		err = silence(err)
	}
	return SweepSums{Sessions: w.sessions, Quick: w.quick, Unread: w.unread, Survey: w.survey}, err
}

// passes goes through the keys that this sweep looks at. Where a quick one finds
// more other keys than belong to the prompts, the sessions that have none are
// looked for as well; a few are left to the next sweep.
func (w *sweep) passes(ctx context.Context) error {
	switch {
	case w.wide:
		return w.pass(ctx, "")
	case w.crowded && !w.quick:
		return w.pass(ctx, "[pws]*") // all three keys
	}
	if err := w.pass(ctx, prefixPrompt+"*"); err != nil || !w.quick {
		return err
	}
	prompts, asked := int64(w.sessions), max(1, w.asked.Load())
	others := w.keys - prompts - prompts*w.webhooks.Load()/asked
	if others <= prompts+w.manyKeys/100 {
		return nil
	}
	w.lookups = true
	return w.pass(ctx, prefixLookup+"*")
}

// begin decides how the sweep is done.
func (w *sweep) begin(ctx context.Context) error {
	var keys atomic.Int64
	err := w.redis.masters(ctx, func(ctx context.Context, master *redis.Client) error {
		n, err := master.DBSize(ctx).Result()
		keys.Add(n)
		return err
	})
	if err != nil {
		return err
	}
	w.keys = keys.Load()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.known == nil || w.flooded || w.Now.Sub(w.made) >= reseedAfter {
		w.known, w.made, w.sweeps, w.apart, w.crowded = newRemembered(), w.Now, 0, map[string]bool{}, false
		if w.flooded { // whoever has swept before reads everything at once
			w.sweeps = 1
		}
	}
	w.known.unsee()
	w.heard, w.written = w.written, map[string]bool{}
	w.quick = w.sweeps == 0 && w.keys > w.manyKeys && !w.whole
	w.wide = !w.quick && (w.keys <= w.manyKeys || w.sweeps <= 1 || w.sweeps%wideEvery == 0 || w.missed)
	w.flooded, w.missed = false, w.missed && !w.wide
	if w.wide && w.seen == nil {
		w.seen = newSurveyor(true, nil)
	}
	if w.seen != nil {
		w.seen.master(w.keys)
	}
	return nil
}

// pass goes once through the keys of all masters.
func (w *sweep) pass(ctx context.Context, match string) error {
	w.asks, w.reads = make(chan asked, 4), make(chan page, 4)
	group, ctx := errgroup.WithContext(ctx)
	var meeting sync.WaitGroup // all who may still have something to be read
	meet := func(do func() error) {
		meeting.Add(1)
		group.Go(func() error {
			defer meeting.Done()
			return do()
		})
	}
	meet(func() error {
		defer close(w.asks)
		return w.redis.masters(ctx, func(ctx context.Context, master *redis.Client) error {
			return w.scan(ctx, master, match)
		})
	})
	for range askers {
		meet(func() error { return w.ask(ctx) })
	}
	group.Go(func() error {
		meeting.Wait()
		close(w.reads)
		return nil
	})
	group.Go(func() error { return w.read(ctx) })
	return group.Wait()
}
