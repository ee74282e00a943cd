package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/superduperai/sessionbot/internal/breaker"
	"github.com/superduperai/sessionbot/internal/payments"
	"github.com/superduperai/sessionbot/store"
)

// stripeReader reads payments for people, behind a circuit breaker. The watch,
// for which nobody waits, uses its Reader.
type stripeReader struct {
	*payments.Reader
	guard *breaker.Breaker
	log   *slog.Logger
}

// stripeUnavailable reports whether Stripe would fail whatever it is asked.
func stripeUnavailable(err error) bool {
	var failed *payments.Error
	return errors.As(err, &failed) &&
		(failed.Reason == store.StripeNoAnswer || failed.Reason == store.StripeRateLimited || failed.Status >= http.StatusInternalServerError)
}

func (r stripeReader) Payment(ctx context.Context, id string) store.Payment {
	p, err := guarded(r.guard, func() (store.Payment, error) { return r.Reader.Payment(ctx, id) })
	if err != nil {
		return store.Payment{SessionID: id, State: store.PaymentUnverified, Why: r.reason(ctx, err), Since: breaker.OpenSince(err)}
	}
	return p
}

// Event returns what could be seen of the events, be it in part.
func (r stripeReader) Event(ctx context.Context, p store.Payment) store.Event {
	event, err := guarded(r.guard, func() (store.Event, error) { return r.Reader.Event(ctx, p) })
	if err != nil {
		_ = r.reason(ctx, err) // logged there
	}
	return event
}

func (r stripeReader) Find(ctx context.Context, query string, limit int) ([]store.Payment, bool, error) {
	var more bool
	found, err := guarded(r.guard, func() (found []store.Payment, err error) {
		found, more, err = r.Reader.Find(ctx, query, limit)
		return found, err
	})
	if err != nil {
		reason := r.reason(ctx, err)
		if since := breaker.OpenSince(err); !since.IsZero() {
			return nil, false, &breaker.OpenError{Since: since, Err: reason}
		}
		return nil, false, reason
	}
	return found, more, nil
}

// reason logs the cause, unless it is the missing key, and returns its reason.
func (r stripeReader) reason(ctx context.Context, err error) store.Unverified {
	reason := store.StripeFault
	_ = errors.As(err, &reason) // else it stays a fault
	if reason != store.NoStripeKey {
		r.log.WarnContext(ctx, "Stripe request failed", "reason", string(reason), "error", err)
	}
	return reason
}
