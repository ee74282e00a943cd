package payments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stripe/stripe-go/v76"

	"github.com/superduperai/sessionbot/store"
)

func TestSummarize(t *testing.T) {
	t.Parallel()
	of := func(kind stripe.EventType, age time.Duration) event {
		return event{ID: string(kind), Type: kind, Created: now.Add(-age).Unix()}
	}
	found := func(events ...event) search { return search{events, true} }
	checkout, async := of(completed, time.Hour), of(asyncSucceeded, 9*time.Minute)
	intent := of("payment_intent.succeeded", 8*time.Minute)
	tests := []struct {
		name             string
		all, undelivered search
		want             store.Event
	}{
		{"in neither", found(), found(), store.Event{State: store.EventNone}},
		{"in neither as far as was read", search{}, found(), store.Event{}},
		{"only among all", found(checkout), found(), store.Event{State: store.EventDelivered, ID: checkout.ID, Created: checkout.created(), Completed: true, CompletedAt: checkout.created()}},
		{"only among all as far as was read", found(checkout), search{}, store.Event{State: store.EventUnknown, ID: checkout.ID, Created: checkout.created(), Completed: true, CompletedAt: checkout.created()}},
		{"undelivered for long", found(checkout), found(checkout), store.Event{State: store.EventFailed, ID: checkout.ID, Created: checkout.created(), Completed: true, CompletedAt: checkout.created()}},
		{"undelivered for ten minutes", found(), found(of(completed, 10*time.Minute)), store.Event{State: store.EventFailed, ID: checkout.ID, Created: now.Add(-10 * time.Minute), Completed: true, CompletedAt: now.Add(-10 * time.Minute)}},
		{"undelivered just now", found(), found(of(completed, 9*time.Minute)), store.Event{State: store.EventPending, ID: checkout.ID, Created: now.Add(-9 * time.Minute), Completed: true, CompletedAt: now.Add(-9 * time.Minute)}},
		{"the intent's is undelivered", found(checkout), found(intent), store.Event{State: store.EventPending, ID: checkout.ID, Created: intent.created(), Completed: true, CompletedAt: checkout.created()}},
		{"a delayed payment, delivered", found(async, checkout), found(), store.Event{State: store.EventDelivered, ID: checkout.ID, Created: async.created(), PaidAt: async.created(), Completed: true, CompletedAt: checkout.created()}},
		{"a delayed payment, undelivered", found(async, checkout), found(async), store.Event{State: store.EventPending, ID: checkout.ID, Created: async.created(), PaidAt: async.created(), Completed: true, CompletedAt: checkout.created()}},
		{"a delayed payment, with the event of the checkout alone", found(async, checkout), found(checkout), store.Event{State: store.EventFailed, ID: checkout.ID, Created: checkout.created(), PaidAt: async.created(), Completed: true, CompletedAt: checkout.created()}},
		{"two of the checkout", found(of(completed, 30*time.Minute), checkout), found(), store.Event{State: store.EventDelivered, ID: checkout.ID,
			Created: now.Add(-30 * time.Minute), Completed: true, CompletedAt: now.Add(-30 * time.Minute)}},
	}
	for _, test := range tests {
		if got := summarize(test.all, test.undelivered, now); got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
}

// lists returns a reader of a Stripe that lists the given events, newest first.
func lists(t *testing.T, all, undelivered []string) (reader *Reader, requests *atomic.Int32) {
	requests = &atomic.Int32{}
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		query := r.URL.Query()
		from, _ := strconv.ParseInt(query.Get("created[gte]"), 10, 64) // none = 0, which a test below would see
		to, _ := strconv.ParseInt(query.Get("created[lte]"), 10, 64)
		events, types := all, array(r, "types")
		if query.Get("delivery_success") == "false" {
			events = undelivered
		}
		events = slices.DeleteFunc(slices.Clone(events), func(raw string) bool {
			var e event
			return json.Unmarshal([]byte(raw), &e) == nil && (e.Created < from || e.Created > to || !slices.Contains(types, string(e.Type)))
		})
		_, _ = fmt.Fprint(w, list(false, events...)) // a client that hung up notices by itself
	}), requests
}

