package payments

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76"
)

func TestStanding(t *testing.T) {
	event := func(age time.Duration) *stripe.Event {
		return &stripe.Event{ID: "evt_1", Created: now.Add(-age).Unix()}
	}
	tests := []struct {
		name             string
		all, undelivered search
		want             EventState
	}{
		{"in neither", search{whole: true}, search{whole: true}, EventNone},
		{"in neither as far as was read", search{}, search{whole: true}, EventUnknown},
		{"only among all", search{event(time.Hour), true}, search{whole: true}, EventDelivered},
		{"only among all as far as was read", search{event(time.Hour), true}, search{}, EventUnknown},
		{"undelivered for long", search{event(time.Hour), true}, search{event(time.Hour), true}, EventFailed},
		{"undelivered for ten minutes", search{whole: true}, search{event(10 * time.Minute), true}, EventFailed},
		{"undelivered just now", search{event(9 * time.Minute), true}, search{event(9 * time.Minute), true}, EventPending},
	}
	for _, test := range tests {
		if got := standing(test.all, test.undelivered, now); got.State != test.want {
			t.Errorf("%s: %q, want %q", test.name, got.State, test.want)
		}
	}
}

func TestEventIsLookedForPageByPage(t *testing.T) {
	page := func(first, n int, object string, more bool) string {
		var events []string
		for i := range n {
			events = append(events, fmt.Sprintf(`{"id":"evt_%d","created":%d,"data":{"object":{"id":%q}}}`,
				first+i, now.Add(-time.Hour).Unix(), object))
		}
		return fmt.Sprintf(`{"object":"list","has_more":%t,"data":[%s]}`, more, strings.Join(events, ","))
	}
	var calls atomic.Int32
	reader := serve(t, func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		body := page(0, 100, "cs_live_other", true)
		switch query := r.URL.Query(); {
		case query.Get("delivery_success") == "false":
			body = `{"object":"list","has_more":false,"data":[null,{"id":"evt_x","data":null}]}`
		case query.Get("starting_after") == "evt_99":
			body = page(100, 1, liveID, false)
		}
		_, _ = fmt.Fprint(w, body) // a client that hung up notices by itself
	})
	got, err := reader.Event(t.Context(), Session{ID: liveID, ChargedAt: now.Add(-time.Hour)})
	want := Event{State: EventDelivered, ID: "evt_100", Created: now.Add(-time.Hour)}
	if err != nil || got != want || calls.Load() != 3 {
		t.Errorf("%+v after %d calls, error %v; want %+v", got, calls.Load(), err, want)
	}
}

func TestEventSearchIsBounded(t *testing.T) {
	var calls atomic.Int32
	reader := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"has_more":true,"data":[{"id":"evt_%d"}]}`, calls.Add(1))
	})
	got, err := reader.Event(t.Context(), Session{ID: liveID, Created: now})
	if err != nil || got.State != EventUnknown || calls.Load() != 2*eventPages {
		t.Errorf("%+v after %d calls, error %v", got, calls.Load(), err)
	}
}

func TestEventTooOldIsNotAskedFor(t *testing.T) {
	reader := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("asked") })
	for _, s := range []Session{{ID: liveID}, {ID: liveID, ChargedAt: now.Add(-31 * 24 * time.Hour)}} {
		if got, err := reader.Event(t.Context(), s); err != nil || got != (Event{}) {
			t.Errorf("%+v, error %v", got, err)
		}
	}
}
