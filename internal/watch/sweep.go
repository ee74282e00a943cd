package watch

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/sweep"
)

const (
	// history is how far back sessions are called out when the watch begins.
	history = 24 * time.Hour
	// restFactor is for how many times its duration no sweep follows another: they
	// take at most a tenth of Redis' time.
	restFactor = 10
	// keptFor is the least time for which the figures of a sweep are shown.
	keptFor = sweep.FullEvery + 10*time.Minute
)

// sweepAfterListening waits a moment for Redis' notifications: when they begin all
// sessions have to be read again.
func (s *shift) sweepAfterListening(ctx context.Context) error {
	select {
	case <-s.listening:
	case <-time.After(s.Timings.FirstSweep):
	case <-ctx.Done():
		return nil
	}
	return s.sweep(ctx)
}

// sweep looks at all sessions there are, which needs nothing but Redis, and has
// those looked at that seem to be in trouble.
func (s *shift) sweep(ctx context.Context) error {
	started := s.Now()
	before, err := s.Records.State(ctx)
	if s.last.IsZero() {
		s.last = before.Swept
	}
	full := false
	if err == nil {
		full, err = s.sweepAll(ctx, before, started)
	}
	if ctx.Err() != nil {
		return err
	}
	took := s.Now().Sub(started)
	s.Metrics.Swept(err == nil, full, took)
	if s.rest = s.Interval - took; err == nil { // one that failed cost Redis nothing
		s.rest = s.sweepPause(took)
	}
	if err == nil && !s.swept {
		s.swept = true
		s.gap(ctx, s.last)
	}
	s.report(ctx, store.PartSweep, err)
	return err
}

// sweepPause is how long to wait after a sweep.
func (w *Watch) sweepPause(took time.Duration) time.Duration {
	return max(w.Interval-took, restFactor*took)
}

// counting is what a sweep finds beside its figures.
type counting struct {
	due          []check // the newest files that have to be asked for
	pastDue      bool    // there are such of sessions from before the watch began
	state        store.WatchState
	silent       time.Time // since when Stripe is
	unverifiable map[store.Unverified]int
	unknown      bool // Stripe did not tell of a payment yet
}

func (s *shift) sweepAll(ctx context.Context, state store.WatchState, started time.Time) (full bool, err error) {
	s.mu.Lock()
	count := counting{state: state, silent: s.silent, unverifiable: map[store.Unverified]int{}}
	s.mu.Unlock()
	swept, err := s.sweeper.Sweep(ctx, sweep.Options{
		Now: started, Limits: s.Limits, FullEvery: max(sweep.FullEvery, 3*s.rest),
		Evidence: func(ctx context.Context, sessions []store.Session) ([]store.Evidence, error) {
			return s.evidence(ctx, sessions, s.payments)
		},
		Visit: func(ctx context.Context, found []sweep.Observation) error { return s.visit(ctx, found, &count) },
	})
	if err != nil {
		return false, err
	}
	if !swept.Count.Complete { // one of Redis' answers did not come in time
		return swept.Full, store.ErrSilent
	}
	s.files.replace(count.due, s.Now())
	s.mu.Lock()
	s.verified, s.sessions, s.checked = s.verified || !count.unknown, swept.Count.Sessions, !count.pastDue
	s.mu.Unlock()
	if err := s.emptyRedis(ctx, state, started); err != nil {
		return swept.Full, err
	}
	if swept.Full {
		if err := s.Files.Keep(ctx); err != nil {
			return true, err
		}
	}
	if err := s.through(ctx, swept.Reads, s.Now().Sub(started)); err != nil {
		return swept.Full, err
	}
	if err := s.unverified(ctx, count.unverifiable); err != nil {
		return swept.Full, err
	}
	return swept.Full, s.keep(ctx, swept.Count, started)
}

