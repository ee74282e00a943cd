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
	one := stripe.ListParams{Context: ctx, Single: true, Limit: stripe.Int64(1)}
	kinds := []struct {
		permission string
		list       func() error
		err        error
	}{
		{permission: "Checkout Sessions", list: func() error {
			return r.api.CheckoutSessions.List(&stripe.CheckoutSessionListParams{ListParams: one}).Err()
		}},
		{permission: "Events", list: func() error { return r.api.Events.List(&stripe.EventListParams{ListParams: one}).Err() }},
		{permission: "PaymentIntents", list: func() error {
			return r.api.PaymentIntents.List(&stripe.PaymentIntentListParams{ListParams: one}).Err()
		}},
		{permission: "Charges", list: func() error { return r.api.Charges.List(&stripe.ChargeListParams{ListParams: one}).Err() }},
	}
	var wg sync.WaitGroup
	for i := range kinds {
		wg.Go(func() { kinds[i].err = kinds[i].list() })
	}
	wg.Wait()
	for _, kind := range kinds {
		switch {
		case kind.err == nil:
		case errors.Is(classed(kind.err), Forbidden):
			lacking = append(lacking, kind.permission)
		default:
			err = classed(kind.err)
		}
	}
	return lacking, err
}
