package payments

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/stripe/stripe-go/v76"
	"golang.org/x/sync/errgroup"
)

// EventState is how far Stripe got with telling the site of a payment.
type EventState string

// The states of an event. An endpoint may be another one than the site's: Stripe
// does not tell which.
const (
	EventUnknown   EventState = ""          // too old, or one among too many
	EventNone      EventState = "none"      // Stripe holds no such event
	EventPending   EventState = "pending"   // not delivered everywhere yet, and too young to prove anything
	EventFailed    EventState = "failed"    // undelivered at one endpoint at least
	EventDelivered EventState = "delivered" // every endpoint answered 2xx
)

// Event is how far Stripe got with the events of a session's payment.
type Event struct {
	State   EventState // of all of them: one that is undelivered decides
	ID      string     // evt_… of checkout.session.completed where that was seen, else of the one that decides
	Created time.Time  // of the one that decides
	PaidAt  time.Time  // when a delayed payment succeeded; zero = it was none, or that was not seen
	// Completed reports that ID is of checkout.session.completed.
	Completed bool
}

const (
	// eventsKept is how far back Stripe lists events.
	eventsKept = 30 * 24 * time.Hour
	// pendingFor is the age under which an undelivered event proves nothing.
	pendingFor = 10 * time.Minute
	// tellingTakes is what is left of a question's time when the second look at
	// events ends: so long it takes to tell what the first one saw.
	tellingTakes = 100 * time.Millisecond
	// around is how far from its charge an event is looked for.
	around = time.Hour
	// sessionLife is the time within which a session has to be paid.
	sessionLife = 24 * time.Hour
	// eventPages of a hundred events each are read, no more.
	eventPages = 5
)

const (
	completed      = stripe.EventTypeCheckoutSessionCompleted
	asyncSucceeded = stripe.EventTypeCheckoutSessionAsyncPaymentSucceeded
)

var (
	// paidEvents tell of a session that it is paid.
	paidEvents = []string{string(completed), string(asyncSucceeded)}
	// tellingEvents make the site start a video; in some versions that is the
	// payment intent's, too.
	tellingEvents = append(slices.Clone(paidEvents), string(stripe.EventTypePaymentIntentSucceeded))
)

// Event tells where the events of the session's payment stand. Stripe lists
// undelivered events, be they pending or failed; what is only in the list of
// all events was delivered. Both lists are asked for side by side. A delayed
// payment succeeds days after its charge was made: only where the events around
// the charge leave that open is its event looked for until now. Where that look
// fails the event is what was seen until then, together with the error.
func (r *Reader) Event(ctx context.Context, s Session) (Event, error) {
	if err := r.mayAsk(s.ID); err != nil {
		return Event{}, err
	}
	from, to := window(s)
	oldest := r.now().Add(-eventsKept)
	if from.IsZero() || to.Before(oldest) && !mayBeDelayed(s, search{}) {
		return Event{}, nil
	}
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	all, undelivered := search{}, search{whole: true} // what is not listed any more is not delivered any more either
	if !to.Before(oldest) {
		var err error
		if all, undelivered, err = r.searches(ctx, s, from, to, paidEvents, completed); err != nil {
			return Event{}, err
		}
	}
	if !mayBeDelayed(s, all) {
		return standing(all, undelivered, r.now()), nil
	}
	if !s.Created.IsZero() && s.Created.Before(from) {
		from = s.Created
	}
	if from.Before(oldest) {
		from, all.whole = oldest, false
	}
	deadline, _ := ctx.Deadline() // there is one
	ctx, end := context.WithDeadline(ctx, deadline.Add(-tellingTakes))
	defer end()
	late, lateUndelivered, err := r.searches(ctx, s, from, r.now().Add(around), []string{string(asyncSucceeded)}, asyncSucceeded)
	return standing(late.with(all), lateUndelivered.with(undelivered), r.now()), err
}

// window is the time in which the events of a session's payment were made, unless
// it was a delayed one.
func window(s Session) (from, to time.Time) {
	if !s.ChargedAt.IsZero() {
		return s.ChargedAt.Add(-around), s.ChargedAt.Add(around)
	}
	if s.Created.IsZero() {
		return time.Time{}, time.Time{}
	}
	return s.Created, s.Created.Add(sessionLife + around)
}

