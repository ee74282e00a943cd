package watch

import (
	"context"
	"sync"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/incident"
)

const (
	reusePolls = 5 // for which the list serves for events that existed when it was read
)

// undelivered caches Stripe's list of the events that did not reach every
// endpoint.
type undelivered struct {
	mu    sync.Mutex // held while the list is read
	at    time.Time  // when that was tried last
	err   error      // of that
	ids   map[string]bool
	whole bool
}

// eventOf returns the state of delivery of a payment's event.
func (p *stripePoller) eventOf(ctx context.Context, paid *store.Paid, now time.Time) (store.EventState, error) {
	switch {
	case p.Stripe == nil || p.snapshot().eventsForbidden:
		return store.EventUnknown, nil
	case paid.EventID == "" && now.Sub(paidAt(paid.Payment)) < overlap:
		return store.EventUnknown, nil // it may be listed yet
	case paid.EventID == "":
		return store.EventNone, nil
	}
	list := &p.undelivered
	list.mu.Lock()
	defer list.mu.Unlock()
	if err := p.refreshUndelivered(ctx, paid.EventAt, now); err != nil {
		return store.EventUnknown, err
	}
	delivered := !list.ids[paid.Payment.SessionID] && !list.ids[paid.Payment.IntentID]
	switch {
	case delivered && (!list.whole || paid.EventAt.After(list.at)):
		return store.EventUnknown, nil
	case delivered:
		return store.EventDelivered, nil
	case now.Sub(paid.EventAt) < store.EventPendingAge:
		return store.EventPending, nil
	}
	return store.EventFailed, nil
}

// refreshUndelivered reads the list again unless that was tried within a poll's
// interval. A list that is some polls old still serves for an event that is older.
func (p *stripePoller) refreshUndelivered(ctx context.Context, event, now time.Time) error {
	list := &p.undelivered
	fresh := p.stripeInterval()
	if list.err == nil && !event.After(list.at) {
		fresh *= reusePolls
	}
	if now.Sub(list.at) >= fresh {
		limited, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		list.at = now
		list.ids, list.whole, list.err = p.Stripe.Undelivered(limited, now.Add(-dayBack), now)
	}
	return list.err
}

// caseOf returns the session as an incident shows it.
func (s *inspector) caseOf(ctx context.Context, c candidate, now time.Time) incident.Case {
	result := incident.Case{
		ID: c.Session.ID, Verdict: c.Verdict, At: incident.TroubleSince(c.Diagnosis), Allowed: c.Allowed, Shows: c.Deliver != "", Payment: c.Payment.State,
		Amount: c.Payment.Amount, Currency: c.Payment.Currency, Live: c.Payment.Live, IntentID: c.Payment.IntentID, Repair: c.repair,
	}
	if !notStarted(c.Verdict) || c.paid == nil {
		return result
	}
	result.EventID, result.EventAt = c.paid.EventID, c.paid.EventAt
	if result.At.Before(now.Add(-dayBack)) { // too old for the list of undelivered events
		return result
	}
	var err error
	if result.Event, err = s.stripe.eventOf(ctx, c.paid, now); err != nil {
		s.Log.DebugContext(ctx, "Stripe's undelivered events unavailable", "error", err)
	}
	return result
}
