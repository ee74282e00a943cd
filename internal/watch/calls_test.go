package watch

import (
	"context"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/payments"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/watchstate"
)

// overHTTP is the Stripe client as it is used in production.
type overHTTP struct{ *payments.Reader }

func (o overHTTP) Payment(ctx context.Context, id string) store.Payment {
	p, err := o.Reader.Payment(ctx, id)
	if err != nil {
		return store.Payment{SessionID: id, State: store.PaymentUnverified}
	}
	return p
}

func (o overHTTP) Event(ctx context.Context, p store.Payment) store.Event {
	e, err := o.Reader.Event(ctx, p)
	if err != nil {
		return store.Event{}
	}
	return e
}

// TestCallsToStripe counts the requests within an hour in which ten paid sessions
// begin each minute and a thousand are open; then one of twenty gets no webhook.
func TestCallsToStripe(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	stripe := demo.NewStripe()
	server := httptest.NewServer(stripe)
	t.Cleanup(server.Close)
	reader := overHTTP{payments.New(payments.Config{Key: "rk_live_x", BaseURL: server.URL, Now: h.cfg.Now})}
	h.cfg.Stripe, h.cfg.Payments = reader, reader
	h.cfg.Interval = time.Hour // sweeps ask Stripe nothing; Stripe is polled each minute
	shop := shop{bench: h.bench, stripe: stripe}
	for minute := range 25 * 60 {
		shop.begin(h.at.Add(-time.Duration(minute)*time.Minute), 10, true, 0)
	}
	shop.begin(h.at.Add(-time.Hour), 1000, false, 0)
	shop.flush()
	h.lead()
	h.must(h.term.record(t.Context(), watchstate.Cursor(h.at), watchstate.Listed(h.at), watchstate.BacklogNotified())) // it has watched for long
	through := func(minutes, lost int) float64 {
		before := stripe.Calls()
		for range minutes {
			shop.begin(h.at, 10, true, lost)
			shop.flush()
			h.advance(time.Minute)
		}
		return float64(stripe.Calls()-before) / float64(minutes)
	}
	if quiet := through(61, 0); quiet >= 5 {
		t.Errorf("%.1f calls a minute", quiet)
	} else {
		t.Logf("%.1f calls a minute", quiet)
	}
	if notified, unpaid := h.notified(), h.metrics.of(diagnosis.VerdictUnpaid); notified != nil || unpaid != 1000 {
		t.Errorf("notified %q; %d sessions are counted as unpaid", notified, unpaid)
	}
	t.Logf("%.1f calls a minute with an incident", through(30, 20))
	if n := len(h.only().Cases); n != 10 { // the orphanGrace of the others is not over
		t.Errorf("%d orphans", n)
	}
}

// shop is where customers come from.
type shop struct {
	*bench
	stripe *demo.Stripe
	n      int
	known  []demo.CheckoutSession
	pipe   redis.Pipeliner
}

// begin starts sessions, which are paid at once or left open. Every lost-th of those
// that are paid gets no webhook, 0 = all get it.
func (w *shop) begin(at time.Time, count int, paid bool, lost int) {
	if w.pipe == nil {
		w.pipe = w.client.Pipeline()
	}
	ctx := w.t.Context()
	for range count {
		w.n++
		cs := demo.CheckoutSession{ID: fmt.Sprintf("cs_live_%06d", w.n), Status: "open", PaymentStatus: "unpaid", Amount: 100, Currency: "usd", Created: at}
		w.pipe.Set(ctx, "prompt:"+cs.ID, `{"prompt":"A fox","timestamp":"`+at.UTC().Format(time.RFC3339)+`"}`, store.KeyLife)
		if paid {
			cs.Status, cs.PaymentStatus, cs.Event = "complete", "paid", store.EventDelivered
			if lost == 0 || w.n%lost != 0 {
				w.pipe.Set(ctx, "webhook:"+cs.ID, `{"status":"completed","fileId":"0f000000-0000-4000-8000-00000000000f"}`, store.KeyLife)
			}
		}
		w.known = append(w.known, cs)
	}
}

// flush stores them at Stripe and in Redis.
func (w *shop) flush() {
	w.t.Helper()
	w.stripe.Put(w.known...)
	if _, err := w.pipe.Exec(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.known, w.pipe = nil, nil
}
