package store

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"
)

const (
	// verifyRounds is in how many sweeps all sessions that rest are read again.
	verifyRounds = 60
	// wideEvery is how often a sweep also looks at the keys webhook:. Nearly all
	// of their sessions are met at another key.
	wideEvery = 10
	// reseedAfter is when all that is remembered is forgotten.
	reseedAfter = 24 * time.Hour
	// manyKeys is enough for the first sweep to go by the statuses, and to leave
	// the rest to the second, and for others to be narrow.
	manyKeys = 50_000
	// maxApart is how many sessions that have a webhook: only are remembered.
	maxApart = 10_000

	askSize  = 250 // sessions whose status is asked at a time
	readSize = 100 // sessions read in one pipeline
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
	apart    map[string]bool // sessions that may have no key but webhook:
	written  map[uint64]bool // since the last sweep began
	manyKeys int64           // from how many keys on the first sweep goes by the statuses
}

// NewSweeper sweeps the Redis given.
func NewSweeper(r *Redis) *Sweeper { return &Sweeper{redis: r, manyKeys: manyKeys} }

// Written says that a session was written: what is remembered of it is not true
// any more.
func (s *Sweeper) Written(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		return
	}
	print := s.known.fingerprint([]byte(id))
	s.written[print], s.apart[id] = true, true
	if at := s.known.find(print); at.mark() == resting {
		at.stand(unsettled)
	}
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
	// Unread of them say that they are completed and have not been read, which is
	// left to the next sweep: the first over many sessions looks for trouble.
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

	webhooks         atomic.Int64 // that were seen
	sessions, unread int          // guarded by mu
	refused          error        // what Read returned
}

// asked is sessions whose status is asked of one of their keys.
type asked struct {
	prefix string
	ids    []string
}

// page is sessions to be read that were met among some keys.
type page struct {
	keys int64
	ids  []string
	bare []string // those that are said to have no webhook:
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
	if err == nil {
		w.known.dropUnseen()
		w.sweeps++
		if w.seen != nil {
			w.survey = w.seen.survey()
		}
	}
	if w.refused == nil {
		err = silence(err)
	}
	return SweepSums{Sessions: w.sessions, Unread: w.unread, Survey: w.survey}, err
}

