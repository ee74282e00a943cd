package watch

import (
	"context"
	"sync"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// sweep looks at all sessions there are, which needs nothing but Redis, and has
// those looked at that seem to be in trouble. While Redis is proven to tell of
// every write it is spared, and has gone through all the same.
func (s *shift) sweep(ctx context.Context) error {
	started := s.Now()
	before, err := s.Records.State(ctx)
	if s.last.IsZero() {
		s.last = before.Swept
	}
	spared := err == nil && s.spared(ctx)
	switch {
	case spared:
		err = s.spare(ctx)
	case err == nil:
		err = s.sweepAll(ctx, before)
	}
	if ctx.Err() != nil {
		return err
	}
	switch {
	case spared && err == nil:
		s.Metrics.Spared()
	default:
		s.Metrics.Swept(err == nil, s.Now().Sub(started))
	}
	if err == nil && !s.swept {
		s.swept = true
		s.gap(ctx, s.last)
	}
	s.report(ctx, store.PartSweep, err)
	return err
}

// history is how far back sessions are called out when the watch begins.
const history = 24 * time.Hour

func (s *shift) sweepAll(ctx context.Context, state store.WatchState) error {
	for {
		started := s.Now()
		count := counting{tally: store.NewTally(started), unverifiable: map[store.Unverified]int{}}
		swept, err := s.sweeper.Sweep(ctx, store.Sweeping{
			Now: started, Pace: true,
			Read: func(sessions []store.Session) error { return s.sweepBatch(ctx, sessions, state, &count) },
			Rest: count.rest,
		})
		if err != nil {
			return err
		}
		if err := s.through(ctx, everybody); err != nil {
			return err
		}
		if swept.Quick {
			continue // the next one, at once, looks at the rest
		}
		s.mu.Lock()
		s.verified = s.verified || !count.unknown
		s.full, s.doubtful = started, len(count.unverifiable) > 0
		s.mu.Unlock()
		if err := s.unverified(ctx, count.unverifiable); err != nil {
			return err
		}
		return s.keep(ctx, count.tally.Count(), swept.Survey, started)
	}
}

// through notes that the sweep went through, and has sessions of incidents looked
// at, also those of which Redis holds nothing any more.
func (s *shift) through(ctx context.Context, which func(members map[string]member, now time.Time) []string) error {
	incidents, err := s.open(ctx)
	if err != nil {
		return err
	}
	now := s.Now()
	var dues []store.Due
	for _, id := range which(index(incidents), now) {
		dues = append(dues, store.Due{Session: id, At: now})
	}
	if err := s.Records.Put(ctx, dues...); err != nil {
		return err
	}
	s.nudge()
	changes := []store.StateChange{store.Swept(s.Now())}
	if ms := s.notified.Load(); ms > 0 {
		changes = append(changes, store.Notified(time.UnixMilli(ms)))
	}
	if err := s.Records.Note(ctx, s.lead, changes...); err != nil {
		return err
	}
	state, err := s.Records.State(ctx)
	if err == nil {
		s.Metrics.Watched(state)
	}
	return err
}

// counting is what a sweep counts.
type counting struct {
	mu           sync.Mutex // over the tally
	tally        *store.Tally
	unverifiable map[store.Unverified]int
	unknown      bool // Stripe did not tell of a payment yet
}

func (c *counting) add(s store.Session, d store.Diagnosis) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tally.Add(s, d)
}

func (c *counting) rest(id []byte, r store.Resting) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tally.AddResting(id, r)
}

// keep makes what was counted the answer to who asks for figures, until sweeps
// have failed for so long that it is better to count anew.
func (s *shift) keep(ctx context.Context, c store.Count, survey store.Survey, now time.Time) error {
	c.Complete, c.Survey = true, survey
	r := store.Rollup{AsOf: now, Count: c}
	if server, err := s.Product.Server(ctx); err == nil {
		r.Server = &server
	} else {
		s.Log.DebugContext(ctx, "Redis does not tell about itself", "error", err)
	}
	s.Metrics.Counted(&r)
	return s.Records.SaveRollup(ctx, s.lead, r, max(keptFor, 5*s.Interval))
}

// keptFor is the least time for which the figures of a sweep are told.
const keptFor = fullEvery + 10*time.Minute

// sweepBatch counts sessions, and puts those in trouble on the due list.
func (s *shift) sweepBatch(ctx context.Context, sessions []store.Session, state store.WatchState, count *counting) error {
	now := s.Now()
	var open []string // whose payment matters: it is told of all that was before
	for _, session := range sessions {
		if status := session.Status(); status == store.StatusNone || !state.HistoryTold && status != store.StatusCompleted {
			open = append(open, session.ID)
		}
	}
	known, err := s.Records.Known(ctx, open)
	if err != nil {
		return err
	}
	s.mu.Lock()
	silent := s.silent
	s.mu.Unlock()
	var dues []store.Due
	for _, session := range sessions {
		d := doubt{id: session.ID, paid: known[session.ID].Paid}
		d.payment = s.payment(d)
		count.unknown = count.unknown || d.payment.Why == store.StripeNoAnswer
		d.quick = store.Diagnose(store.Evidence{Session: session, Payment: d.payment}, now, s.Limits)
		count.add(session, d.quick)
		switch told := since(d.quick).Before(state.Epoch) && state.HistoryTold; {
		case !s.alerted(d.quick.Verdict) || told || s.fixed(session):
		case s.unverifiable(d):
			if why := d.payment.Why; why == store.StripeWrongMode || !silent.IsZero() && d.quick.PaidAt.Add(s.Limits.OrphanGrace).After(silent) {
				count.unverifiable[why]++
			}
		case since(d.quick).Before(state.Epoch):
			if !state.HistoryTold && d.payment.Why != store.StripeNoAnswer { // else it is not known yet
				s.before(s.caseOf(ctx, d, d.quick, now))
			}
		default:
			dues = append(dues, store.Due{Session: session.ID, At: now})
		}
	}
	return s.Records.Put(ctx, dues...)
}