// TestDelayedPayment: its charge is days old when it succeeds.
func TestDelayedPayment(t *testing.T) {
	t.Parallel()
	charged, paid := now.Add(-5*24*time.Hour), now.Add(-time.Minute)
	checkout := newEvent("evt_1", completed, charged, object(liveID, "unpaid"))
	async := newEvent("evt_2", asyncSucceeded, paid, object(liveID, "paid"))
	other := newEvent("evt_3", asyncSucceeded, paid, object("cs_live_other", "paid"))
	intent := newEvent("evt_4", "payment_intent.succeeded", paid, `{"id":"pi_1"}`)
	instant := newEvent("evt_1", completed, charged, object(liveID, "paid"))
	tests := []struct {
		name             string
		all, undelivered []string
		want             store.Event
		calls            int32
	}{
		{"delivered", []string{other, async, checkout}, []string{other}, store.Event{State: store.EventDelivered, ID: "evt_1", Created: paid, PaidAt: paid, Completed: true, CompletedAt: charged}, 4},
		{"undelivered", []string{other, async, checkout}, []string{other, async}, store.Event{State: store.EventPending, ID: "evt_1", Created: paid, PaidAt: paid, Completed: true, CompletedAt: charged}, 4},
		{"the intent's is undelivered", []string{async, checkout}, []string{intent}, store.Event{State: store.EventPending, ID: "evt_1", Created: paid, PaidAt: paid, Completed: true, CompletedAt: charged}, 4},
		{"the checkout's is not known", []string{async}, nil, store.Event{State: store.EventDelivered, ID: "evt_2", Created: paid, PaidAt: paid}, 4},
		{"no delayed one", []string{other, instant}, []string{other}, store.Event{State: store.EventDelivered, ID: "evt_1", Created: charged, Completed: true, CompletedAt: charged}, 2},
		{"none", []string{other}, nil, store.Event{State: store.EventNone}, 4},
	}
	for _, test := range tests {
		reader, requests := lists(t, test.all, test.undelivered)
		got, err := reader.Event(t.Context(), store.Payment{SessionID: liveID, State: store.PaymentPaid, IntentID: "pi_1", Created: charged.Add(-time.Minute), ChargedAt: charged})
		if err != nil || got != test.want || requests.Load() != test.calls {
			t.Errorf("%s: %+v after %d calls, error %v; want %+v", test.name, got, requests.Load(), err, test.want)
		}
	}
	reader, requests := lists(t, []string{checkout}, nil)
	got, err := reader.Event(t.Context(), store.Payment{SessionID: liveID, State: store.PaymentUnpaid, IntentID: "pi_1", ChargedAt: charged})
	if want := (store.Event{State: store.EventDelivered, ID: "evt_1", Created: charged, Completed: true, CompletedAt: charged}); err != nil || got != want || requests.Load() != 2 {
		t.Errorf("not paid yet: %+v after %d calls, error %v; want %+v", got, requests.Load(), err, want)
	}
}

func TestEventSearchPages(t *testing.T) {
	t.Parallel()
	at := now.Add(-time.Hour)
	full := make([]string, 100)
	for i := range full {
		full[i] = newEvent(fmt.Sprint("evt_", i), completed, at, object("cs_live_other", "paid"))
	}
	var calls atomic.Int32
	reader := serve(t, func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		body := list(true, full...)
		switch query := r.URL.Query(); {
		case query.Get("delivery_success") == "false":
			body = list(false)
		case query.Get("starting_after") == "evt_99":
			body = list(true, newEvent("evt_100", completed, at, object(liveID, "paid")))
		}
		_, _ = fmt.Fprint(w, body) // a client that hung up notices by itself
	})
	got, err := reader.Event(t.Context(), store.Payment{SessionID: liveID, ChargedAt: at})
	want := store.Event{State: store.EventDelivered, ID: "evt_100", Created: at, Completed: true, CompletedAt: at}
	if err != nil || got != want || calls.Load() != 3 {
		t.Errorf("%+v after %d calls, error %v; want %+v", got, calls.Load(), err, want)
	}
}

func TestEventSearchIsBounded(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	reader := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, list(true, paidEvent(fmt.Sprint("evt_", calls.Add(1)), object("cs_live_other", "paid"))))
	})
	got, err := reader.Event(t.Context(), store.Payment{SessionID: liveID, Created: now})
	if err != nil || got.State != store.EventUnknown || calls.Load() != 4*maxEventPages {
		t.Errorf("%+v after %d calls, error %v", got, calls.Load(), err)
	}
}

func TestEventTooOld(t *testing.T) {
	t.Parallel()
	reader := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("requests") })
	for _, s := range []store.Payment{{SessionID: liveID, State: store.PaymentPaid}, {SessionID: liveID, State: store.PaymentUnpaid, ChargedAt: now.Add(-31 * 24 * time.Hour)}} {
		if got, err := reader.Event(t.Context(), s); err != nil || got != (store.Event{}) {
			t.Errorf("%+v, error %v", got, err)
		}
	}
}

