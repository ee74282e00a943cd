package payments

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/stripe/stripe-go/v76"
	"golang.org/x/sync/errgroup"

	"github.com/superduperai/sessionbot/store"
)

const (
	answerReserve = 100 * time.Millisecond // kept of the caller's time to return what the first search found
	eventMargin   = time.Hour              // how far from its charge an event is searched for
	sessionLife   = 24 * time.Hour         // within which a session has to be paid
	maxEventPages = 5                      // of a hundred events each
)

const (
	completed      = stripe.EventTypeCheckoutSessionCompleted
	asyncSucceeded = stripe.EventTypeCheckoutSessionAsyncPaymentSucceeded
)

var (
	// paidEvents say that a session is paid.
	paidEvents = []string{string(completed), string(asyncSucceeded)}
	// startingEvents make the site start a video; some versions of it use the
	// payment intent's, too.
	startingEvents = append(slices.Clone(paidEvents), string(stripe.EventTypePaymentIntentSucceeded))
)

// Event returns the state of delivery of the events of a session's payment. Stripe
// lists undelivered events, be they pending or failed; what is only in the list
// of all events was delivered. Both lists are read in parallel. A delayed payment
// succeeds days after its charge was made: only where the events around the
// charge leave that open are later ones searched, and if that fails, what was
// found until then is returned together with the error.
func (r *Reader) Event(ctx context.Context, p store.Payment) (store.Event, error) {
	if err := r.checkKey(p.SessionID); err != nil {
		return store.Event{}, err
	}
	from, to := window(p)
	oldest := r.now().Add(-store.EventLife)
	if from.IsZero() || to.Before(oldest) && !mayBeDelayed(p, search{}) {
		return store.Event{}, nil
	}
	ctx, cancel := withDefaultTimeout(ctx, requestTimeout)
	defer cancel()
	all, undelivered := search{}, search{complete: true} // an event that is listed no more is not delivered any more either
	if !to.Before(oldest) {
		var err error
		if all, undelivered, err = r.searchBoth(ctx, p, from, to, paidEvents, completed); err != nil {
			return store.Event{}, err
		}
	}
	if !mayBeDelayed(p, all) {
		return summarize(all, undelivered, r.now()), nil
	}
	if !p.Created.IsZero() && p.Created.Before(from) {
		from = p.Created
	}
	if from.Before(oldest) {
		from, all.complete = oldest, false
	}
	deadline, _ := ctx.Deadline() // there is one
	ctx, end := context.WithDeadline(ctx, deadline.Add(-answerReserve))
	defer end()
	late, lateUndelivered, err := r.searchBoth(ctx, p, from, r.now().Add(eventMargin), []string{string(asyncSucceeded)}, asyncSucceeded)
	return summarize(late.merge(all), lateUndelivered.merge(undelivered), r.now()), err
}

// window returns the time in which the events of a payment were created, unless
// it was a delayed one; zero if that is not known.
func window(p store.Payment) (from, to time.Time) {
	if !p.ChargedAt.IsZero() {
		return p.ChargedAt.Add(-eventMargin), p.ChargedAt.Add(eventMargin)
	}
	if p.Created.IsZero() {
		return time.Time{}, time.Time{}
	}
	return p.Created, p.Created.Add(sessionLife + eventMargin)
}

// mayBeDelayed reports whether the payment may have succeeded after the checkout
// was completed: no event says that it was paid by then.
func mayBeDelayed(p store.Payment, all search) bool {
	if p.State == store.PaymentUnpaid || p.State == store.PaymentExpired {
		return false
	}
	return !slices.ContainsFunc(all.events, func(e event) bool {
		var object struct {
			PaymentStatus stripe.CheckoutSessionPaymentStatus `json:"payment_status"`
		}
		return e.Type == completed && json.Unmarshal(e.Data.Object, &object) == nil &&
			(object.PaymentStatus == stripe.CheckoutSessionPaymentStatusPaid ||
				object.PaymentStatus == stripe.CheckoutSessionPaymentStatusNoPaymentRequired)
	})
}

