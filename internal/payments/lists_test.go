package payments

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76"

	"github.com/superduperai/sessionbot/store"
)

// object is a checkout session as Stripe writes it into an event.
func object(id, payment string) string {
	return fmt.Sprintf(`{"id":%q,"object":"checkout.session","status":"complete","payment_status":%q,"amount_total":100,"currency":"usd",
		"created":%d,"livemode":true,"payment_intent":"pi_1"}`, id, payment, now.Add(-time.Hour).Unix())
}

func newEvent(id string, kind stripe.EventType, at time.Time, object string) string {
	return fmt.Sprintf(`{"id":%q,"object":"event","type":%q,"created":%d,"request":{"id":null},"data":{"object":%s}}`, id, kind, at.Unix(), object)
}

func paidEvent(id, object string) string {
	return newEvent(id, completed, now.Add(-time.Minute), object)
}

func list(more bool, items ...string) string {
	return fmt.Sprintf(`{"object":"list","has_more":%t,"data":[%s]}`, more, strings.Join(items, ","))
}

func TestPaidEventsPages(t *testing.T) {
	t.Parallel()
	var requests []string
	reader := serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests = append(requests, decode(r))
		body := list(true, paidEvent("evt_1", object("cs_live_1", "paid")), paidEvent("evt_2", object("cs_live_2", "unpaid")),
			"null", paidEvent("evt_3", `{"id":"cs_x","created":"soon"}`), paidEvent("evt_4", `{}`))
		if r.URL.Query().Get("starting_after") != "" {
			body = list(false, paidEvent("evt_5", object("cs_live_5", "no_payment_required")))
		}
		_, _ = fmt.Fprint(w, body) // a client that hung up notices by itself
	})
	var got []string
	err := reader.PaidEvents(t.Context(), now.Add(-time.Hour), now, func(page []store.Paid) error {
		for _, e := range page {
			got = append(got, fmt.Sprint(e.EventID, " ", e.Payment.SessionID, " ", e.Payment.State, " ", e.Payment.IntentID, " ", e.Payment.ChargedAt.Equal(now.Add(-time.Minute))))
		}
		return nil
	})
	if want := []string{"evt_1 cs_live_1 paid pi_1 true", "evt_5 cs_live_5 not_required pi_1 true"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	const types = "types[0]=checkout.session.completed&types[1]=checkout.session.async_payment_succeeded&"
	times := fmt.Sprintf("created[gte]=%d&created[lte]=%d&limit=100&", now.Add(-time.Hour).Unix(), now.Unix())
	if want := []string{times + types, times + "starting_after=evt_4&" + types}; !slices.Equal(requests, want) {
		t.Errorf("requests\n%q, want\n%q", requests, want)
	}
}

func TestPaidEventsStop(t *testing.T) {
	t.Parallel()
	reader := serve(t, answer(200, list(true, paidEvent("evt_1", object("cs_live_1", "paid")))))
	enough := errors.New("enough")
	if err := reader.PaidEvents(t.Context(), now, now, func([]store.Paid) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("%v", err)
	}
	reader = serve(t, answer(503, ""))
	err := reader.PaidEvents(t.Context(), now, now, func([]store.Paid) error { t.Error("a page"); return nil })
	checkError(t, err, Error{Reason: store.StripeFault, Status: 503})
	if err := New(Config{}).PaidEvents(t.Context(), now, now, nil); !errors.Is(err, store.NoStripeKey) {
		t.Errorf("without a key: %v", err)
	}
}

