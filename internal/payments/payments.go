// Package payments reads from Stripe whether a session was paid, and whether its
// events were delivered. It never writes. What a payment means for a session is
// decided by the diagnosis.
package payments

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stripe/stripe-go/v76"
	checkoutsession "github.com/stripe/stripe-go/v76/checkout/session"

	"github.com/superduperai/sessionbot/store"
)

// Config configures a Reader.
type Config struct {
	Key       string            // a restricted read-only key is enough; empty = every request fails with store.NoStripeKey
	BaseURL   string            // without a version path and a trailing slash; empty = Stripe's
	Transport http.RoundTripper // nil = one of its own
	Now       func() time.Time  // nil = time.Now
	Log       *slog.Logger      // nil = nothing is logged
	// ProductMetadata are the metadata members that mark a sale of this product;
	// none = every session of mode payment is one.
	ProductMetadata []string
}

// Reader is a read-only client of Stripe. It is safe for concurrent use.
type Reader struct {
	backend stripe.Backend
	key     string
	now     func() time.Time
	log     *slog.Logger
	product []string
	skipped sync.Map // by operation: how many unreadable objects the last list held
}

// New returns a reader. It does not connect yet.
func New(cfg Config) *Reader {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	backend := stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{
		URL:               stripe.String(cmp.Or(cfg.BaseURL, stripe.APIURL)),
		HTTPClient:        newHTTPClient(cfg.Transport),
		MaxNetworkRetries: stripe.Int64(0), // a person is waiting, and can ask again
		EnableTelemetry:   stripe.Bool(false),
		LeveledLogger:     &stripe.LeveledLogger{Level: stripe.LevelNull}, // it would log bodies
	})
	return &Reader{
		backend: backend,
		key:     cfg.Key,
		now:     cfg.Now,
		log:     cfg.Log.With("component", "payments"),
		product: cfg.ProductMetadata,
	}
}

// Payment returns the payment of a Checkout Session. A session that Stripe does
// not know is no error but of state store.PaymentMissing. Errors are *Error.
func (r *Reader) Payment(ctx context.Context, id string) (store.Payment, error) {
	if err := r.checkKey(id); err != nil {
		return store.Payment{}, err
	}
	ctx, cancel := withDefaultTimeout(ctx, requestTimeout)
	defer cancel()
	params := &stripe.CheckoutSessionParams{Params: stripe.Params{Context: ctx}}
	params.AddExpand("payment_intent.latest_charge")
	session, err := checkoutsession.Client{B: r.backend, Key: r.key}.Get(id, params)
	if errors.Is(err, errMissing) {
		return store.Payment{SessionID: id, State: store.PaymentMissing, Live: store.IsLive(id)}, nil
	}
	if err != nil {
		return store.Payment{}, classify(err)
	}
	if session.ID != id {
		return store.Payment{}, fault("the answer is not the requested session")
	}
	return r.payment(session)
}

// Find returns the payments of a customer by e-mail address, or the one of a
// payment intent (pi_…), newest first. The limit is clamped to 1–100; more
// reports that there are others, or some that cannot be read.
func (r *Reader) Find(ctx context.Context, query string, limit int) (found []store.Payment, more bool, err error) {
	if err := r.checkKey(""); err != nil {
		return nil, false, err
	}
	ctx, cancel := withDefaultTimeout(ctx, requestTimeout)
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
	if errors.Is(err, errMissing) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	for _, raw := range list.Data {
		if p, err := r.parsePayment(raw); err == nil {
			found = append(found, p)
		}
	}
	skipped := len(list.Data) - len(found)
	r.logSkipped(ctx, sessionsPath, "find", skipped)
	if skipped > 0 && len(found) == 0 { // "nothing was found" would be wrong
		return nil, false, fault("no session in the list can be read")
	}
	slices.SortStableFunc(found, func(a, b store.Payment) int { return b.Created.Compare(a.Created) })
	return found, list.HasMore || skipped > 0, nil
}
