package watch

import (
	"context"
	"time"

	"github.com/superduperai/sessionbot/store"
)

const (
	// overlap is how far back each pass reads again: Stripe lists some events
	// later than they were created.
	overlap = 15 * time.Minute
	// eventsKept is how far back Stripe lists events.
	eventsKept = 30 * 24 * time.Hour
	// listEvery and listBack: sessions are listed for events that were never
	// created. A session is paid within a day.
	listEvery = time.Hour
	listBack  = 25 * time.Hour
	// passFor bounds a pass; the first reads a month.
	passFor = 10 * time.Minute
	// pendingFor is the age under which an undelivered event proves nothing.
	pendingFor = 10 * time.Minute
)

// passEvery is the time between two passes over Stripe's lists: a minute, as the
// grace time is counted in minutes, or less where sweeps come more often.
func (w *Watch) passEvery() time.Duration { return min(w.Interval, time.Minute) }

// pass reads what was paid since the last pass, and has each session looked at
// when its grace time ends.
func (s *shift) pass(ctx context.Context) error {
	err := s.readStripe(ctx)
	if ctx.Err() != nil {
		return err
	}
	state, stateErr := s.Records.State(ctx)
	if stateErr != nil {
		return stateErr
	}
	s.mu.Lock()
	switch {
	case err == nil:
		if !s.caughtUp { // there may be sessions that nobody looked at for want of an answer
			s.hearing.lost = s.Now()
		}
		s.silent, s.caughtUp = time.Time{}, true
	case s.silent.IsZero():
		s.silent = state.Passed // zero before the first: then nothing is verified
		if s.silent.IsZero() {
			s.silent = state.Epoch
		}
		s.caughtUp = false
	}
	s.mu.Unlock()
	if err == nil {
		err = s.verifiable(ctx)
	}
	s.report(ctx, partStripe, err)
	return err
}

func (s *shift) readStripe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, passFor)
	defer cancel()
	state, err := s.Records.State(ctx)
	if err != nil {
		return err
	}
	now := s.Now()
	from := now.Add(-eventsKept)
	if from.Before(state.Cursor) {
		from = state.Cursor.Add(-overlap)
	}
	take := func(page []store.Paid) error { return s.paid(ctx, page) }
	if err := s.Stripe.PaidEvents(ctx, from, now, take); err != nil {
		return err
	}
	if err := s.Records.Note(ctx, s.lead, store.Cursor(now)); err != nil {
		return err
	}
	if now.Sub(state.Listed) >= listEvery {
		if err := s.Stripe.PaidSessions(ctx, now.Add(-listBack), take); err != nil {
			return err
		}
		if err := s.Records.Note(ctx, s.lead, store.Listed(now)); err != nil {
			return err
		}
	}
	return s.Records.Note(ctx, s.lead, store.Passed(now))
}

// paid remembers payments, and puts their sessions on the due list.
func (s *shift) paid(ctx context.Context, page []store.Paid) error {
	if err := s.Records.SavePaid(ctx, page...); err != nil {
		return err
	}
	dues := make([]store.Due, len(page))
	for n, p := range page {
		dues[n] = store.Due{Session: p.Payment.SessionID, At: paidAt(p.Payment).Add(s.Limits.OrphanGrace + time.Millisecond)}
	}
	return s.Records.Put(ctx, dues...)
}

func paidAt(p store.Payment) time.Time {
	if p.ChargedAt.IsZero() {
		return p.Created
	}
	return p.ChargedAt
}

// undelivered is Stripe's list of the events that did not reach the site.
type undelivered struct {
	at       time.Time // when it was read
	sessions map[string]bool
	whole    bool
}

// eventOf tells how far Stripe got with telling the site of the payment.
func (s *shift) eventOf(ctx context.Context, paid *store.Paid, now time.Time) (store.EventState, error) {
	switch {
	case paid == nil || s.Stripe == nil:
		return store.EventUnknown, nil
	case paid.EventID == "" && now.Sub(paidAt(paid.Payment)) < overlap:
		return store.EventUnknown, nil // it may be listed yet
	case paid.EventID == "":
		return store.EventNone, nil
	}
	list, err := s.undelivered(ctx, now)
	switch {
	case err != nil:
		return store.EventUnknown, err
	case !list.sessions[paid.Payment.SessionID] && (!list.whole || paid.EventAt.After(list.at)):
		return store.EventUnknown, nil
	case !list.sessions[paid.Payment.SessionID]:
		return store.EventDelivered, nil
	case now.Sub(paid.EventAt) < pendingFor:
		return store.EventPending, nil
	}
	return store.EventFailed, nil
}

// undelivered reads Stripe's list, unless that was done since about the last pass.
func (s *shift) undelivered(ctx context.Context, now time.Time) (undelivered, error) {
	s.listing.Lock()
	defer s.listing.Unlock()
	s.mu.Lock()
	last := s.events
	s.mu.Unlock()
	if now.Sub(last.at) < s.passEvery() {
		return last, nil
	}
	limited, cancel := context.WithTimeout(ctx, callFor)
	defer cancel()
	sessions, whole, err := s.Stripe.Undelivered(limited, now.Add(-listBack), now)
	if err != nil {
		return undelivered{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = undelivered{at: now, sessions: sessions, whole: whole}
	return s.events, nil
}
