package payments

import (
	"context"
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

// PaidEvents hands over the events from then to then of sessions that are paid
// or had nothing to pay, a page at a time, newest first. An event that cannot
// be read is left out: it would hold up all others for ever.
func (r *Reader) PaidEvents(ctx context.Context, from, to time.Time, each func([]PaidEvent) error) error {
	if err := r.mayAsk(""); err != nil {
		return err
	}
	ctx, cancel := listDeadline(ctx)
	defer cancel()
	unread := 0
	defer func() { r.leftOut(ctx, eventsPath, "paid events", unread) }()
	return r.pages(eventsPath, eventParams(ctx, from, to, nil, paidEvents), func(p page) (bool, error) {
		var events []PaidEvent
		for _, raw := range p.Data {
			e, ok := readEvent(raw)
			s, err := r.readSession(e.Data.Object)
			if !ok || err != nil {
				unread++
				continue
			}
			if s.ChargedAt.IsZero() { // the event comes with the charge
				s.ChargedAt = e.created()
			}
			if e.Type == asyncSucceeded {
				s.PaidAt = e.created()
			}
			if settled(s.State) {
				events = append(events, PaidEvent{ID: e.ID, Created: e.created(), Session: s})
			}
		}
		return true, each(events)
	})
}

// Undelivered are the ids of the sessions and payment intents of whose payment
// Stripe could not tell one endpoint at least, by the events from then to then.
// Where there are too many, or one cannot be read, others may be missing: then
// whole is false.
func (r *Reader) Undelivered(ctx context.Context, from, to time.Time) (ids map[string]bool, whole bool, err error) {
	if err := r.mayAsk(""); err != nil {
		return nil, false, err
	}
	ctx, cancel := listDeadline(ctx)
	defer cancel()
	pages, unread := 0, 0
	ids, whole = map[string]bool{}, true
	err = r.pages(eventsPath, eventParams(ctx, from, to, stripe.Bool(false), tellingEvents), func(p page) (bool, error) {
		for _, raw := range p.Data {
			if e, ok := readEvent(raw); ok {
				ids[e.about()] = true
			} else {
				unread++
			}
		}
		pages++
		whole = pages < undeliveredPages
		return whole, nil
	})
	r.leftOut(ctx, eventsPath, "undelivered", unread)
	return ids, whole && unread == 0, err
}

func settled(s State) bool { return s == Paid || s == PartiallyRefunded || s == NotRequired }

// PaidSessions hands over the Checkout Sessions that were created since then
// and are paid or had nothing to pay, a page at a time, newest first: those too
// of which Stripe never made an event.
func (r *Reader) PaidSessions(ctx context.Context, since time.Time, each func([]Session) error) error {
	if err := r.mayAsk(""); err != nil {
		return err
	}
	ctx, cancel := listDeadline(ctx)
	defer cancel()
	params := &stripe.CheckoutSessionListParams{
		ListParams:   stripe.ListParams{Context: ctx, Limit: stripe.Int64(100)},
		CreatedRange: &stripe.RangeQueryParams{GreaterThanOrEqual: since.Unix()},
		Status:       stripe.String(string(stripe.CheckoutSessionStatusComplete)),
	}
	params.AddExpand("data.payment_intent.latest_charge")
	unread := 0
	defer func() { r.leftOut(ctx, sessionsPath, "paid sessions", unread) }()
	return r.pages(sessionsPath, params, func(p page) (bool, error) {
		var sessions []Session
		for _, raw := range p.Data {
			s, err := r.readSession(raw)
			if err != nil {
				unread++
				continue
			}
			if settled(s.State) {
				sessions = append(sessions, s)
			}
		}
		return true, each(sessions)
	})
}

func listDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, listFor)
}
