// Package watch is what runs unasked: it finds sessions that are in trouble,
// groups them into incidents and sees each of those told, once. Of several
// replicas one leads and watches. Found are they by what Stripe says was paid,
// by what Redis says was written, and always by the sweep, which needs neither.
// Files that sessions name are asked for once they are due.
// What is told and when is decided by pure functions. How people read it, and
// how it reaches them, is not known here.
package watch

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/sweep"
)

const (
	callFor = 10 * time.Second // one round's questions to Redis
)

// Stripe lists what was paid. Pages come newest first. Where Stripe does not tell,
// the error wraps a store.Unverified.
type Stripe interface {
	PaidEvents(ctx context.Context, from, to time.Time, page func([]store.Paid) error) error
	PaidSessions(ctx context.Context, since time.Time, page func([]store.Paid) error) error
	// Undelivered are the ids of the sessions and payment intents of which an event
	// did not reach every endpoint yet. Where whole is false others may be missing.
	Undelivered(ctx context.Context, from, to time.Time) (ids map[string]bool, whole bool, err error)
}

// Examiner looks at all there is of a session but its payment, which is known.
type Examiner interface {
	ExaminePaid(ctx context.Context, p store.Payment) store.Examination
}

// Teller shows incidents to people. What fails with a *Refusal was not done, or
// may not have been. What is new carries a mark.
type Teller interface {
	Post(ctx context.Context, i store.Incident, d Decision, mark string) (store.Message, error)
	Update(ctx context.Context, i store.Incident) error
	Reply(ctx context.Context, i store.Incident, d Decision, mark string) error
}

// Finder finds the message that carries the mark the incident is being posted
// with, in its thread where it has a place already; false where there is none.
type Finder interface {
	Find(ctx context.Context, i store.Incident) (store.Message, bool, error)
}

// ErrMayNotLook means that a Finder is not allowed to read the channel.
var ErrMayNotLook = errors.New("nobody may look into the channel")

// Metrics counts; see health.Metrics.
type Metrics interface {
	Swept(ok, full bool, took time.Duration)
	Watched(state store.WatchState)
	Counted(r *store.Rollup) // nil = somebody else counts
	Alerted(reason string)
	Untold(incidents int)
}

// Config is what a Watch works with. Everything is required but what is said to
// be optional.
type Config struct {
	Records    *store.Watch
	Product    *store.Redis
	Statistics *store.Statistics
	Ledger     *store.Ledger
	Stripe     Stripe              // nil = no key is configured
	Payments   store.PaymentReader // likewise
	// OtherMode tells whether the key cannot see the session: the one is live, the
	// other a test. nil = it sees all.
	OtherMode func(session string) bool
	Examiner  Examiner
	API       FileAPI
	APIURL    string // SUPERDUPERAI_URL
	Files     FileRecords
	Teller    Teller
	Finder    Finder
	AlertOn   []store.Verdict
	FixTexts  []string // mark what a repair of ours marked as error
	Limits    store.Thresholds
	Interval  time.Duration // between two sweeps
	Timings   Timings
	Metrics   Metrics
	Log       *slog.Logger
	Now       func() time.Time
}

// Watch is one replica's part in watching.
type Watch struct {
	Config
	owner string
	wake  chan struct{}

	postedMu sync.Mutex
	posted   map[string]store.Message // by mark: what Redis was away for when it was to be noted
}

// New prepares a Watch.
func New(cfg Config) *Watch {
	return &Watch{Config: cfg, owner: rand.Text(), wake: make(chan struct{}, 1), posted: map[string]store.Message{}}
}

// Look has a session looked at soon, such as after a repair, by whoever leads.
func (w *Watch) Look(ctx context.Context, session string) error {
	err := w.Records.Put(ctx, store.Due{Session: session, At: w.Now()})
	w.nudge()
	return err
}

func (w *Watch) nudge() { nudge(w.wake) }

func nudge(wake chan struct{}) {
	select {
	case wake <- struct{}{}:
	default: // it is about to look anyway
	}
}

// Ready tells what is wrong with the watch as a whole, whoever leads: nil where a
// sweep went through within the last three intervals, counted from the start, or
// three times the pause that is in force.
func (w *Watch) Ready(ctx context.Context, started time.Time) error {
	state, err := w.Records.State(ctx)
	if err != nil {
		return errors.New("the watch cannot be asked: Redis does not answer")
	}
	last := state.Swept
	if last.Before(started) {
		last = started
	}
	if age := w.Now().Sub(last); age > 3*max(w.Interval, state.Pause) {
		return fmt.Errorf("no sweep went through for %s", age.Round(time.Second))
	}
	return nil
}

// Run watches whenever it gets the lead, until ctx ends.
func (w *Watch) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		limited, done := context.WithTimeout(ctx, callFor)
		lead, ok, err := w.Records.Acquire(limited, w.owner)
		switch {
		case ok:
			w.lead(ctx, lead)
		case err != nil && ctx.Err() == nil:
			w.Log.WarnContext(ctx, "the watch stands still: Redis does not say who leads", "error", err)
		case err == nil:
			w.Metrics.Counted(nil)
			if state, err := w.Records.State(limited); err == nil {
				w.Metrics.Watched(state)
			}
		}
		done()
		_ = pause(ctx, w.Timings.Follow) // the loop sees that ctx ended
	}
	return nil
}

