package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/payments"
	"github.com/superduperai/sessionbot/store"
)

// TestEventSeenInPart: what Stripe said about an event counts, although the next request
// times out.
func TestEventSeenInPart(t *testing.T) {
	t.Parallel()
	charged := time.Now().Add(-5 * 24 * time.Hour)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to, _ := strconv.ParseInt(r.URL.Query().Get("created[lte]"), 10, 64) // none = 0, which is around the charge
		if time.Unix(to, 0).After(charged.Add(24 * time.Hour)) {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		_, _ = fmt.Fprintf(w, `{"data":[{"id":"evt_1","type":"checkout.session.completed","created":%d,"data":{"object":{"id":"cs_live_1"}}}]}`, charged.Unix()) // a client that hung up notices by itself
	}))
	t.Cleanup(server.Close)
	reader := stripeReader{payments.New(payments.Config{Key: "rk_live_x", BaseURL: server.URL}), newBreaker(stripeUnavailable), slog.New(slog.DiscardHandler)}
	got := reader.Event(t.Context(), store.Payment{SessionID: "cs_live_1", State: store.PaymentPaid, ChargedAt: charged})
	if got.State != store.EventFailed || got.ID != "evt_1" {
		t.Errorf("%+v", got)
	}
}