// through notes that the sweep went through, and has the sessions of incidents
// looked at, also those of which Redis holds nothing any more.
func (s *shift) through(ctx context.Context, reads store.Layout, took time.Duration) error {
	incidents, err := s.open(ctx)
	if err != nil {
		return err
	}
	now := s.Now()
	var dues []store.Due
	for id, m := range index(incidents) {
		if m.Gone.IsZero() {
			dues = append(dues, store.Due{Session: id, At: now})
		}
	}
	if err := s.Records.Put(ctx, dues...); err != nil {
		return err
	}
	s.nudge()
	changes := []store.StateChange{store.Swept(now), store.Pause(s.sweepPause(took)), store.Reads(reads)}
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

// keep makes what was counted the answer to who asks for figures, until sweeps
// have failed for so long that it is better to count again.
func (s *shift) keep(ctx context.Context, c store.Count, now time.Time) error {
	r := store.Rollup{AsOf: now, Count: c}
	if server, err := s.Product.Server(ctx); err == nil {
		r.Server = &server
	} else {
		s.Log.DebugContext(ctx, "Redis does not tell about itself", "error", err)
	}
	s.Metrics.Counted(&r)
	return s.Statistics.SaveRollup(ctx, s.lead, r, max(keptFor, 5*s.Interval, 3*s.rest))
}

// evidence is what is known of sessions besides their keys.
func (s *shift) evidence(ctx context.Context, sessions []store.Session, payments store.KnownPayments) ([]store.Evidence, error) {
	sources := store.Sources{Files: s.Files, Jobs: s.Ledger, Limits: s.Limits, Now: s.Now,
		Proven: func(_ context.Context, created time.Time) bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.proven.Covers(s.APIURL, created)
		}}
	return sources.Evidence(ctx, sessions, payments)
}

// payments are those that the watch knows without asking.
func (s *shift) payments(ctx context.Context, ids []string) (map[string]store.Payment, error) {
	known, err := s.Records.Known(ctx, ids)
	if err != nil {
		return nil, err
	}
	payments := make(map[string]store.Payment, len(ids))
	for _, id := range ids {
		payments[id] = s.payment(doubt{id: id, paid: known[id].Paid})
	}
	return payments, nil
}

// visit puts the sessions that are in trouble on the due list.
func (s *shift) visit(ctx context.Context, found []sweep.Observation, count *counting) error {
	now := s.Now()
	var dues []store.Due
	for _, o := range found {
		past := since(o.Diagnosis).Before(count.state.Epoch)
		s.noteDue(count, o, past, now)
		count.unknown = count.unknown || o.Payment.Why == store.StripeNoAnswer
		d := doubt{id: o.Session.ID, quick: o.Diagnosis, payment: o.Payment}
		switch {
		case !s.alerted(d.quick.Verdict) || past && count.state.HistoryTold || s.fixed(d.quick.Verdict, o.Session):
		case s.unverifiable(d):
			if why := d.payment.Why; why == store.StripeWrongMode || !count.silent.IsZero() && d.quick.PaidAt.Add(s.Limits.OrphanGrace).After(count.silent) {
				count.unverifiable[why]++
			}
		case past:
			if d.payment.Why != store.StripeNoAnswer { // else it is not known yet
				s.before(s.caseOf(ctx, d, d.quick, now))
			}
		default:
			dues = append(dues, store.Due{Session: o.Session.ID, At: now})
		}
	}
	return s.Records.Put(ctx, dues...)
}

// noteDue notes the file of a session if it has to be asked for by now.
func (s *shift) noteDue(count *counting, o sweep.Observation, past bool, now time.Time) {
	c := check{o.Session.FileRef(now), startOf(o.Diagnosis, now), o.File}
	if !s.files.due(c, now, s.Limits) {
		return
	}
	count.pastDue = count.pastDue || past
	if count.due = append(count.due, c); len(count.due) >= 2*maxChecks {
		count.due = newest(count.due)
	}
}

// salesWithin is how far back a sale has to have its session in Redis.
const salesWithin = 29 * 24 * time.Hour

// emptyRedis keeps the incident about a Redis that holds no session although
// Stripe lists sales: it is not the site's.
func (s *shift) emptyRedis(ctx context.Context, state store.WatchState, now time.Time) error {
	i, open, err := s.current(ctx, store.IncidentEmpty)
	s.mu.Lock()
	empty := s.sessions == 0
	s.mu.Unlock()
	// The site stores a session before it can be paid.
	sold := !state.Sold.IsZero() && state.Sold.Before(now) && now.Sub(state.Sold) < salesWithin
	switch {
	case err != nil || empty == open || empty && !sold:
		return err
	case !empty:
		return s.close(ctx, i)
	}
	i = store.Incident{ID: rand.Text(), Kind: store.IncidentEmpty, Opened: now, Grown: now, Since: now}
	i.Changed(string(RedisEmpty))
	_, err = s.Records.OpenIncident(ctx, s.lead, i)
	return err
}