// event holds the members of an event that are read.
type event struct {
	ID      string           `json:"id"`
	Type    stripe.EventType `json:"type"`
	Created int64            `json:"created"`
	Data    struct {
		Object json.RawMessage `json:"object"`
	} `json:"data"`
}

// objectID is the id of the event's object.
func (e event) objectID() string { return idOf(e.Data.Object) }

func (e event) created() time.Time { return unix(e.Created) }

// parseEvent reads an event, which has to name its object.
func parseEvent(raw json.RawMessage) (e event, err error) {
	if json.Unmarshal(raw, &e) != nil || e.ID == "" || e.objectID() == "" {
		return event{}, fault("the event cannot be read") // json's error would repeat it
	}
	return e, nil
}

// search is the result of searching a list for a session's events.
type search struct {
	events   []event // of the session or its payment, newest first
	complete bool    // no other event of it can be in the list
}

func (s search) merge(earlier search) search {
	return search{append(s.events, earlier.events...), s.complete && earlier.complete}
}

// summarize judges by the two lists. A list that was not read to its end proves
// nothing by what it does not hold.
func summarize(all, undelivered search, now time.Time) store.Event {
	found := slices.Concat(undelivered.events, all.events)
	if len(found) == 0 {
		if all.complete && undelivered.complete {
			return store.Event{State: store.EventNone}
		}
		return store.Event{}
	}
	e := store.Event{ID: found[0].ID, Created: found[0].created()}
	for _, f := range found {
		switch f.Type {
		case completed:
			if !f.created().Before(e.CompletedAt) {
				e.ID, e.Completed, e.CompletedAt = f.ID, true, f.created()
			}
		case asyncSucceeded:
			e.PaidAt = f.created()
		}
	}
	switch {
	case len(undelivered.events) == 0 && undelivered.complete:
		e.State = store.EventDelivered
	case len(undelivered.events) == 0:
	case now.Sub(e.Created) < store.EventPendingAge:
		e.State = store.EventPending
	default:
		e.State = store.EventFailed
	}
	return e
}

// searchBoth searches the events of these types, and all undelivered ones, back
// to the session's own event of type first.
func (r *Reader) searchBoth(ctx context.Context, p store.Payment, from, to time.Time, types []string, first stripe.EventType) (all, undelivered search, err error) {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		all, err = r.search(ctx, p, eventParams(from, to, nil, types), first)
		return err
	})
	group.Go(func() (err error) {
		undelivered, err = r.search(ctx, p, eventParams(from, to, stripe.Bool(false), startingEvents), first)
		return err
	})
	err = group.Wait()
	return all, undelivered, err
}

func eventParams(from, to time.Time, delivered *bool, types []string) *stripe.EventListParams {
	return &stripe.EventListParams{
		ListParams:      stripe.ListParams{Limit: stripe.Int64(100)},
		CreatedRange:    &stripe.RangeQueryParams{GreaterThanOrEqual: from.Unix(), LesserThanOrEqual: to.Unix()},
		DeliverySuccess: delivered, Types: stripe.StringSlice(types),
	}
}

// search reads pages back to the session's first event. With an error it returns
// what was found until then.
func (r *Reader) search(ctx context.Context, p store.Payment, params *stripe.EventListParams, first stripe.EventType) (found search, err error) {
	pages, reached := 0, false
	skipped, err := r.read(ctx, requestTimeout, "event", eventsPath, params, func(raw json.RawMessage) error {
		e, err := parseEvent(raw)
		if id := e.objectID(); err == nil && (id == p.SessionID || id == p.IntentID) {
			found.events = append(found.events, e)
			reached = reached || e.Type == first
		}
		return err
	}, func(hasMore bool) (bool, error) {
		pages++
		found.complete = reached || !hasMore
		return pages < maxEventPages && !found.complete, nil
	})
	found.complete = found.complete && skipped == 0
	return found, err
}