func TestUndeliveredIsBounded(t *testing.T) {
	t.Parallel()
	calls := 0
	reader := serve(t, func(w http.ResponseWriter, r *http.Request) {
		calls++
		if r.URL.Query().Get("delivery_success") != "false" {
			t.Errorf("requests for %s", r.URL)
		}
		if types := array(r, "types"); !slices.Equal(types, startingEvents) {
			t.Errorf("requests for %q", types)
		}
		_, _ = fmt.Fprint(w, list(true, paidEvent(fmt.Sprint("evt_", calls), object(fmt.Sprint("cs_", calls), "paid"))))
	})
	got, whole, err := reader.Undelivered(t.Context(), now, now)
	if err != nil || whole || calls != maxUndeliveredPages || len(got) != maxUndeliveredPages || !got["cs_1"] {
		t.Errorf("%d calls, %v, %v", calls, got, err)
	}
}

func array(r *http.Request, name string) (values []string) {
	for i := 0; r.URL.Query().Has(fmt.Sprintf("%s[%d]", name, i)); i++ {
		values = append(values, r.URL.Query().Get(fmt.Sprintf("%s[%d]", name, i)))
	}
	return values
}

func TestUndeliveredNamesPaymentIntents(t *testing.T) {
	t.Parallel()
	body := list(false, paidEvent("evt_1", object("cs_1", "paid")), newEvent("evt_2", "payment_intent.succeeded", now, `{"id":"pi_2"}`))
	got, whole, err := serve(t, answer(200, body)).Undelivered(t.Context(), now, now)
	if err != nil || !whole || !got["cs_1"] || !got["pi_2"] || len(got) != 2 {
		t.Errorf("%v, whole %t, %v", got, whole, err)
	}
}

// TestPaidAt: the time of a delayed payment is that of its success event.
func TestPaidAt(t *testing.T) {
	t.Parallel()
	for kind, want := range map[stripe.EventType]time.Time{completed: {}, asyncSucceeded: now.Add(-time.Minute)} {
		reader := serve(t, answer(200, list(false, newEvent("evt_1", kind, now.Add(-time.Minute), object("cs_1", "paid")))))
		err := reader.PaidEvents(t.Context(), now, now, func(page []store.Paid) error {
			if len(page) != 1 || !page[0].Payment.PaidAt.Equal(want) || !page[0].Payment.ChargedAt.Equal(now.Add(-time.Minute)) {
				t.Errorf("%s: %+v", kind, page)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestPaidSessionsPages(t *testing.T) {
	t.Parallel()
	var requests []string
	reader := serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests = append(requests, decode(r))
		body := list(true, object("cs_live_1", "paid"), "null", object("cs_live_2", "unpaid"))
		if r.URL.Query().Get("starting_after") == "cs_live_2" {
			body = list(false, object("cs_live_3", "paid"))
		}
		_, _ = fmt.Fprint(w, body) // a client that hung up notices by itself
	})
	var got []string
	err := reader.PaidSessions(t.Context(), now, func(page []store.Paid) error {
		for _, s := range page {
			got = append(got, s.Payment.SessionID)
		}
		return nil
	})
	if err != nil || !slices.Equal(got, []string{"cs_live_1", "cs_live_2", "cs_live_3"}) { // the second is delayed
		t.Errorf("%q, %v", got, err)
	}
	want := fmt.Sprintf("created[gte]=%d&expand[0]=data.payment_intent.latest_charge&limit=100&status=complete&", now.Unix())
	if len(requests) != 2 || requests[0] != want {
		t.Errorf("requests %q, want %q first", requests, want)
	}
}

// TestListShapes sends all list requests to Stripe's own mock.
func TestListShapes(t *testing.T) {
	t.Parallel()
	var rec recorder
	reader := rec.reader(t)
	_, _, err := reader.Undelivered(t.Context(), now.Add(-time.Hour), now)
	for _, err := range []error{
		err,
		reader.PaidEvents(t.Context(), now.Add(-time.Hour), now, func([]store.Paid) error { return nil }),
		reader.PaidSessions(t.Context(), now, func([]store.Paid) error { return nil }),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	for i, status := range rec.statuses {
		if status != http.StatusOK {
			t.Errorf("Stripe's mock answers %d to %s", status, rec.requests[i])
		}
	}
}
