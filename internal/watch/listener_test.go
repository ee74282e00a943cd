package watch

import (
	"context"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/watchstate"
)

// TestNotificationsFail: three failures in a row are reported once, and so is the
// recovery, provided that Redis did send notifications before.
func TestNotificationsFail(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	h := simulationOn(benchOn(t, server.URL(), server.Client()))
	h.lead()
	h.must(h.client.Do(t.Context(), "ACL", "SETUSER", "default", "resetchannels").Err())
	fail := func(times int) {
		for range times {
			if err := h.term.listener.listen(t.Context()); err == nil {
				t.Fatal("subscribed to what the owner of Redis forbids")
			}
		}
		h.must(h.term.dispatcher.notifyAll(t.Context()))
	}
	fail(4)
	h.expectNotified()
	h.must(h.term.record(t.Context(), watchstate.Notified(h.at)))
	fail(2)
	h.expectNotified()
	fail(1)
	h.expectNotified("blind 0")
	fail(3)
	h.expectNotified()
	h.must(h.client.Do(t.Context(), "ACL", "SETUSER", "default", "allchannels").Err())
	h.must(h.client.ConfigSet(t.Context(), "notify-keyspace-events", "KA").Err())
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- h.term.listener.listen(ctx) }()
	h.eventually("it hears", func() bool {
		h.put("prompt:cs_test_1", `{}`)
		return h.term.listener.lastWrite.Load() > 0
	})
	h.eventually("the incident is closed", func() bool { return !h.only().Closed.IsZero() })
	stop()
	h.must(<-ended)
	h.must(h.term.dispatcher.notifyAll(t.Context()))
	h.expectNotified("update 0")
}

// TestNothingToPay: a free session is an orphan like any other; and notifications that
// are off in Redis stay off.
func TestNothingToPay(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.lead()
	h.orphan("cs_test_free")
	h.stripe.events[0].Payment.State, h.stripe.events[0].Payment.Amount = store.PaymentNotRequired, 0
	h.advance(2 * time.Minute)
	h.expectNotified("first 1")
	ctx, stop := context.WithCancel(t.Context())
	go func() { <-h.term.listener.subscribed; stop() }()
	h.must(h.term.listener.listen(ctx))
	if got := h.client.ConfigGet(t.Context(), "notify-keyspace-events").Val()["notify-keyspace-events"]; got != "" {
		t.Errorf("notifications were switched on: %q", got)
	}
}
