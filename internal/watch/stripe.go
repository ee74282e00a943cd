package watch

import (
	"context"
	"errors"
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
	// listFor bounds the list of one day.
	listFor = 10 * time.Minute
	// pendingFor is the age under which an undelivered event proves nothing.
	pendingFor = 10 * time.Minute
	// listLives is how many passes the list of undelivered events serves for
	// events that were there when it was read.
	listLives = 5
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
	s.Metrics.Watched(state)
	s.mu.Lock()
	switch {
	case err == nil:
		s.silent, s.caughtUp = time.Time{}, true
	case s.silent.IsZero():
		s.silent = state.Passed // zero before the first: then nothing is verified
		if s.silent.IsZero() {
			s.silent = state.Epoch
		}
		s.caughtUp = false
	}
	if s.why = store.StripeNoAnswer; err != nil {
		_ = errors.As(err, &s.why) // stays where the cause is another
	}
	s.mu.Unlock()
	if err == nil {
		err = s.verifiable(ctx)
	}
	s.report(ctx, store.PartStripe, err)
	return err
}

// readStripe reads both of Stripe's lists. Where the key may not read the events
// the list of sessions has to do: what was paid long after its checkout began is
// then found only once an hour.
func (s *shift) readStripe(ctx context.Context) error {
	state, err := s.Records.State(ctx)
	if err != nil {
		return err
	}
	err = s.readEvents(ctx, state)
	forbidden := errors.Is(err, store.StripeForbidden)
	if err != nil && !forbidden {
		return err
	}
	s.mu.Lock()
	news := forbidden && !s.eventless
	s.eventless = forbidden
	s.mu.Unlock()
	if news {
		s.Log.WarnContext(ctx, "Stripe's events may not be listed with this key: its list of sessions has to do", "error", err)
	}
	s.report(ctx, store.PartEvents, err)
	if err := s.readSessions(ctx, state, forbidden); err != nil {
		return err
	}
	return s.Records.Note(ctx, s.lead, store.Passed(s.Now()))
}

// readEvents reads the events since the last pass, a day at a time: a month of
// them may take longer than the bot lives. Where there is so much the last day
// comes first, as somebody may wait for a video.
func (s *shift) readEvents(ctx context.Context, state store.WatchState) error {
	now := s.Now()
	from := now.Add(-eventsKept)
	if from.Before(state.Cursor) {
		from = state.Cursor.Add(-overlap)
	}
	read := func(from, to time.Time) error {
		limited, cancel := context.WithTimeout(ctx, listFor)
		defer cancel()
		return s.Stripe.PaidEvents(limited, from, to, func(page []store.Paid) error { return s.paid(ctx, page) })
	}
	if now.Sub(from) > listBack {
		if err := read(now.Add(-listBack), now); err != nil {
			return err
		}
	}
	for from.Before(now) {
		to := from.Add(listBack)
		if to.After(now) {
			to = now
		}
		if err := read(from, to); err != nil {
			return err
		}
		if err := s.Records.Note(ctx, s.lead, store.Cursor(to)); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// readSessions lists the sessions of a day once an hour, and those of the last
// minutes, too, where no events tell of them.
func (s *shift) readSessions(ctx context.Context, state store.WatchState, eventless bool) error {
	now := s.Now()
	hourly := now.Sub(state.Listed) >= listEvery
	back := listBack
	switch {
	case eventless && state.Listed.IsZero():
		back = eventsKept
	case eventless && !hourly:
		back = overlap
	case !hourly:
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, listFor*(1+back/listBack))
	defer cancel()
	err := s.Stripe.PaidSessions(limited, now.Add(-back), func(page []store.Paid) error { return s.paid(ctx, page) })
	if err != nil || !hourly {
		return err
	}
	return s.Records.Note(ctx, s.lead, store.Listed(now))
}

// paid remembers payments, and puts their sessions on the due list.
func (s *shift) paid(ctx context.Context, page []store.Paid) error {
	if err := s.Records.SavePaid(ctx, page...); err != nil {
		return err
	}
	dues, sold := make([]store.Due, len(page)), time.Time{}
	for n, p := range page {
		if at := paidAt(p.Payment); at.After(sold) && !p.Payment.OtherSale {
			sold = at
		}
		dues[n] = store.Due{Session: p.Payment.SessionID, At: paidAt(p.Payment).Add(s.Limits.OrphanGrace + time.Millisecond)}
	}
	if err := s.noteSale(ctx, sold); err != nil {
		return err
	}
	return s.Records.Put(ctx, dues...)
}

// noteSale notes the newest sale of this product that Stripe listed.
func (s *shift) noteSale(ctx context.Context, at time.Time) error {
	s.mu.Lock()
	news := at.After(s.sold)
	s.mu.Unlock()
	if !news {
		return nil
	}
	state, err := s.Records.State(ctx)
	if err == nil && at.After(state.Sold) {
		err = s.Records.Note(ctx, s.lead, store.Sold(at))
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sold = at
	return nil
}

func paidAt(p store.Payment) time.Time {
	switch {
	case !p.PaidAt.IsZero():
		return p.PaidAt
	case !p.ChargedAt.IsZero():
		return p.ChargedAt
	}
	return p.Created
}

// undelivered is Stripe's list of the events that did not reach every endpoint.
type undelivered struct {
	at    time.Time       // when it was read
	ids   map[string]bool // of sessions and payment intents
	whole bool
	tried time.Time // when Stripe did not tell, after that
	err   error     // why
}

// eventOf tells how far Stripe got with telling the site of the payment.
func (s *shift) eventOf(ctx context.Context, paid *store.Paid, now time.Time) (store.EventState, error) {
	s.mu.Lock()
	eventless := s.eventless
	s.mu.Unlock()
	switch {
	case paid == nil || s.Stripe == nil || eventless:
		return store.EventUnknown, nil
	case paid.EventID == "" && now.Sub(paidAt(paid.Payment)) < overlap:
		return store.EventUnknown, nil // it may be listed yet
	case paid.EventID == "":
		return store.EventNone, nil
	}
	list, err := s.undelivered(ctx, paid.EventAt, now)
	delivered := !list.ids[paid.Payment.SessionID] && !list.ids[paid.Payment.IntentID]
	switch {
	case err != nil:
		return store.EventUnknown, err
	case delivered && (!list.whole || paid.EventAt.After(list.at)):
		return store.EventUnknown, nil
	case delivered:
		return store.EventDelivered, nil
	case now.Sub(paid.EventAt) < pendingFor:
		return store.EventPending, nil
	}
	return store.EventFailed, nil
}

// undelivered reads Stripe's list, unless that was done or tried since about the
// last pass, or done some passes ago where the event in question was in it.
func (s *shift) undelivered(ctx context.Context, event, now time.Time) (undelivered, error) {
	s.listing.Lock()
	defer s.listing.Unlock()
	s.mu.Lock()
	last := s.events
	s.mu.Unlock()
	fresh := s.passEvery()
	if !event.After(last.at) {
		fresh *= listLives
	}
	switch {
	case now.Sub(last.at) < fresh:
		return last, nil
	case last.err != nil && now.Sub(last.tried) < s.passEvery():
		return undelivered{}, last.err
	}
	limited, cancel := context.WithTimeout(ctx, callFor)
	defer cancel()
	ids, whole, err := s.Stripe.Undelivered(limited, now.Add(-listBack), now)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.events.tried, s.events.err = now, err
		return undelivered{}, err
	}
	s.events = undelivered{at: now, ids: ids, whole: whole}
	return s.events, nil
}
