package payments

import (
	"context"
	"encoding/json"
	"time"

	"github.com/stripe/stripe-go/v76"

	"github.com/superduperai/sessionbot/store"
)

// listTimeout bounds reading a whole list where the context has no deadline.
const listTimeout = 2 * time.Minute

// maxUndeliveredPages of a hundred events each are read, no more: with so many
// the others do not matter.
const maxUndeliveredPages = 10

// PaidEvents passes on the events created between from and to of sessions that
// are paid or had nothing to pay, a page at a time, newest first. Such an event
// comes without the charge, so that no refund shows.
func (r *Reader) PaidEvents(ctx context.Context, from, to time.Time, each func([]store.Paid) error) error {
	return r.paid(ctx, "paid events", eventsPath, eventParams(from, to, nil, paidEvents), func(raw json.RawMessage) (store.Paid, error) {
		e, err := parseEvent(raw)
		if err != nil {
			return store.Paid{}, err
		}
		payment, err := r.parsePayment(e.Data.Object)
		if payment.ChargedAt.IsZero() { // the event comes with the charge
			payment.ChargedAt = e.created()
		}
		if e.Type == asyncSucceeded {
			payment.PaidAt = e.created()
		}
		return store.Paid{Payment: payment, EventID: e.ID, EventAt: e.created()}, err
	}, func(p store.Paid) bool { return isPaid(p.Payment.State) }, each)
}

// PaidSessions passes on the payments of Checkout Sessions created since then
// that are paid, had nothing to pay or are delayed, a page at a time, newest first,
// those too for which Stripe never made an event.
func (r *Reader) PaidSessions(ctx context.Context, since time.Time, each func([]store.Paid) error) error {
	params := &stripe.CheckoutSessionListParams{
		ListParams:   stripe.ListParams{Limit: stripe.Int64(100)},
		CreatedRange: &stripe.RangeQueryParams{GreaterThanOrEqual: since.Unix()},
		Status:       stripe.String(string(stripe.CheckoutSessionStatusComplete)),
	}
	params.AddExpand("data.payment_intent.latest_charge")
	return r.paid(ctx, "paid sessions", sessionsPath, params, func(raw json.RawMessage) (store.Paid, error) {
		payment, err := r.parsePayment(raw)
		return store.Paid{Payment: payment}, err
	}, func(p store.Paid) bool { return isPaid(p.Payment.State) || p.Delayed() }, each) // all of them are complete
}

// paid passes on what is wanted of a list, a page at a time.
func (r *Reader) paid(ctx context.Context, operation, path string, params listParams,
	parse func(json.RawMessage) (store.Paid, error), wanted func(store.Paid) bool, each func([]store.Paid) error) error {
	var page []store.Paid
	_, err := r.read(ctx, listTimeout, operation, path, params, func(raw json.RawMessage) error {
		p, err := parse(raw)
		if err == nil && wanted(p) {
			page = append(page, p)
		}
		return err
	}, func(bool) (bool, error) {
		paid := page
		page = nil
		return true, each(paid)
	})
	return err
}

func isPaid(s store.PaymentState) bool {
	return s == store.PaymentPaid || s == store.PaymentPartiallyRefunded || s == store.PaymentNotRequired
}

// Undelivered returns the ids of the sessions and payment intents with a paid
// event, created between from and to, that at least one endpoint did not accept.
// complete is false where some may be missing: there were too many, or one could
// not be read.
func (r *Reader) Undelivered(ctx context.Context, from, to time.Time) (ids map[string]bool, complete bool, err error) {
	pages, ids := 0, map[string]bool{}
	params := eventParams(from, to, stripe.Bool(false), startingEvents)
	skipped, err := r.read(ctx, listTimeout, "undelivered", eventsPath, params, func(raw json.RawMessage) error {
		e, err := parseEvent(raw)
		if err == nil {
			ids[e.objectID()] = true
		}
		return err
	}, func(bool) (bool, error) {
		pages++
		return pages < maxUndeliveredPages, nil
	})
	return ids, pages < maxUndeliveredPages && skipped == 0, err
}