// mayBeDelayed reports whether the payment may have succeeded after the checkout
// was completed: no event says that it was paid by then.
func mayBeDelayed(s Session, all search) bool {
	if s.State == Unpaid || s.State == Expired {
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

// event is what is read of an event.
type event struct {
	ID      string           `json:"id"`
	Type    stripe.EventType `json:"type"`
	Created int64            `json:"created"`
	Data    struct {
		Object json.RawMessage `json:"object"`
	} `json:"data"`
}

// about is the id of the object that the event tells of.
func (e event) about() string { return idOf(e.Data.Object) }

func (e event) created() time.Time { return unix(e.Created) }

// readEvent reports whether it can be told what the event is about.
func readEvent(raw json.RawMessage) (e event, ok bool) {
	err := json.Unmarshal(raw, &e)
	return e, err == nil && e.ID != "" && e.about() != ""
}

// search is what lists of events say of a session.
type search struct {
	events []event // of the session or its payment, newest first
	whole  bool    // nothing was left unread that might be one
}

func (s search) with(earlier search) search {
	return search{append(s.events, earlier.events...), s.whole && earlier.whole}
}

// standing judges by the two lists. A list that was not read to its end proves
// nothing by what it does not hold.
func standing(all, undelivered search, now time.Time) Event {
	found := slices.Concat(undelivered.events, all.events)
	if len(found) == 0 {
		if all.whole && undelivered.whole {
			return Event{State: EventNone}
		}
		return Event{}
	}
	e := Event{ID: found[0].ID, Created: found[0].created()}
	for _, f := range found {
		switch f.Type {
		case completed:
			e.ID, e.Completed = f.ID, true
		case asyncSucceeded:
			e.PaidAt = f.created()
		}
	}
	switch {
	case len(undelivered.events) == 0 && undelivered.whole:
		e.State = EventDelivered
	case len(undelivered.events) == 0:
	case now.Sub(e.Created) < pendingFor:
		e.State = EventPending
	default:
		e.State = EventFailed
	}
	return e
}

// searches looks among the events of these types, and among all that are
// undelivered, down to the session's own of the type first.
func (r *Reader) searches(ctx context.Context, s Session, from, to time.Time, types []string, first stripe.EventType) (all, undelivered search, err error) {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		all, err = r.search(ctx, s, eventParams(ctx, from, to, nil, types), first)
		return err
	})
	group.Go(func() (err error) {
		undelivered, err = r.search(ctx, s, eventParams(ctx, from, to, stripe.Bool(false), tellingEvents), first)
		return err
	})
	err = group.Wait()
	return all, undelivered, err
}

func eventParams(ctx context.Context, from, to time.Time, delivered *bool, types []string) *stripe.EventListParams {
	return &stripe.EventListParams{
		ListParams:      stripe.ListParams{Context: ctx, Limit: stripe.Int64(100)},
		CreatedRange:    &stripe.RangeQueryParams{GreaterThanOrEqual: from.Unix(), LesserThanOrEqual: to.Unix()},
		DeliverySuccess: delivered, Types: stripe.StringSlice(types),
	}
}

// search looks for the session's events, a page at a time, down to the first of
// them. With an error it is what was found until then, and not whole.
func (r *Reader) search(ctx context.Context, s Session, params *stripe.EventListParams, first stripe.EventType) (search, error) {
	var found search
	pages, unread := 0, 0
	err := r.pages(eventsPath, params, func(p page) (bool, error) {
		pages++
		found.whole = !p.HasMore
		for _, raw := range p.Data {
			e, ok := readEvent(raw)
			if !ok {
				unread++
				continue
			}
			if about := e.about(); about == s.ID || about == s.IntentID {
				found.events = append(found.events, e)
				found.whole = found.whole || e.Type == first
			}
		}
		return pages < eventPages && !found.whole, nil
	})
	r.leftOut(ctx, eventsPath, "event", unread)
	found.whole = found.whole && unread == 0
	return found, err
}
