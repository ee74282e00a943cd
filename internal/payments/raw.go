package payments

import (
	"context"
	"errors"

	"github.com/stripe/stripe-go/v76"
	stripeevent "github.com/stripe/stripe-go/v76/event"

	"github.com/superduperai/sessionbot/store"
)

// RawEvent returns the checkout.session.completed event of a session exactly as
// Stripe returns it. Errors are *Error; one for which errors.Is(err, store.ErrNoEvent)
// holds means that Stripe has no such event.
func (r *Reader) RawEvent(ctx context.Context, id, session string) ([]byte, error) {
	if err := r.checkKey(session); err != nil {
		return nil, err
	}
	ctx, cancel := withDefaultTimeout(ctx, requestTimeout)
	defer cancel()
	answer, err := stripeevent.Client{B: r.backend, Key: r.key}.Get(id, &stripe.EventParams{Params: stripe.Params{Context: ctx}})
	switch {
	case errors.Is(err, errMissing):
		return nil, &Error{Reason: store.StripeFault, Err: store.ErrNoEvent}
	case err != nil:
		return nil, classify(err)
	}
	raw := answer.LastResponse.RawJSON
	e, err := parseEvent(raw)
	if err != nil {
		return nil, err
	}
	if e.ID != id || e.Type != completed || e.objectID() != session {
		return nil, fault("the answer is not the requested event")
	}
	return raw, nil
}