// lead watches until the lead is lost or ctx ends.
func (w *Watch) lead(ctx context.Context, lead store.Lead) {
	if err := w.Records.Begin(ctx, w.Now().Add(-history)); err != nil {
		w.Log.WarnContext(ctx, "the watch could not begin", "error", err)
		return
	}
	w.Log.InfoContext(ctx, "leading the watch")
	held, stop := context.WithCancel(ctx)
	defer stop()
	s := w.shift(lead)
	if state, err := w.Records.State(ctx); err == nil { // else it is read when it is next noted
		s.proven, s.files.health.found = state.Proven, state.Found
	}
	var loops sync.WaitGroup
	loops.Go(func() { s.renew(held, stop) })
	loops.Go(func() { s.every(held, "look", until(w.Timings.Round), w.wake, s.look) })
	loops.Go(func() { s.every(held, "tell", until(w.Timings.Round), s.news, s.tell) })
	loops.Go(func() {
		s.every(held, store.PartSweep, func(time.Duration) time.Duration { return s.rest }, nil, s.sweepAfterListening)
	})
	loops.Go(func() { s.every(held, "files", until(w.Timings.Files), nil, s.checkFiles) })
	if w.Stripe != nil {
		loops.Go(func() { s.every(held, store.PartStripe, until(w.passEvery()), nil, s.pass) })
	}
	loops.Go(func() { s.every(held, store.PartNotifications, until(w.Timings.Listen), nil, s.listen) })
	loops.Wait()
	if ctx.Err() == nil {
		w.Log.WarnContext(ctx, "the lead of the watch is lost")
		return
	}
	free, done := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer done()
	if err := w.Records.Resign(free, w.owner); err != nil {
		w.Log.Warn("the lead was not given free: others get it when it ends", "error", err)
	}
}

// shift is the time of one lead.
type shift struct {
	*Watch
	lead    store.Lead
	sweeper *sweep.Sweeper
	files   checks
	news    chan struct{} // there is something to tell

	swept bool          // a sweep went through
	rest  time.Duration // until the next one
	last  time.Time     // when one did before
	began time.Time     // the term

	listening  chan struct{} // closed once notifications have begun, or cannot
	listenOnce sync.Once

	reporting sync.Mutex // one at a time keeps the incident about the watch itself

	mu        sync.Mutex                // over what follows
	incidents map[string]store.Incident // as last read or stored
	past      *past                     // nil = what was before is settled
	fails     map[string]int            // in a row, by part
	silent    time.Time                 // since when Stripe is, zero = it answers
	caughtUp  bool                      // Stripe told all that was paid until lately
	verified  bool                      // a sweep looked at all sessions and knew of all payments
	sessions  int                       // that the last sweep counted; negative = none went through yet
	checked   bool                      // it found no file that was due to be asked for
	proven    store.Proof               // as last read or noted
	sold      time.Time                 // of the newest sale that is noted
	why       store.Unverified          // it is silent
	eventless bool                      // Stripe lets nobody read its events with this key
	events    undelivered

	asking *rate.Limiter // questions to Stripe about one session

	listing  sync.Mutex   // one at a time reads Stripe's list of events
	unseeing atomic.Bool  // nobody may look into the channel
	notified atomic.Int64 // when Redis last told of a write, in ms
}

func (w *Watch) shift(lead store.Lead) *shift {
	fails := map[string]int{store.PartFiles: 0} // what nobody asks does not fail
	if w.Stripe == nil {
		fails[store.PartStripe], fails[store.PartEvents] = 0, 0
	}
	return &shift{Watch: w, lead: lead, sweeper: sweep.New(w.Product), sessions: -1, began: w.Now(), listening: make(chan struct{}), files: checks{asked: map[string]time.Time{}}, incidents: map[string]store.Incident{}, past: newPast(), fails: fails, news: make(chan struct{}, 1),
		asking: rate.NewLimiter(rate.Every(w.passEvery()/asksPerPass), asks)}
}

// renew keeps the lead. Whoever cannot stops before it ends.
func (s *shift) renew(ctx context.Context, stop func()) {
	defer stop()
	renewed := s.Now()
	for pause(ctx, s.Records.LeaseTimings.Renew) == nil {
		limited, done := context.WithTimeout(ctx, s.Records.LeaseTimings.Renew)
		lead, ok, err := s.Records.Acquire(limited, s.owner)
		done()
		switch {
		case err == nil && (!ok || lead != s.lead):
			return
		case err == nil:
			renewed = s.Now()
		case s.Now().Sub(renewed) > s.Records.LeaseTimings.Life-s.Records.LeaseTimings.Renew:
			return
		}
	}
}

// open reads the incidents that are shown or to be shown.
func (s *shift) open(ctx context.Context) ([]store.Incident, error) {
	s.mu.Lock()
	known := s.incidents
	s.mu.Unlock()
	open, err := s.Records.OpenIncidents(ctx, known)
	if err != nil {
		return nil, err
	}
	fresh := make(map[string]store.Incident, len(open))
	for _, i := range open {
		fresh[i.ID] = i
	}
	s.mu.Lock()
	s.incidents = fresh
	s.mu.Unlock()
	return open, nil
}

// change changes an incident, and remembers it as it is stored then.
func (s *shift) change(ctx context.Context, i store.Incident, change func(*store.Incident) bool) (store.Incident, error) {
	changed, err := s.Records.ChangeIncident(ctx, s.lead, i, change)
	if err == nil {
		s.mu.Lock()
		s.incidents = maps.Clone(s.incidents) // open may be reading it
		s.incidents[changed.ID] = changed
		s.mu.Unlock()
	}
	return changed, err
}
