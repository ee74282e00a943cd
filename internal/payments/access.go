package payments

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/stripe/stripe-go/v76"
)

// Mode is what a key works on.
type Mode string

// The modes.
const (
	Live        Mode = "live"
	Test        Mode = "test"
	UnknownMode Mode = ""
)

// Key is what the name of a key tells of it.
type Key struct {
	Mode       Mode
	Restricted bool // false: it may do everything, move money included
}

// KeyOf reads a key's name.
func KeyOf(key string) Key {
	k := Key{Restricted: strings.HasPrefix(key, "rk_")}
	switch {
	case strings.Contains(key, "k_live_"):
		k.Mode = Live
	case strings.Contains(key, "k_test_"):
		k.Mode = Test
	}
	return k
}

// Access lists the permissions that the key lacks, as Stripe's dashboard names
// them. Any other refusal is the error. One object of each kind is asked for, all
// at the same time, and not looked at.
func (r *Reader) Access(ctx context.Context) (lacking []string, err error) {
	if err := r.mayAsk(""); err != nil {
		return nil, err
	}
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	kinds := []struct {
		permission, path string
		err              error
	}{
		{permission: "Checkout Sessions", path: sessionsPath},
		{permission: "Events", path: eventsPath},
		{permission: "PaymentIntents", path: "/v1/payment_intents"},
		{permission: "Charges", path: "/v1/charges"},
	}
	var wg sync.WaitGroup
	for i := range kinds {
		wg.Go(func() {
			_, kinds[i].err = r.page(kinds[i].path, &stripe.ListParams{Context: ctx, Limit: stripe.Int64(1)})
		})
	}
	wg.Wait()
	for _, kind := range kinds {
		switch {
		case kind.err == nil:
		case errors.Is(kind.err, Forbidden):
			lacking = append(lacking, kind.permission)
		default:
			err = kind.err
		}
	}
	return lacking, err
}
