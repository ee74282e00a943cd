package payments

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76"
)

// read turns Stripe's object into ours. Every member may be missing.
func read(cs *stripe.CheckoutSession) (Session, error) {
	if cs == nil || cs.ID == "" {
		return Session{}, fault("the answer is no checkout session")
	}
	s := Session{
		ID:       cs.ID,
		Amount:   cs.AmountTotal,
		Currency: strings.ToLower(string(cs.Currency)),
		Created:  unix(cs.Created),
		Live:     cs.Livemode,
	}
	if n, err := strconv.Atoi(cs.Metadata["video_count"]); err == nil && n > 0 {
		s.VideoCount = n
	}
	charge := &stripe.Charge{}
	if intent := cs.PaymentIntent; intent != nil {
		s.IntentID = intent.ID
		if intent.LatestCharge != nil {
			charge = intent.LatestCharge
		}
	}
	s.AmountRefunded = charge.AmountRefunded
	s.ChargedAt = unix(charge.Created)
	s.Disputed = charge.Disputed
	var known bool
	if s.State, known = state(cs, charge); !known {
		return Session{}, fault("a payment state that is not known")
	}
	return s, nil
}

// state judges the payment. A refund is looked for only where money came in.
func state(cs *stripe.CheckoutSession, charge *stripe.Charge) (State, bool) {
	switch cs.Status {
	case stripe.CheckoutSessionStatusExpired:
		return Expired, true
	case stripe.CheckoutSessionStatusOpen:
		return Unpaid, true
	}
	switch cs.PaymentStatus {
	case stripe.CheckoutSessionPaymentStatusNoPaymentRequired:
		return NotRequired, true
	case stripe.CheckoutSessionPaymentStatusUnpaid:
		return Unpaid, true
	case stripe.CheckoutSessionPaymentStatusPaid:
	default:
		return "", false
	}
	amount := charge.Amount
	if amount == 0 {
		amount = cs.AmountTotal
	}
	switch {
	case charge.Refunded || charge.AmountRefunded > 0 && charge.AmountRefunded >= amount:
		return Refunded, true
	case charge.AmountRefunded > 0:
		return PartiallyRefunded, true
	}
	return Paid, true
}

// readAll reads a list, newest first.
func readAll(list []*stripe.CheckoutSession) ([]Session, error) {
	sessions := make([]Session, 0, len(list))
	for _, cs := range list {
		s, err := read(cs)
		if err != nil {
			return nil, err
		}
		sessions = append(sessions, s)
	}
	slices.SortStableFunc(sessions, func(a, b Session) int { return b.Created.Compare(a.Created) })
	return sessions, nil
}

// unix reads a time in seconds; what is none is zero.
func unix(seconds int64) time.Time {
	const year9999 = 253402300800
	if seconds <= 0 || seconds >= year9999 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
