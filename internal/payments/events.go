package payments

import (
	"context"
	"time"

	"github.com/stripe/stripe-go/v76"
	"golang.org/x/sync/errgroup"
)

// EventState is how far Stripe got with telling the site of a payment.
type EventState string

// The states of an event.
const (
	EventUnknown   EventState = ""          // too old, or one among too many
	EventNone      EventState = "none"      // Stripe holds no such event
	EventPending   EventState = "pending"   // not delivered yet, and too young to prove anything
	EventFailed    EventState = "failed"    // not delivered
	EventDelivered EventState = "delivered" // every endpoint answered 2xx
)

// Event is Stripe's event of a session's payment.
type Event struct {
	State   EventState
	ID      string // evt_…
	Created time.Time
}

const (
	// eventsKept is how far back Stripe lists events.
	eventsKept = 30 * 24 * time.Hour
	// pendingFor is the age under which an undelivered event proves nothing.
	pendingFor = 10 * time.Minute
	// around is how far from its charge an event is looked for.
	around = time.Hour
	// sessionLife is the time within which a session has to be paid.
	sessionLife = 24 * time.Hour
	// eventPages of a hundred events each are read, no more.
	eventPages = 5
)

// Event tells where the event of the session's payment stands. Stripe lists
// undelivered events, be they pending or failed; what is only in the list of
// all events was delivered. Both lists are asked for side by side.
func (r *Reader) Event(ctx context.Context, s Session) (Event, error) {
	if err := r.mayAsk(s.ID); err != nil {
		return Event{}, err
	}
	from, to := window(s)
	if from.IsZero() || r.now().Sub(to) > eventsKept {
		return Event{}, nil
	}
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	var all, undelivered search
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		all, err = r.search(ctx, s.ID, from, to, nil)
		return err
	})
	group.Go(func() (err error) {
		undelivered, err = r.search(ctx, s.ID, from, to, stripe.Bool(false))
		return err
	})
	if err := group.Wait(); err != nil {
		return Event{}, classed(err)
	}
	return standing(all, undelivered, r.now()), nil
}

// window is the time in which the event of a session's payment was made.
func window(s Session) (from, to time.Time) {
	if !s.ChargedAt.IsZero() {
		return s.ChargedAt.Add(-around), s.ChargedAt.Add(around)
	}
	if s.Created.IsZero() {
		return time.Time{}, time.Time{}
	}
	return s.Created, s.Created.Add(sessionLife + around)
}

// search is what one list of events says of a session.
type search struct {
	event *stripe.Event // nil = not in it
	whole bool          // the list was read to its end
}

// standing judges by the two lists. A list that was not read to its end proves
// nothing by what it does not hold.
func standing(all, undelivered search, now time.Time) Event {
	found := undelivered.event
	if found == nil {
		found = all.event
	}
	if found == nil {
		if all.whole && undelivered.whole {
			return Event{State: EventNone}
		}
		return Event{}
	}
	e := Event{ID: found.ID, Created: unix(found.Created)}
	switch {
	case undelivered.event == nil && undelivered.whole:
		e.State = EventDelivered
	case undelivered.event == nil:
	case now.Sub(e.Created) < pendingFor:
		e.State = EventPending
	default:
		e.State = EventFailed
	}
	return e
}

// search looks for the session's newest event, a page at a time.
func (r *Reader) search(ctx context.Context, id string, from, to time.Time, delivered *bool) (search, error) {
	params := &stripe.EventListParams{
		ListParams: stripe.ListParams{Context: ctx, Single: true, Limit: stripe.Int64(100)},
		CreatedRange: &stripe.RangeQueryParams{
			GreaterThanOrEqual: from.Unix(),
			LesserThanOrEqual:  to.Unix(),
		},
		DeliverySuccess: delivered,
		Types: stripe.StringSlice([]string{
			string(stripe.EventTypeCheckoutSessionCompleted),
			string(stripe.EventTypeCheckoutSessionAsyncPaymentSucceeded),
		}),
	}
	for range eventPages {
		page := r.api.Events.List(params)
		if page.Err() != nil {
			return search{}, page.Err()
		}
		list := page.EventList()
		last := ""
		for _, event := range list.Data {
			if event == nil {
				continue
			}
			if about(event) == id {
				return search{event: event, whole: true}, nil
			}
			last = event.ID
		}
		if !list.HasMore || last == "" {
			return search{whole: !list.HasMore}, nil
		}
		params.StartingAfter = stripe.String(last)
	}
	return search{}, nil
}

// about is the id of the object that an event tells of.
func about(event *stripe.Event) string {
	if event.Data == nil {
		return ""
	}
	id, _ := event.Data.Object["id"].(string) // of another type: of no session
	return id
}
