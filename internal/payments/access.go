package payments

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/stripe/stripe-go/v76"

	"github.com/superduperai/sessionbot/store"
)

// Mode is the mode that a key or a session belongs to.
type Mode string

// The modes.
const (
	Live        Mode = "live"
	Test        Mode = "test"
	UnknownMode Mode = ""
)

// ModeOf returns the mode of a key by its prefix.
func ModeOf(key string) Mode {
	switch {
	case strings.Contains(key, "k_live_"):
		return Live
	case strings.Contains(key, "k_test_"):
		return Test
	}
	return UnknownMode
}

// Restricted reports whether a key is a restricted one. Any other may do
// everything, move money included.
func Restricted(key string) bool { return strings.HasPrefix(key, "rk_") }

// checkKey reports as an error that there is no key, or none of the mode of the
// session's id.
func (r *Reader) checkKey(id string) error {
	if r.key == "" {
		return &Error{Reason: store.NoStripeKey}
	}
	if r.OtherMode(id) {
		return &Error{Reason: store.StripeWrongMode}
	}
	return nil
}

// OtherMode reports whether a session's id is live and the key a test key, or the
// reverse. A key of unknown mode fits every session.
func (r *Reader) OtherMode(id string) bool {
	switch ModeOf(r.key) {
	case Live:
		return strings.HasPrefix(id, "cs_test_")
	case Test:
		return store.IsLive(id)
	}
	return false
}

// Access lists the permissions that the key lacks, as Stripe's dashboard names
// them. Any other refusal is the error. It requests one object of each kind.
func (r *Reader) Access(ctx context.Context) (lacking []string, err error) {
	if err := r.checkKey(""); err != nil {
		return nil, err
	}
	ctx, cancel := withDefaultTimeout(ctx, requestTimeout)
	defer cancel()
	kinds := []struct{ permission, path string }{
		{"Checkout Sessions", sessionsPath}, {"Events", eventsPath}, {"PaymentIntents", "/v1/payment_intents"}, {"Charges", "/v1/charges"},
	}
	errs := make([]error, len(kinds))
	var wg sync.WaitGroup
	for i, kind := range kinds {
		wg.Go(func() {
			_, errs[i] = r.page(kind.path, &stripe.ListParams{Context: ctx, Limit: stripe.Int64(1)})
		})
	}
	wg.Wait()
	for i, kind := range kinds {
		if errors.Is(errs[i], store.StripeForbidden) {
			lacking, errs[i] = append(lacking, kind.permission), nil
		}
		err = cmp.Or(err, errs[i])
	}
	return lacking, err
}
