package payments

import (
	"cmp"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76"

	"github.com/superduperai/sessionbot/store"
)

// paymentMembers are the members of a Checkout Session that payment reads.
var paymentMembers = []string{"id", "amount_total", "created", "currency", "customer_details", "livemode", "metadata", "mode", "payment_intent", "payment_status", "status"}

// parsePayment reads a Checkout Session of a list. Members that are not used may be
// of any shape: events are of the version of the API that made them.
func (r *Reader) parsePayment(raw json.RawMessage) (store.Payment, error) {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil { // json's error would repeat it
		return store.Payment{}, fault("the object cannot be read")
	}
	maps.DeleteFunc(members, func(name string, _ json.RawMessage) bool { return !slices.Contains(paymentMembers, name) })
	var session stripe.CheckoutSession
	if used, err := json.Marshal(members); err != nil || json.Unmarshal(used, &session) != nil {
		return store.Payment{}, fault("the object cannot be read")
	}
	return r.payment(&session)
}

// payment converts a Checkout Session. Every member of it may be missing.
func (r *Reader) payment(cs *stripe.CheckoutSession) (store.Payment, error) {
	if cs.ID == "" {
		return store.Payment{}, fault("the answer is not a checkout session")
	}
	p := store.Payment{
		SessionID: cs.ID,
		Amount:    cs.AmountTotal,
		Currency:  strings.ToLower(string(cs.Currency)),
		Created:   unix(cs.Created),
		Live:      cs.Livemode,
		Failed:    failedForGood(cs),
		OtherSale: r.otherSale(cs),
	}
	if n, err := strconv.Atoi(cs.Metadata["video_count"]); err == nil && n > 0 {
		p.VideoCount = n
	}
	p.Order = orderOf(cs.Metadata)
	if details := cs.CustomerDetails; details != nil {
		p.Email = details.Email
	}
	charge := &stripe.Charge{}
	if intent := cs.PaymentIntent; intent != nil {
		p.IntentID = intent.ID
		if intent.LatestCharge != nil {
			charge = intent.LatestCharge
		}
	}
	p.AmountRefunded = charge.AmountRefunded
	p.ChargedAt = unix(charge.Created)
	p.Disputed = charge.Disputed
	if p.State = paymentState(cs, charge); p.State == "" {
		return store.Payment{}, fault("unknown payment state")
	}
	return p, nil
}

// longPrompt replaces a prompt in the metadata that was too long for them.
var longPrompt = regexp.MustCompile(`^\[PROMPT:[0-9]+chars\]$`)

// orderOf returns what older versions of the site put into the metadata about the order.
func orderOf(metadata map[string]string) store.Order {
	o := store.Order{Prompt: metadata["prompt"], Resolution: metadata["resolution"], Style: metadata["style"],
		ToolSlug: metadata["toolSlug"], ToolTitle: metadata["toolTitle"]}
	if longPrompt.MatchString(strings.TrimSpace(o.Prompt)) || strings.TrimSpace(o.Prompt) == "" {
		o.Prompt = ""
	}
	if seconds, err := strconv.ParseFloat(metadata["duration"], 64); err == nil && seconds > 0 && seconds < 1e6 {
		o.Seconds = seconds
	}
	return o
}

// otherSale reports whether the session sold something else than this product. A
// missing mode proves nothing.
func (r *Reader) otherSale(cs *stripe.CheckoutSession) bool {
	if cs.Mode != "" && cs.Mode != stripe.CheckoutSessionModePayment {
		return true
	}
	return len(r.product) > 0 && !slices.ContainsFunc(r.product, func(member string) bool {
		_, ok := cs.Metadata[member]
		return ok
	})
}

// failedForGood reports whether a delayed payment failed, so that the customer
// would have to go through the checkout again.
func failedForGood(cs *stripe.CheckoutSession) bool {
	if cs.Status != stripe.CheckoutSessionStatusComplete || cs.PaymentStatus != stripe.CheckoutSessionPaymentStatusUnpaid || cs.PaymentIntent == nil {
		return false
	}
	status := cs.PaymentIntent.Status
	return status == stripe.PaymentIntentStatusRequiresPaymentMethod || status == stripe.PaymentIntentStatusCanceled
}

// paymentState returns the state of the payment, "" if Stripe's is not known.
// Refunds count only where money came in.
func paymentState(cs *stripe.CheckoutSession, charge *stripe.Charge) store.PaymentState {
	switch cs.Status {
	case stripe.CheckoutSessionStatusExpired:
		return store.PaymentExpired
	case stripe.CheckoutSessionStatusOpen:
		return store.PaymentUnpaid
	}
	switch cs.PaymentStatus {
	case stripe.CheckoutSessionPaymentStatusNoPaymentRequired:
		return store.PaymentNotRequired
	case stripe.CheckoutSessionPaymentStatusUnpaid:
		return store.PaymentUnpaid
	case stripe.CheckoutSessionPaymentStatusPaid:
	default:
		return ""
	}
	switch {
	case charge.Refunded || charge.AmountRefunded > 0 && charge.AmountRefunded >= cmp.Or(charge.Amount, cs.AmountTotal):
		return store.PaymentRefunded
	case charge.AmountRefunded > 0:
		return store.PaymentPartiallyRefunded
	}
	return store.PaymentPaid
}

// unix converts a time in seconds; one out of range is zero.
func unix(seconds int64) time.Time {
	const year9999 = 253402300800
	if seconds <= 0 || seconds >= year9999 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
