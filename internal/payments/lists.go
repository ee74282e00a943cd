package payments

import (
	"context"
	"time"

	"github.com/stripe/stripe-go/v76"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/incident"
)

// listTimeout bounds reading a whole list where the context has no deadline.
const listTimeout = 2 * time.Minute

// maxUndeliveredPages of a hundred events each are read, no more: with so many
// the others do not matter.
const maxUndeliveredPages = 10

// PaidEvents passes on the events created between from and to of sessions that
// are paid or had nothing to pay, a page at a time, newest first. Such an event
// comes without the charge, so that no refund shows. An unreadable event is
// skipped: it would hold up all others for ever.
func (r *Reader) PaidEvents(ctx context.Context, from, to time.Time, each func([]incident.Paid) error) error {
	if err := r.checkKey(""); err != nil {
		return err
	}
	ctx, cancel := withDefaultTimeout(ctx, listTimeout)
	defer cancel()
	skipped := 0
	defer func() { r.logSkipped(ctx, eventsPath, "paid events", skipped) }()
	return r.pages(eventsPath, eventParams(ctx, from, to, nil, paidEvents), func(p page) (bool, error) {
		var paid []incident.Paid
		for _, raw := range p.Data {
			e, ok := parseEvent(raw)
			payment, err := r.parsePayment(e.Data.Object)
			if !ok || err != nil {
				skipped++
				continue
			}
			if payment.ChargedAt.IsZero() { // the event comes with the charge
				payment.ChargedAt = e.created()
			}
			if e.Type == asyncSucceeded {
				payment.PaidAt = e.created()
			}
			if isPaid(payment.State) {
				paid = append(paid, incident.Paid{Payment: payment, EventID: e.ID, EventAt: e.created()})
			}
		}
		return true, each(paid)
	})
}

// Undelivered returns the ids of the sessions and payment intents with a paid
// event, created between from and to, that at least one endpoint did not accept.
// complete is false where some may be missing: there were too many, or one could
// not be read.
func (r *Reader) Undelivered(ctx context.Context, from, to time.Time) (ids map[string]bool, complete bool, err error) {
	if err := r.checkKey(""); err != nil {
		return nil, false, err
	}
	ctx, cancel := withDefaultTimeout(ctx, listTimeout)
	defer cancel()
	pages, skipped := 0, 0
	ids, complete = map[string]bool{}, true
	err = r.pages(eventsPath, eventParams(ctx, from, to, stripe.Bool(false), startingEvents), func(p page) (bool, error) {
		for _, raw := range p.Data {
			if e, ok := parseEvent(raw); ok {
				ids[e.objectID()] = true
			} else {
				skipped++
			}
		}
		pages++
		complete = pages < maxUndeliveredPages
		return complete, nil
	})
	r.logSkipped(ctx, eventsPath, "undelivered", skipped)
	return ids, complete && skipped == 0, err
}

func isPaid(s store.PaymentState) bool {
	return s == store.PaymentPaid || s == store.PaymentPartiallyRefunded || s == store.PaymentNotRequired
}

// PaidSessions passes on the payments of Checkout Sessions created since then
// that are paid or had nothing to pay, a page at a time, newest first, those too
// for which Stripe never made an event.
func (r *Reader) PaidSessions(ctx context.Context, since time.Time, each func([]incident.Paid) error) error {
	if err := r.checkKey(""); err != nil {
		return err
	}
	ctx, cancel := withDefaultTimeout(ctx, listTimeout)
	defer cancel()
	params := &stripe.CheckoutSessionListParams{
		ListParams:   stripe.ListParams{Context: ctx, Limit: stripe.Int64(100)},
		CreatedRange: &stripe.RangeQueryParams{GreaterThanOrEqual: since.Unix()},
		Status:       stripe.String(string(stripe.CheckoutSessionStatusComplete)),
	}
	params.AddExpand("data.payment_intent.latest_charge")
	skipped := 0
	defer func() { r.logSkipped(ctx, sessionsPath, "paid sessions", skipped) }()
	return r.pages(sessionsPath, params, func(p page) (bool, error) {
		var paid []incident.Paid
		for _, raw := range p.Data {
			payment, err := r.parsePayment(raw)
			if err != nil {
				skipped++
				continue
			}
			if isPaid(payment.State) {
				paid = append(paid, incident.Paid{Payment: payment})
			}
		}
		return true, each(paid)
	})
}
