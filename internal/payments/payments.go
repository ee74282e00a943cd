// Package payments reads from Stripe what became of a checkout session's
// payment, and how far Stripe got with telling the site of it. It only ever
// reads. What a payment means for a session is not decided here.
package payments

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/client"
)

// State is what Stripe says of a payment.
type State string

// The states.
const (
	Paid              State = "paid"
	Unpaid            State = "unpaid" // open, or complete by a method that pays later
	Expired           State = "expired"
	Refunded          State = "refunded" // in full
	PartiallyRefunded State = "partially_refunded"
	NotRequired       State = "not_required"
	Missing           State = "missing" // Stripe does not know the session, and the key is of its mode
)

// Session is a Checkout Session with what matters of its payment.
type Session struct {
	ID             string
	State          State
	Amount         int64  // in the currency's smallest unit
	Currency       string // ISO code, lower case
	AmountRefunded int64
	Created        time.Time
	ChargedAt      time.Time // of the latest charge; zero = none
	PaidAt         time.Time // of the event that a delayed payment succeeded; only lists of events tell it
	IntentID       string    // pi_…, empty where nothing was to be paid
	Live           bool
	Disputed       bool
	Failed         bool // a delayed payment that failed for good
	OtherSale      bool // by mode and metadata not a sale of this product
	VideoCount     int  // what was paid for; 0 = not said
}

// Config says how Stripe is asked.
type Config struct {
	Key     string           // a restricted key that may only read is enough; empty = every question fails with NoKey
	BaseURL string           // without a version path and a trailing slash; empty = Stripe's
	HTTP    *http.Client     // nil = one of its own
	Now     func() time.Time // nil = time.Now
	Log     *slog.Logger     // nil = nothing is logged
	// ProductMetadata are the members of the metadata by which a sale of this
	// product is known; none = every session of mode payment is one.
	ProductMetadata []string
}

// Reader asks Stripe. It is safe for concurrent use.
type Reader struct {
	api     *client.API
	key     string
	now     func() time.Time
	log     *slog.Logger
	product []string
	left    sync.Map // by question, how many objects the last answer held that could not be read
}

// New makes a reader. It connects to nothing yet.
func New(cfg Config) *Reader {
	if cfg.BaseURL == "" {
		cfg.BaseURL = stripe.APIURL
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	backend := stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{
		URL:               stripe.String(cfg.BaseURL),
		HTTPClient:        newHTTP(cfg.HTTP),
		MaxNetworkRetries: stripe.Int64(0), // a person is waiting, and asks again
		EnableTelemetry:   stripe.Bool(false),
		LeveledLogger:     &stripe.LeveledLogger{Level: stripe.LevelNull}, // it would log bodies
	})
	return &Reader{
		api:     client.New(cfg.Key, &stripe.Backends{API: backend, Connect: backend, Uploads: backend}),
		key:     cfg.Key,
		now:     cfg.Now,
		log:     cfg.Log,
		product: cfg.ProductMetadata,
	}
}

// Session asks for a Checkout Session by its id. One that Stripe does not know
// is no error but of state Missing.
func (r *Reader) Session(ctx context.Context, id string) (Session, error) {
	if err := r.mayAsk(id); err != nil {
		return Session{}, err
	}
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	params := &stripe.CheckoutSessionParams{Params: stripe.Params{Context: ctx}}
	params.AddExpand("payment_intent.latest_charge")
	answer, err := r.api.CheckoutSessions.Get(id, params)
	if isMissing(err) {
		return Session{ID: id, State: Missing, Live: strings.HasPrefix(id, "cs_live_")}, nil
	}
	if err != nil {
		return Session{}, classed(err)
	}
	if answer.ID != id {
		return Session{}, fault("the answer is not the session that was asked for")
	}
	return r.read(answer)
}

// Find lists the Checkout Sessions of a customer by e-mail address, or the one
// of a payment intent (pi_…), newest first, limit at most; more tells that
// there are others, or some that cannot be read. A limit outside 1 to 100 is
// brought there.
func (r *Reader) Find(ctx context.Context, query string, limit int) (sessions []Session, more bool, err error) {
	if err := r.mayAsk(""); err != nil {
		return nil, false, err
	}
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	params := &stripe.CheckoutSessionListParams{ListParams: stripe.ListParams{
		Context: ctx, Limit: stripe.Int64(int64(min(max(limit, 1), 100))),
	}}
	params.AddExpand("data.payment_intent.latest_charge")
	if strings.HasPrefix(query, "pi_") {
		params.PaymentIntent = stripe.String(query)
	} else {
		params.CustomerDetails = &stripe.CheckoutSessionListCustomerDetailsParams{Email: stripe.String(query)}
	}
	list, err := r.page(sessionsPath, params)
	if isMissing(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	for _, raw := range list.Data {
		if s, err := r.readSession(raw); err == nil {
			sessions = append(sessions, s)
		}
	}
	unread := len(list.Data) - len(sessions)
	r.leftOut(ctx, sessionsPath, "find", unread)
	if unread > 0 && len(sessions) == 0 { // "nothing was found" would be wrong
		return nil, false, fault("no session of the list can be read")
	}
	slices.SortStableFunc(sessions, func(a, b Session) int { return b.Created.Compare(a.Created) })
	return sessions, list.HasMore || unread > 0, nil
}