// passes goes through the keys that this sweep looks at. A quick one first goes by
// the prompts. Where there are more other keys than belong to those, the sessions
// that have none are looked for as well; a few are left to the next sweep.
func (w *sweep) passes(ctx context.Context) error {
	switch {
	case w.wide:
		return w.pass(ctx, "")
	case !w.quick:
		return w.pass(ctx, "[ps]*") // prompt: and session:
	}
	if err := w.pass(ctx, prefixPrompt+"*"); err != nil {
		return err
	}
	prompts, others := int64(w.sessions), w.keys-int64(w.sessions)-w.webhooks.Load()
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
	if w.known == nil || w.Now.Sub(w.made) >= reseedAfter {
		w.known, w.made, w.sweeps, w.apart = newRemembered(), w.Now, 0, map[string]bool{}
	}
	w.known.unsee()
	w.written = map[uint64]bool{}
	w.quick = w.sweeps == 0 && w.keys > w.manyKeys && !w.whole
	w.wide = !w.quick && (w.keys <= w.manyKeys || w.sweeps <= 1 || w.sweeps%wideEvery == 0 || len(w.apart) > maxApart)
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
			lane := &lane{sweep: w, master: master}
			var rest *pace
			if w.Pace {
				rest = &pace{}
			}
			return scan(ctx, master, match, rest, lane.visit, lane.page)
		})
	})
	for range 2 {
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

// lane is the keys of one master.
type lane struct {
	*sweep
	master *redis.Client
	pages  int
	asks   asked
	reads  page
	some   []string // of its keys, whose memory is asked
}

// visit looks at a key that was scanned.
func (l *lane) visit(key []byte) {
	l.reads.keys++
	if l.seen != nil {
		l.seen.key(key)
		if len(l.some) < samplesPerOne && l.seen.samples(l.pages) {
			l.some = append(l.some, string(key))
		}
	}
	id := sessionOf(key)
	if len(id) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	print := l.known.fingerprint(id)
	at := l.known.find(print)
	switch mark := at.mark(); {
	case at.seen(): // at another key, or shown twice by SCAN
	case l.quick:
		at.stand(unsettled)
		at.see()
		l.asks.prefix = prefixWebhook
		if l.lookups {
			l.asks.prefix = prefixLookup
		}
		l.asks.ids = append(l.asks.ids, string(id))
	case mark == resting && at.slice(print) != l.sweeps%verifyRounds:
		at.see()
		l.sessions++
		l.Rest(id, at.resting(l.Now))
	default:
		if mark != resting {
			at.stand(unsettled)
		}
		at.see()
		l.reads.ids = append(l.reads.ids, string(id))
	}
}

// page is to hand over what a page of keys asks for.
func (l *lane) page() func(context.Context) error {
	asks, reads, some := l.asks, l.reads, l.some
	l.asks, l.reads, l.some, l.pages = asked{}, page{}, nil, l.pages+1
	return func(ctx context.Context) error {
		if len(some) > 0 {
			if err := l.seen.sample(ctx, l.master, some); err != nil {
				return err
			}
		}
		if len(asks.ids) > 0 {
			select {
			case l.sweep.asks <- asks:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return l.toRead(ctx, reads)
	}
}

func (w *sweep) toRead(ctx context.Context, p page) error {
	select {
	case w.reads <- p:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ask asks for statuses. Who is completed is left for now; all others are read.
func (w *sweep) ask(ctx context.Context) error {
	for a := range w.asks {
		for len(a.ids) > 0 {
			ids := a.ids[:min(len(a.ids), askSize)]
			a.ids = a.ids[len(ids):]
			var reads page
			completed := 0
			err := w.redis.statuses(ctx, a.prefix, ids, func(i int, exists bool, s Status) {
				if exists && a.prefix == prefixWebhook {
					w.webhooks.Add(1)
				}
				switch {
				case s == StatusCompleted:
					completed++
				case !exists && a.prefix == prefixWebhook:
					reads.bare = append(reads.bare, ids[i])
				default:
					reads.ids = append(reads.ids, ids[i])
				}
			})
			if err == nil {
				err = w.toRead(ctx, reads)
			}
			if err != nil {
				return err
			}
			w.mu.Lock()
			w.sessions, w.unread = w.sessions+completed, w.unread+completed
			w.mu.Unlock()
		}
	}
	return nil
}

// read reads sessions and hands them over.
func (w *sweep) read(ctx context.Context) error {
	var ids, bare queue
	var scanned, done int64
	for more := true; more; {
		var p page
		p, more = <-w.reads
		ids, bare, scanned = append(ids, p.ids...), append(bare, p.bare...), scanned+p.keys
		for _, q := range []struct {
			*queue
			look func(context.Context, []string) ([]Session, error)
		}{{&ids, w.redis.look}, {&bare, w.redis.lookBare}} {
			for next := q.next(more); len(next) > 0; next = q.next(more) {
				if err := w.readSome(ctx, next, q.look); err != nil {
					return err
				}
				done += int64(len(next))
				w.told(scanned, done, len(ids)+len(bare))
			}
		}
		w.told(scanned, done, len(ids)+len(bare))
	}
	return ctx.Err()
}

// queue is sessions that are to be read.
type queue []string

// next is those that are read together: as many as are worth it, while more come.
func (q *queue) next(more bool) []string {
	n := len(*q)
	if n < readSize && more {
		return nil
	}
	n = min(n, readSize)
	next := (*q)[:n]
	*q = (*q)[n:]
	return next
}

// told tells how many keys were looked at: those of sessions that are still to
// be read were not.
func (w *sweep) told(scanned, done int64, left int) {
	if w.seen != nil {
		w.seen.scanned(int64(float64(scanned) * float64(done+1) / float64(done+1+int64(left))))
	}
}

func (w *sweep) readSome(ctx context.Context, ids []string, look func(context.Context, []string) ([]Session, error)) error {
	sessions, err := look(ctx, ids)
	if err != nil {
		return err
	}
	w.mu.Lock()
	there := sessions[:0]
	for _, s := range sessions {
		print := w.known.fingerprint([]byte(s.ID))
		at := w.known.find(print)
		if s.Layout() == LayoutNone { // gone in the meantime
			at.stand(unsettled)
			at.unsee()
			delete(w.apart, s.ID)
			continue
		}
		if s.Prompt.Exists || s.Lookup.Exists {
			delete(w.apart, s.ID)
		} else {
			w.apart[s.ID] = true
		}
		r, rests := restingOf(s, w.Now)
		if !rests || w.written[print] || !at.rest(r, w.Now) {
			at.stand(unsettled)
		}
		there = append(there, s)
	}
	w.sessions += len(there)
	w.mu.Unlock()
	w.refused = w.Read(there)
	return w.refused
}

// restingOf is what is to be remembered of a session, if it rests: whatever is
// known of its payment, only a write can change its verdict.
func restingOf(s Session, now time.Time) (r Resting, rests bool) {
	d := Diagnose(Evidence{Session: s, Payment: Payment{State: PaymentUnverified, Why: NoStripeKey}}, now, Thresholds{})
	if d.Verdict != VerdictCompleted {
		return r, false
	}
	r = Resting{Length: Length(s.PromptText()), At: first(d.PaidAt, d.Since)}
	var least time.Duration
	for _, key := range s.Keys() {
		if !key.Exists {
			continue
		}
		if r.Keys++; r.Keys == 1 || key.TTL < least {
			least = key.TTL
		}
	}
	r.Expires = now.Add(least)
	return r, least > 0 && !r.At.IsZero()
}

// readApart reads the sessions that a narrow sweep does not meet, and those that
// are gone.
func (w *sweep) readApart(ctx context.Context) error {
	var ids []string
	w.mu.Lock()
	for id := range w.apart {
		if at := w.known.find(w.known.fingerprint([]byte(id))); !at.seen() {
			at.stand(unsettled)
			at.see()
			ids = append(ids, id)
		}
	}
	w.mu.Unlock()
	for len(ids) > 0 {
		n := min(len(ids), readSize)
		if err := w.readSome(ctx, ids[:n], w.redis.look); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

// prefixes are those of a session's keys.
var prefixes = []string{prefixPrompt, prefixLookup, prefixWebhook}

// sessionOf is the id of the session that a key is of, empty for keys of anything
// else.
func sessionOf(key []byte) (id []byte) {
	for _, prefix := range prefixes {
		if id, ok := bytes.CutPrefix(key, []byte(prefix)); ok {
			return id
		}
	}
	return nil
}

// Sessions reads several sessions, a hundred in a round trip, in the order of
// the ids.
func (r *Redis) Sessions(ctx context.Context, ids []string) ([]Session, error) {
	all := make([]Session, 0, len(ids))
	for len(ids) > 0 {
		n := min(len(ids), readSize)
		sessions, err := r.sessions(ctx, ids[:n])
		if err != nil {
			return nil, err
		}
		all, ids = append(all, sessions...), ids[n:]
	}
	return all, nil
}
