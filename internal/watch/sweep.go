package watch

import (
	"context"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// sweep looks at all sessions there are, which needs nothing but Redis, and has
// those looked at that seem to be in trouble.
func (s *shift) sweep(ctx context.Context) error {
	started := s.Now()
	before, err := s.Records.State(ctx)
	if err == nil {
		err = s.sweepFrom(ctx, before)
	}
	if ctx.Err() != nil {
		return err
	}
	s.Metrics.Swept(err == nil, s.Now().Sub(started))
	if err == nil {
		s.gap(ctx, before.Swept)
	}
	s.report(ctx, store.PartSweep, err)
	return err
}

// history is how far back sessions are called out when the watch begins.
const history = 24 * time.Hour

func (s *shift) sweepFrom(ctx context.Context, state store.WatchState) error {
	count := counting{tally: store.NewTally(s.Now()), unverifiable: map[store.Unverified]int{}}
	survey, err := s.Product.Sweep(ctx, func(sessions []store.Session) error {
		return s.sweepBatch(ctx, sessions, state, &count)
	})
	if err != nil {
		return err
	}
	incidents, err := s.open(ctx)
	if err != nil {
		return err
	}
	var dues []store.Due
	for _, m := range index(incidents) { // also those of which Redis holds nothing any more
		if m.Gone.IsZero() {
			dues = append(dues, store.Due{Session: m.ID, At: s.Now()})
		}
	}
	if err := s.Records.Put(ctx, dues...); err != nil {
		return err
	}
	s.nudge()
	now := s.Now()
	changes := []store.StateChange{store.Swept(now)}
	if ms := s.notified.Load(); ms > 0 {
		changes = append(changes, store.Notified(time.UnixMilli(ms)))
	}
	if err := s.Records.Note(ctx, s.lead, changes...); err != nil {
		return err
	}
	s.mu.Lock()
	s.sweeps++
	s.mu.Unlock()
	if state, err = s.Records.State(ctx); err == nil {
		s.Metrics.Watched(state)
	}
	if err := s.keep(ctx, count.tally.Count(), survey, now); err != nil {
		return err
	}
	return s.unverified(ctx, count.unverifiable)
}

// counting is what a sweep counts.
type counting struct {
	tally        *store.Tally
	unverifiable map[store.Unverified]int
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
const keptFor = 10 * time.Minute

// sweepBatch counts sessions, and puts those in trouble on the due list.
func (s *shift) sweepBatch(ctx context.Context, sessions []store.Session, state store.WatchState, count *counting) error {
	now := s.Now()
	var open []string // without a status
	for _, session := range sessions {
		if session.Status() == store.StatusNone {
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
		d.quick = store.Diagnose(store.Evidence{Session: session, Payment: d.payment}, now, s.Limits)
		count.tally.Add(session, d.quick)
		switch told := since(d.quick).Before(state.Epoch) && state.HistoryTold; {
		case !s.alerted(d.quick.Verdict) || told || s.fixed(session):
		case s.unverifiable(d):
			if why := d.payment.Why; why == store.StripeWrongMode || !silent.IsZero() && d.quick.PaidAt.Add(s.Limits.OrphanGrace).After(silent) {
				count.unverifiable[why]++
			}
		default:
			dues = append(dues, store.Due{Session: session.ID, At: now})
		}
	}
	return s.Records.Put(ctx, dues...)
}
