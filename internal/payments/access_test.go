package payments

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/superduperai/sessionbot/store"
)

// TestAccessRequestShapes: Stripe's own mock accepts every request.
func TestAccessRequestShapes(t *testing.T) {
	t.Parallel()
	var rec recorder
	lacking, err := rec.reader(t).Access(t.Context())
	if err != nil || len(lacking) > 0 || len(rec.requests) != 4 {
		t.Errorf("lacking %q, %v; requests %q", lacking, err, rec.requests)
	}
	for i, status := range rec.statuses {
		if status != http.StatusOK {
			t.Errorf("%s: %d", rec.requests[i], status)
		}
	}
}

func TestAccessLacking(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		refused map[string]int
		lacking []string
		kind    store.Unverified
	}{
		{map[string]int{"/v1/charges": 403, "/v1/checkout/sessions": 403}, []string{"Checkout Sessions", "Charges"}, ""},
		{map[string]int{"/v1/events": 401}, nil, store.StripeKeyRefused},
		{map[string]int{"/v1/events": 500, "/v1/charges": 403}, []string{"Charges"}, store.StripeFault},
	} {
		ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if status, ok := c.refused[r.URL.Path]; ok {
				w.WriteHeader(status)
				return
			}
			_, _ = w.Write([]byte(`{"object":"list","data":[]}`)) // a client that hung up notices by itself
		}))
		lacking, err := New(Config{Key: "rk_live_x", BaseURL: ts.URL}).Access(t.Context())
		ts.Close()
		if !slices.Equal(lacking, c.lacking) || (c.kind == "") != (err == nil) || c.kind != "" && !errors.Is(err, c.kind) {
			t.Errorf("%v: lacking %q, %v", c.refused, lacking, err)
		}
	}
}
