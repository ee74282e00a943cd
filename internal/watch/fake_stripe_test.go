package watch

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// fakeStripe is a Stripe that lists what was paid.
type fakeStripe struct {
	mu               sync.Mutex
	events           []store.Paid
	sessions         []store.Paid // without an event
	eventsErr        error        // what each list of events meets
	answers          int          // so many lists of events are given, and no more; 0 = all
	refunded         map[string]bool
	calls            int
	asked            []time.Duration // how far back each poll of the events reached
	undeliveredErr   error           // what each list of undelivered events meets
	undeliveredCalls int             // how often it was asked for

	undelivered map[string]bool // what is on it
}

func (l *fakeStripe) pay(id string, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, store.Paid{Payment: payment(id, at), EventID: "evt_" + id, EventAt: at})
}

func payment(id string, at time.Time) store.Payment {
	return store.Payment{SessionID: id, State: store.PaymentPaid, Amount: 100, Currency: "usd", ChargedAt: at, Live: true}
}

var errUnavailable = errors.New("away")

func (l *fakeStripe) PaidEvents(_ context.Context, from, to time.Time, page func([]store.Paid) error) error {
	l.mu.Lock()
	failing := l.eventsErr
	if l.answers > 0 && len(l.asked) >= l.answers {
		failing = errUnavailable
	}
	events := slices.DeleteFunc(slices.Clone(l.events), func(p store.Paid) bool { return p.EventAt.Before(from) || p.EventAt.After(to) })
	l.calls++
	l.asked = append(l.asked, to.Sub(from))
	l.mu.Unlock()
	if failing != nil {
		return failing
	}
	return page(events)
}

func (l *fakeStripe) PaidSessions(_ context.Context, since time.Time, page func([]store.Paid) error) error {
	l.mu.Lock()
	sessions := slices.DeleteFunc(slices.Clone(l.sessions), func(p store.Paid) bool { return paidAt(p.Payment).Before(since) })
	for _, p := range l.events { // their checkouts began when they were paid
		if !p.EventAt.Before(since) {
			sessions = append(sessions, store.Paid{Payment: p.Payment})
		}
	}
	l.calls++
	l.mu.Unlock()
	return page(sessions)
}

func (l *fakeStripe) Undelivered(context.Context, time.Time, time.Time) (map[string]bool, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	l.undeliveredCalls++
	return l.undelivered, l.undeliveredErr == nil, l.undeliveredErr
}

func (l *fakeStripe) Payment(_ context.Context, id string) store.Payment {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	for _, p := range append(slices.Clone(l.events), l.sessions...) {
		if p.Payment.SessionID == id {
			if l.refunded[id] {
				p.Payment.State = store.PaymentRefunded
			}
			return p.Payment
		}
	}
	return store.Payment{SessionID: id, State: store.PaymentUnpaid}
}

func (l *fakeStripe) Event(context.Context, store.Payment) store.Event { return store.Event{} }
