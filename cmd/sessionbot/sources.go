package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/superduperai/sessionbot/internal/breaker"
	"github.com/superduperai/sessionbot/internal/payments"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/sessions"
	"github.com/superduperai/sessionbot/store/stats"
	"github.com/superduperai/sessionbot/superduper"
)

// newBreaker returns a circuit breaker for a service that people wait for. Jobs do
// without it, and so does the watch for files; its single payments go through it.
func newBreaker(unavailable func(error) bool) *breaker.Breaker {
	return breaker.New(10*time.Second, unavailable)
}

// guarded sends a request, unless the breaker is open.
func guarded[T any](b *breaker.Breaker, request func() (T, error)) (answer T, err error) {
	err = b.Do(func() error {
		answer, err = request()
		return err
	})
	return answer, err
}

// stripeReader reads payments for people, behind a circuit breaker. The watch, which can
// wait, uses its Reader.
type stripeReader struct {
	*payments.Reader
	breaker *breaker.Breaker
	log     *slog.Logger
}

// stripeUnavailable reports whether Stripe would fail any request.
func stripeUnavailable(err error) bool {
	failed, ok := errors.AsType[*payments.Error](err)
	return ok && (failed.Reason == store.StripeNoAnswer || failed.Reason == store.StripeRateLimited || failed.Status >= http.StatusInternalServerError)
}

// Payment returns a session's payment, unverified where it cannot be seen.
func (r stripeReader) Payment(ctx context.Context, id string) store.Payment {
	p, err := guarded(r.breaker, func() (store.Payment, error) { return r.Reader.Payment(ctx, id) })
	if err != nil {
		return store.Payment{SessionID: id, State: store.PaymentUnverified, Why: r.reason(ctx, err), Since: breaker.OpenSince(err)}
	}
	return p
}

// Event returns what could be seen of the events, be it in part.
func (r stripeReader) Event(ctx context.Context, p store.Payment) store.Event {
	event, err := guarded(r.breaker, func() (store.Event, error) { return r.Reader.Event(ctx, p) })
	if err != nil {
		_ = r.reason(ctx, err) // logged there
	}
	return event
}

func (r stripeReader) Find(ctx context.Context, query string, limit int) (found []store.Payment, more bool, err error) {
	err = r.breaker.Do(func() error {
		found, more, err = r.Reader.Find(ctx, query, limit)
		return err
	})
	if err == nil {
		return found, more, nil
	}
	reason := r.reason(ctx, err)
	if since := breaker.OpenSince(err); !since.IsZero() {
		return nil, false, &breaker.OpenError{Since: since, Err: reason}
	}
	return nil, false, reason
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

// superReader reads files and statuses for people, each behind a circuit breaker.
type superReader struct {
	api         *superduper.Client
	files, site *breaker.Breaker
}

// superUnavailable reports whether SuperDuperAI, or the site, would fail any
// request.
func superUnavailable(err error) bool {
	return errors.Is(err, superduper.Unavailable) || errors.Is(err, superduper.RateLimited)
}

func (r superReader) File(ctx context.Context, id string) (store.File, error) {
	return guarded(r.files, func() (store.File, error) { return r.api.File(ctx, id) })
}

func (r superReader) SessionStatus(ctx context.Context, id string) (store.Site, error) {
	return guarded(r.site, func() (store.Site, error) { return r.api.SessionStatus(ctx, id) })
}

// countedSite counts the requests to the site that the examiner does not make.
type countedSite struct {
	superReader
	product *rdb.Redis
	lookups *stats.Lookups
}

func (s countedSite) SessionStatus(ctx context.Context, id string) (store.Site, error) {
	site, err := s.superReader.SessionStatus(ctx, id)
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), 200*time.Millisecond)
	defer cancel()
	if session, unread := (sessions.Reader{Redis: s.product}).Session(limited, id); unread == nil {
		x := diagnosis.Examination{Evidence: diagnosis.Evidence{Session: session, Site: &site}}
		s.lookups.Count(time.Now(), err == nil && x.SiteAgrees())
	}
	return site, err
}
