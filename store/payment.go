package store

import (
	"errors"
	"time"
)

// PaymentState is the state of a payment at Stripe.
type PaymentState string

// The states of a payment.
const (
	PaymentPaid              PaymentState = "paid"
	PaymentUnpaid            PaymentState = "unpaid"
	PaymentExpired           PaymentState = "expired"
	PaymentRefunded          PaymentState = "refunded"
	PaymentPartiallyRefunded PaymentState = "partially_refunded"
	PaymentNotRequired       PaymentState = "not_required"
	PaymentMissing           PaymentState = "missing"
	PaymentUnverified        PaymentState = "unverified"
)

// Unverified is why a payment could not be verified.
type Unverified string

// The reasons.
const (
	NoStripeKey       Unverified = "no_key"
	StripeWrongMode   Unverified = "wrong_mode"   // a live key and a test id, or the reverse
	StripeNoAnswer    Unverified = "no_answer"    // time-out or no connection
	StripeKeyRefused  Unverified = "key_refused"  // 401
	StripeForbidden   Unverified = "forbidden"    // 403
	StripeRateLimited Unverified = "rate_limited" // 429
	StripeFault       Unverified = "fault"        // 5xx, or an answer that cannot be read
)

// Error implements error.
func (u Unverified) Error() string { return "payment unverified: " + string(u) }

// Payment is the payment of a session.
type Payment struct {
	SessionID      string
	State          PaymentState
	Why            Unverified // with PaymentUnverified only
	Since          time.Time  `json:"-"` // with it: since when Stripe does not answer
	Amount         int64      // in the currency's smallest unit
	Currency       string     // ISO code, lower case
	AmountRefunded int64
	Created        time.Time // of the Checkout Session
	ChargedAt      time.Time // of the latest charge; zero = none
	PaidAt         time.Time // by the event that made a delayed payment paid; zero = there is none, or it was not seen
	IntentID       string    // pi_…
	Live           bool
	Disputed       bool
	Failed         bool // a delayed payment that failed for good
	OtherSale      bool // by mode and metadata not a sale of this product
	VideoCount     int  // what was paid for; 0 = not said
	// Order is what Stripe's metadata hold of the order. Like the address it is never
	// stored with the payment, and in no log.
	Order Order `json:"-"`
	// Email is the customer's address, "" = not known. It is shown to the requester only:
	// never stored, and in no log.
	Email string `json:"-"`
}

// EventState is whether Stripe has delivered the event of a payment to the site.
type EventState string

// The states of an event. An undelivered event is pending for its first ten minutes.
// Which endpoint did not accept it is not known.
const (
	EventUnknown   EventState = ""          // not asked, or no answer
	EventNone      EventState = "none"      // Stripe holds no such event
	EventPending   EventState = "pending"   // not delivered everywhere yet
	EventFailed    EventState = "failed"    // undelivered at one endpoint at least
	EventDelivered EventState = "delivered" // every endpoint answered 2xx
)

// Event is the delivery of the events of a session's payment.
type Event struct {
	State   EventState // of all of them: one that is undelivered decides
	ID      string     // evt_… of checkout.session.completed where it was seen, else of the one that decides
	Created time.Time  // of the one that decides
	PaidAt  time.Time  // see Payment
	// Completed reports that ID is of checkout.session.completed, which replay sends.
	Completed   bool
	CompletedAt time.Time // when that one was created
}

// Undelivered reports whether at least one endpoint has not accepted the event.
func (e Event) Undelivered() bool { return e.State == EventPending || e.State == EventFailed }

// EventLife is how long Stripe keeps an event, and so how far back it lists them.
const EventLife = 30 * 24 * time.Hour

// EventPendingAge is the age under which an undelivered event proves nothing, and counts
// as pending.
const EventPendingAge = 10 * time.Minute

// ErrNoEvent means that Stripe does not hold an event, or not any more.
var ErrNoEvent = errors.New("no such event at Stripe")

// Paid is what Stripe's lists say of a session that was paid, had nothing to pay, or
// whose payment is delayed.
type Paid struct {
	Payment Payment
	EventID string    // evt_…, "" = no event was seen
	EventAt time.Time // when it was created
}

// Delayed reports whether the checkout was completed with a payment that takes days,
// such as a debit, and may still succeed.
func (p Paid) Delayed() bool { return p.Payment.State == PaymentUnpaid && !p.Payment.Failed }
