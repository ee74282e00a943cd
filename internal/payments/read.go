package payments

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76"
)

// readSession reads an object of a list.
func (r *Reader) readSession(raw json.RawMessage) (Session, error) {
	var object stripe.CheckoutSession
	if err := json.Unmarshal(raw, &object); err != nil {
		return Session{}, fault("the object cannot be read") // err would repeat it
	}
	return r.read(&object)
}

// read turns Stripe's object into ours. Every member may be missing.
func (r *Reader) read(cs *stripe.CheckoutSession) (Session, error) {
	if cs == nil || cs.ID == "" {
		return Session{}, fault("the answer is no checkout session")
	}
	s := Session{
		ID:       cs.ID,
		Amount:   cs.AmountTotal,
		Currency: strings.ToLower(string(cs.Currency)),
		Created:  unix(cs.Created),
		Live:     cs.Livemode,

		OtherSale: r.otherSale(cs),
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
	s.Failed = failed(cs)
	return s, nil
}

// otherSale reports whether the account sold something else by the session. Of a
// mode that is not told nothing is concluded.
func (r *Reader) otherSale(cs *stripe.CheckoutSession) bool {
	if cs.Mode != "" && cs.Mode != stripe.CheckoutSessionModePayment {
		return true
	}
	return len(r.product) > 0 && !slices.ContainsFunc(r.product, func(member string) bool {
		_, ok := cs.Metadata[member]
		return ok
	})
}

// failed reports whether a delayed payment failed for good: the customer went
// through the checkout, and would have to pay anew.
func failed(cs *stripe.CheckoutSession) bool {
	if cs.Status != stripe.CheckoutSessionStatusComplete || cs.PaymentStatus != stripe.CheckoutSessionPaymentStatusUnpaid || cs.PaymentIntent == nil {
		return false
	}
	status := cs.PaymentIntent.Status
	return status == stripe.PaymentIntentStatusRequiresPaymentMethod || status == stripe.PaymentIntentStatusCanceled
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

// unix reads a time in seconds; what is none is zero.
func unix(seconds int64) time.Time {
	const year9999 = 253402300800
	if seconds <= 0 || seconds >= year9999 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
