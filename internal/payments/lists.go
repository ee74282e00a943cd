package payments

import (
	"context"
	"encoding/json"
	"time"

	"github.com/stripe/stripe-go/v76"
)

// listFor bounds a whole list whose context has no deadline.
const listFor = 2 * time.Minute

// undeliveredPages of a hundred events each are read, no more: who sees so many
// need not know the others.
const undeliveredPages = 10

// PaidEvent is an event that tells of a payment.
type PaidEvent struct {
	ID      string // evt_…
	Created time.Time
	Session Session // without the charge: a refund does not show in it
}

var paidEvents = []string{
	string(stripe.EventTypeCheckoutSessionCompleted),
	string(stripe.EventTypeCheckoutSessionAsyncPaymentSucceeded),
}

// PaidEvents hands over the events from then to then of sessions that are paid
// or had nothing to pay, a page at a time, newest first. An event that cannot
// be read is left out: it would hold up all others for ever.
func (r *Reader) PaidEvents(ctx context.Context, from, to time.Time, page func([]PaidEvent) error) error {
	return r.eventPages(ctx, from, to, nil, func(list []*stripe.Event) (bool, error) {
		var events []PaidEvent
		for _, event := range list {
			if e, ok := readEvent(event); ok {
				events = append(events, e)
			}
		}
		return true, page(events)
	})
}

// Undelivered are the sessions of whose payment Stripe could not tell the site
// yet, by the events from then to then. Of very many only the newest are told:
// then whole is false.
func (r *Reader) Undelivered(ctx context.Context, from, to time.Time) (sessions map[string]bool, whole bool, err error) {
	pages := 0
	sessions, whole = map[string]bool{}, true
	err = r.eventPages(ctx, from, to, stripe.Bool(false), func(list []*stripe.Event) (bool, error) {
		for _, event := range list {
			if event != nil {
				sessions[about(event)] = true
			}
		}
		pages++
		whole = pages < undeliveredPages
		return whole, nil
	})
	return sessions, whole, err
}

// eventPages reads a list of events page by page, until page returns false.
func (r *Reader) eventPages(ctx context.Context, from, to time.Time, delivered *bool, page func([]*stripe.Event) (bool, error)) error {
	if err := r.mayAsk(""); err != nil {
		return err
	}
	ctx, cancel := listDeadline(ctx)
	defer cancel()
	params := &stripe.EventListParams{
		ListParams:      stripe.ListParams{Context: ctx, Single: true, Limit: stripe.Int64(100)},
		CreatedRange:    &stripe.RangeQueryParams{GreaterThanOrEqual: from.Unix(), LesserThanOrEqual: to.Unix()},
		DeliverySuccess: delivered, Types: stripe.StringSlice(paidEvents),
	}
	for {
		answer := r.api.Events.List(params)
		if answer.Err() != nil {
			return classed(answer.Err())
		}
		list := answer.EventList()
		last := ""
		for _, event := range list.Data {
			if event != nil {
				last = event.ID
			}
		}
		more, err := page(list.Data)
		if err != nil || !more || !list.HasMore || last == "" {
			return err
		}
		params.StartingAfter = stripe.String(last)
	}
}

func readEvent(event *stripe.Event) (PaidEvent, bool) {
	if event == nil || event.Data == nil {
		return PaidEvent{}, false
	}
	var object stripe.CheckoutSession
	if err := json.Unmarshal(event.Data.Raw, &object); err != nil {
		return PaidEvent{}, false
	}
	s, err := read(&object)
	if err != nil || !settled(s.State) {
		return PaidEvent{}, false
	}
	if s.ChargedAt.IsZero() { // the event comes with the charge
		s.ChargedAt = unix(event.Created)
	}
	return PaidEvent{ID: event.ID, Created: unix(event.Created), Session: s}, true
}

func settled(s State) bool { return s == Paid || s == PartiallyRefunded || s == NotRequired }

// PaidSessions hands over the Checkout Sessions that were created since then
// and are paid or had nothing to pay, a page at a time, newest first: those too
// of which Stripe never made an event.
func (r *Reader) PaidSessions(ctx context.Context, since time.Time, page func([]Session) error) error {
	if err := r.mayAsk(""); err != nil {
		return err
	}
	ctx, cancel := listDeadline(ctx)
	defer cancel()
	params := &stripe.CheckoutSessionListParams{
		ListParams:   stripe.ListParams{Context: ctx, Single: true, Limit: stripe.Int64(100)},
		CreatedRange: &stripe.RangeQueryParams{GreaterThanOrEqual: since.Unix()},
		Status:       stripe.String(string(stripe.CheckoutSessionStatusComplete)),
	}
	params.AddExpand("data.payment_intent.latest_charge")
	for {
		answer := r.api.CheckoutSessions.List(params)
		if answer.Err() != nil {
			return classed(answer.Err())
		}
		list := answer.CheckoutSessionList()
		var sessions []Session
		last := ""
		for _, object := range list.Data {
			s, err := read(object)
			if err != nil {
				continue // as with events
			}
			if last = s.ID; settled(s.State) {
				sessions = append(sessions, s)
			}
		}
		if err := page(sessions); err != nil || !list.HasMore || last == "" {
			return err
		}
		params.StartingAfter = stripe.String(last)
	}
}

func listDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, listFor)
}
