package payments

import (
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/stripe/stripe-go/v76"

	"github.com/superduperai/sessionbot/store"
)

// TestRawEvent: an event is returned byte for byte, and only if it is the session's.
func TestRawEvent(t *testing.T) {
	t.Parallel()
	const whole = "{\n  \"id\": \"evt_1\",\n  \"api_version\": \"2025-06-30.basil\", \"unknown\": [1.50, 1e3],\n  \"type\": \"checkout.session.completed\", \"created\": 1, \"data\": {\"object\": {\"id\": \"" + liveID + "\", \"ж\": \"\\u0436\"}}\n}\n"
	for _, c := range []struct {
		name, id string
		status   int
		body     string
		want     error // nil = whole
	}{
		{"it", "evt_1", 200, whole, nil},
		{"another type", "evt_1", 200, newEvent("evt_1", asyncSucceeded, now, object(liveID, "paid")), store.StripeFault},
		{"another session's", "evt_1", 200, newEvent("evt_1", stripe.EventTypeCheckoutSessionCompleted, now, object("cs_live_other", "paid")), store.StripeFault},
		{"another one", "evt_2", 200, whole, store.StripeFault},
		{"no event", "evt_1", 200, `{"id":"evt_1"}`, store.StripeFault},
		{"no JSON", "evt_1", 200, `<html>`, store.StripeFault},
		{"gone", "evt_1", 404, `{"error":{"code":"resource_missing","message":"No such event"}}`, store.ErrNoEvent},
		{"a wrong path", "evt_1", 404, `{"error":{}}`, store.StripeFault},
		{"401", "evt_1", 401, `{}`, store.StripeKeyRefused},
		{"403", "evt_1", 403, `{}`, store.StripeForbidden},
		{"429", "evt_1", 429, `{}`, store.StripeRateLimited},
		{"503", "evt_1", 503, `{}`, store.StripeFault},
	} {
		reader := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet || r.URL.Path != "/v1/events/"+c.id {
				t.Errorf("%s: %s %s", c.name, r.Method, r.URL)
			}
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body) // a client that hung up notices by itself
		})
		raw, err := reader.RawEvent(t.Context(), c.id, liveID)
		if !errors.Is(err, c.want) || c.want == nil && string(raw) != whole || c.want != nil && raw != nil {
			t.Errorf("%s: %q, %v; want %v", c.name, raw, err, c.want)
		}
	}
	if _, err := New(Config{}).RawEvent(t.Context(), "evt_1", liveID); !errors.Is(err, store.NoStripeKey) {
		t.Errorf("without a key: %v", err)
	}
	if _, err := New(Config{Key: "rk_test_1"}).RawEvent(t.Context(), "evt_1", liveID); !errors.Is(err, store.StripeWrongMode) {
		t.Errorf("with a key of the other mode: %v", err)
	}
}