// TestDelayedPaymentOfAnOldCharge: Stripe lists no event of its checkout any more.
func TestDelayedPaymentOfAnOldCharge(t *testing.T) {
	t.Parallel()
	paid := now.Add(-20 * 24 * time.Hour)
	async := newEvent("evt_2", asyncSucceeded, paid, object(liveID, "paid"))
	tests := []struct {
		name             string
		all, undelivered []string
		want             store.Event
	}{
		{"delivered", []string{async}, nil, store.Event{State: store.EventDelivered, ID: "evt_2", Created: paid, PaidAt: paid}},
		{"undelivered", []string{async}, []string{async}, store.Event{State: store.EventFailed, ID: "evt_2", Created: paid, PaidAt: paid}},
		{"not seen", nil, nil, store.Event{}},
	}
	for _, test := range tests {
		reader, requests := lists(t, test.all, test.undelivered)
		got, err := reader.Event(t.Context(), store.Payment{SessionID: liveID, State: store.PaymentPaid, ChargedAt: now.Add(-31 * 24 * time.Hour)})
		if err != nil || got != test.want || requests.Load() != 2 {
			t.Errorf("%s: %+v after %d calls, error %v; want %+v", test.name, got, requests.Load(), err, test.want)
		}
	}
	reader, _ := lists(t, nil, nil)
	if got, err := reader.Event(t.Context(), store.Payment{SessionID: liveID, State: store.PaymentPaid, ChargedAt: now.Add(-store.EventLife)}); err != nil || got != (store.Event{}) {
		t.Errorf("as old as what Stripe lists: %+v, error %v; want nothing reported", got, err)
	}
}

// TestLateSearchEndsEarly: it ends at its event, however long the lists are.
func TestLateSearchEndsEarly(t *testing.T) {
	t.Parallel()
	charged, paid := now.Add(-5*24*time.Hour), now.Add(-time.Minute)
	var calls atomic.Int32
	reader := serve(t, func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		body := list(true, newEvent("evt_2", asyncSucceeded, paid, object(liveID, "paid")))
		if firstSearch(r, charged) {
			body = list(false, newEvent("evt_1", completed, charged, object(liveID, "unpaid")))
		}
		_, _ = fmt.Fprint(w, body) // a client that hung up notices by itself
	})
	got, err := reader.Event(t.Context(), store.Payment{SessionID: liveID, State: store.PaymentPaid, ChargedAt: charged})
	if want := (store.Event{State: store.EventPending, ID: "evt_1", Created: paid, PaidAt: paid, Completed: true, CompletedAt: charged}); err != nil || got != want || calls.Load() != 4 {
		t.Errorf("%+v after %d calls, error %v; want %+v", got, calls.Load(), err, want)
	}
}

// firstSearch reports whether events around the charge are requested.
func firstSearch(r *http.Request, charged time.Time) bool {
	return r.URL.Query().Get("created[lte]") == strconv.FormatInt(charged.Add(eventMargin).Unix(), 10)
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// TestLateSearchFails: what the first search found is returned nevertheless, before
// the caller's deadline.
func TestLateSearchFails(t *testing.T) {
	t.Parallel()
	charged := now.Add(-5 * 24 * time.Hour)
	checkout := newEvent("evt_1", completed, charged, object(liveID, "unpaid"))
	async := newEvent("evt_2", asyncSucceeded, charged.Add(time.Minute), object(liveID, "paid"))
	failed := store.Event{State: store.EventFailed, ID: "evt_1", Created: charged.Add(time.Minute), PaidAt: charged.Add(time.Minute), Completed: true, CompletedAt: charged}
	for name, test := range map[string]struct {
		first  string
		second transport
		want   store.Event
		kind   store.Unverified
	}{
		"undelivered, refused": {list(false, async, checkout), func(*http.Request) (*http.Response, error) {
			return reply(http.StatusTooManyRequests, ""), nil
		}, failed, store.StripeRateLimited},
		"undelivered, no answer": {list(false, async, checkout), func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, failed, store.StripeNoAnswer},
		"not seen, refused": {list(false), func(*http.Request) (*http.Response, error) {
			return reply(http.StatusTooManyRequests, ""), nil
		}, store.Event{}, store.StripeRateLimited},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stripe := transport(func(r *http.Request) (*http.Response, error) {
					if firstSearch(r, charged) {
						return reply(http.StatusOK, test.first), nil
					}
					return test.second(r)
				})
				reader := New(Config{Key: key, Transport: stripe, Now: func() time.Time { return now }})
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				got, err := reader.Event(ctx, store.Payment{SessionID: liveID, State: store.PaymentPaid, ChargedAt: charged})
				if got != test.want || !errors.Is(err, test.kind) || ctx.Err() != nil {
					t.Errorf("%+v, error %v, who waits %v; want %+v and %v", got, err, ctx.Err(), test.want, test.kind)
				}
			})
		})
	}
}

func reply(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body))}
}
