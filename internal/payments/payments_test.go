package payments

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/superduperai/sessionbot/store"
)

const (
	key    = "rk_live_example"
	liveID = "cs_live_example1"
	testID = "cs_test_example1"
	email  = "ann@example.com"
)

var now = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func serve(t *testing.T, handler http.HandlerFunc) *Reader {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return New(Config{Key: key, BaseURL: server.URL, Now: func() time.Time { return now }})
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body) // a client that hung up notices by itself
	}
}

func TestPayment(t *testing.T) {
	t.Parallel()
	const created = 1_772_625_600 // now
	tests := []struct {
		name, body string // of what stands behind the id
		want       store.Payment
	}{
		{"paid", `"status":"complete","payment_status":"paid","amount_total":100,"currency":"USD","livemode":true,
			"metadata":{"video_count":"3"},"customer_details":{"email":"` + email + `"},
			"payment_intent":{"id":"pi_1","latest_charge":{"id":"ch_1","created":` + fmt.Sprint(created+60) + `,"amount":100,"disputed":true}}`,
			store.Payment{State: store.PaymentPaid, Amount: 100, Currency: "usd", Live: true, IntentID: "pi_1", ChargedAt: now.Add(time.Minute), Disputed: true, VideoCount: 3, Email: email}},
		{"payment intent by its id", `"status":"complete","payment_status":"paid","payment_intent":"pi_1"`, store.Payment{State: store.PaymentPaid, IntentID: "pi_1"}},
		{"no charge", `"status":"complete","payment_status":"paid","payment_intent":{"id":"pi_1","latest_charge":null}`, store.Payment{State: store.PaymentPaid, IntentID: "pi_1"}},
		{"charge by its id", `"status":"complete","payment_status":"paid","payment_intent":{"id":"pi_1","latest_charge":"ch_1"}`, store.Payment{State: store.PaymentPaid, IntentID: "pi_1"}},
		{"everything null", `"status":null,"payment_status":"paid","payment_intent":null,"metadata":null,"currency":null,"amount_total":null,"livemode":null`, store.Payment{State: store.PaymentPaid}},
		{"open", `"status":"open","payment_status":"unpaid"`, store.Payment{State: store.PaymentUnpaid}},
		{"complete, pays later", `"status":"complete","payment_status":"unpaid"`, store.Payment{State: store.PaymentUnpaid}},
		{"failed for good", `"status":"complete","payment_status":"unpaid","payment_intent":{"id":"pi_1","status":"requires_payment_method"}`, store.Payment{State: store.PaymentUnpaid, IntentID: "pi_1", Failed: true}},
		{"canceled", `"status":"complete","payment_status":"unpaid","payment_intent":{"id":"pi_1","status":"canceled"}`, store.Payment{State: store.PaymentUnpaid, IntentID: "pi_1", Failed: true}},
		{"on its way", `"status":"complete","payment_status":"unpaid","payment_intent":{"id":"pi_1","status":"processing"}`, store.Payment{State: store.PaymentUnpaid, IntentID: "pi_1"}},
		{"a card was refused in an open checkout", `"status":"open","payment_status":"unpaid","payment_intent":{"id":"pi_1","status":"requires_payment_method"}`, store.Payment{State: store.PaymentUnpaid, IntentID: "pi_1"}},
		{"unpaid, the payment intent by its id", `"status":"complete","payment_status":"unpaid","payment_intent":"pi_1"`, store.Payment{State: store.PaymentUnpaid, IntentID: "pi_1"}},
		{"expired", `"status":"expired","payment_status":"unpaid"`, store.Payment{State: store.PaymentExpired}},
		{"no payment due", `"status":"complete","payment_status":"no_payment_required"`, store.Payment{State: store.PaymentNotRequired}},
		{"refunded", `"status":"complete","payment_status":"paid","payment_intent":{"id":"pi_1","latest_charge":{"id":"ch_1","amount":100,"amount_refunded":100,"refunded":true}}`,
			store.Payment{State: store.PaymentRefunded, AmountRefunded: 100, IntentID: "pi_1"}},
		{"refunded by the sum", `"status":"complete","payment_status":"paid","amount_total":100,"payment_intent":{"id":"pi_1","latest_charge":{"id":"ch_1","amount_refunded":100}}`,
			store.Payment{State: store.PaymentRefunded, Amount: 100, AmountRefunded: 100, IntentID: "pi_1"}},
		{"refunded in part", `"status":"complete","payment_status":"paid","amount_total":100,"payment_intent":{"id":"pi_1","latest_charge":{"id":"ch_1","amount":100,"amount_refunded":40}}`,
			store.Payment{State: store.PaymentPartiallyRefunded, Amount: 100, AmountRefunded: 40, IntentID: "pi_1"}},
		{"a count that is none", `"status":"complete","payment_status":"paid","metadata":{"video_count":"many"}`, store.Payment{State: store.PaymentPaid}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			reader := serve(t, answer(200, fmt.Sprintf(`{"id":%q,"object":"checkout.session","created":%d,%s}`, liveID, created, test.body)))
			got, err := reader.Payment(t.Context(), liveID)
			test.want.SessionID, test.want.Created = liveID, now
			if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
				t.Errorf("error %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	reader := serve(t, answer(404, `{"error":{"type":"invalid_request_error","code":"resource_missing","message":"No such checkout.session"}}`))
	got, err := reader.Payment(t.Context(), liveID)
	if want := (store.Payment{SessionID: liveID, State: store.PaymentMissing, Live: true}); err != nil || got != want {
		t.Errorf("%+v, error %v; want %+v", got, err, want)
	}
	found, more, err := reader.Find(t.Context(), "pi_unknown", 5)
	if len(found) != 0 || more || err != nil {
		t.Errorf("%+v, more %t, error %v; want nothing", found, more, err)
	}
	if _, err := reader.Event(t.Context(), store.Payment{SessionID: liveID, ChargedAt: now}); !errors.Is(err, store.StripeFault) {
		t.Errorf("a list of events that is missing: %v, want a fault", err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	const refusal = `{"error":{"type":"invalid_request_error","message":"secret ` + email + ` ` + key + `"}}`
	tests := []struct {
		name    string
		handler http.HandlerFunc
		want    Error
	}{
		{"401", answer(401, refusal), Error{Reason: store.StripeKeyRefused, Status: 401}},
		{"401 in HTML", answer(401, "<html>"), Error{Reason: store.StripeKeyRefused, Status: 401}},
		{"403", answer(403, refusal), Error{Reason: store.StripeForbidden, Status: 403}},
		{"429", answer(429, refusal), Error{Reason: store.StripeRateLimited, Status: 429}},
		{"400", answer(400, refusal), Error{Reason: store.StripeFault, Status: 400}},
		{"404 of another server", answer(404, "not here"), Error{Reason: store.StripeFault, Status: 404}},
		{"500", answer(500, refusal), Error{Reason: store.StripeFault, Status: 500}},
		{"503 in HTML", answer(503, email), Error{Reason: store.StripeFault, Status: 503}},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusFound) }, Error{Reason: store.StripeFault, Status: 302}},
		{"rubbish", answer(200, email), Error{Reason: store.StripeFault}},
		{"null", answer(200, `null`), Error{Reason: store.StripeFault}},
		{"an array", answer(200, `[]`), Error{Reason: store.StripeFault}},
		{"another session", answer(200, `{"id":"cs_live_other","status":"complete","payment_status":"paid"}`), Error{Reason: store.StripeFault}},
		{"an unknown state", answer(200, `{"id":"`+liveID+`","status":"complete","payment_status":"maybe"}`), Error{Reason: store.StripeFault}},
		{"over 8 MB", answer(200, strings.Repeat(" ", bodyLimit+1)), Error{Reason: store.StripeFault, Status: 200}},
		{"cut off", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, Error{Reason: store.StripeNoAnswer}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := serve(t, test.handler).Payment(t.Context(), liveID)
			checkError(t, err, test.want)
		})
	}
	_, _, err := serve(t, answer(503, "")).Find(t.Context(), email, 5)
	checkError(t, err, Error{Reason: store.StripeFault, Status: 503})
}

func checkError(t *testing.T, err error, want Error) {
	t.Helper()
	var got *Error
	if !errors.As(err, &got) || !errors.Is(err, want.Reason) || got.Status != want.Status {
		t.Fatalf("got %v, want %s, HTTP %d", err, want.Reason, want.Status)
	}
	for _, secret := range []string{key, email, url.QueryEscape(email), liveID} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error's text contains %q: %s", secret, err)
		}
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	reader := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	_, _, err := reader.Find(ctx, email, 5)
	checkError(t, err, Error{Reason: store.StripeNoAnswer})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v does not name its cause", err)
	}
}

func TestKeyIsChecked(t *testing.T) {
	t.Parallel()
	tests := []struct {
		key, id string
		want    error
	}{
		{"", liveID, store.NoStripeKey},
		{"sk_live_x", testID, store.StripeWrongMode},
		{"rk_live_x", testID, store.StripeWrongMode},
		{"sk_test_x", liveID, store.StripeWrongMode},
		{"rk_test_x", liveID, store.StripeWrongMode},
		{"rk_test_x", testID, nil},
		{"sk_live_x", liveID, nil},
		{"sk_example", testID, nil},
		{"sk_example", liveID, nil},
	}
	for _, test := range tests {
		requests := false
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			requests = true
			_, _ = fmt.Fprintf(w, `{"id":%q,"status":"open"}`, test.id)
		}))
		_, err := New(Config{Key: test.key, BaseURL: server.URL}).Payment(t.Context(), test.id)
		server.Close()
		if requests != (test.want == nil) || !errors.Is(err, test.want) {
			t.Errorf("key %q, id %q: %v, requests %t; want %v", test.key, test.id, err, requests, test.want)
		}
	}
}

func TestFindSortsNewestFirst(t *testing.T) {
	t.Parallel()
	reader := serve(t, answer(200, `{"object":"list","has_more":true,"data":[
		{"id":"cs_live_old","created":1000,"status":"open"},{"id":"cs_live_new","created":2000,"status":"expired"}]}`))
	found, more, err := reader.Find(t.Context(), email, 2)
	if err != nil || !more || len(found) != 2 || found[0].SessionID != "cs_live_new" {
		t.Errorf("%+v, more %t, error %v", found, more, err)
	}
	reader = serve(t, answer(200, `{"object":"list","has_more":true,"data":[]}`))
	if found, _, err := reader.Find(t.Context(), email, 2); err != nil || len(found) != 0 {
		t.Errorf("an empty page that has more: %+v, error %v", found, err)
	}
}

func TestOtherSale(t *testing.T) {
	t.Parallel()
	members := []string{"video_count", "tool", "toolSlug"}
	for _, c := range []struct {
		name    string
		members []string
		object  string
		want    bool
	}{
		{"with one of them", members, `"mode":"payment","metadata":{"tool":"veo3-generator"}`, false},
		{"with another member", members, `"mode":"payment","metadata":{"plan":"pro"}`, true},
		{"without metadata", members, `"mode":"payment","metadata":null`, true},
		{"a subscription", members, `"mode":"subscription","metadata":{"tool":"veo3-generator"}`, true},
		{"a setup", nil, `"mode":"setup"`, true},
		{"any payment", nil, `"mode":"payment","metadata":{"plan":"pro"}`, false},
		{"of no mode", members, `"metadata":{"video_count":"1"}`, false},
	} {
		server := httptest.NewServer(answer(200, fmt.Sprintf(`{"id":%q,"status":"complete","payment_status":"paid",%s}`, liveID, c.object)))
		got, err := New(Config{Key: key, BaseURL: server.URL, ProductMetadata: c.members}).Payment(t.Context(), liveID)
		server.Close()
		if err != nil || got.OtherSale != c.want {
			t.Errorf("%s: %t, %v", c.name, got.OtherSale, err)
		}
	}
}

func FuzzPayment(f *testing.F) {
	f.Add([]byte(`{"id":"cs_live_x","status":"complete","payment_status":"paid","payment_intent":{"latest_charge":{"amount_refunded":1}}}`))
	f.Add([]byte(`{"id":"cs_live_x","payment_intent":"pi_1","created":-1,"metadata":{"video_count":"99999999999999999999"}}`))
	f.Add([]byte(`{"id":"x","payment_intent":{"latest_charge":"ch_1","created":9223372036854775807}}`))
	reader := New(Config{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := reader.parsePayment(raw)
		if err != nil {
			return
		}
		switch s.State {
		case store.PaymentPaid, store.PaymentUnpaid, store.PaymentExpired, store.PaymentRefunded, store.PaymentPartiallyRefunded, store.PaymentNotRequired:
		default:
			t.Errorf("state %q", s.State)
		}
		if s.SessionID == "" || s.VideoCount < 0 || s.Created.Year() > 9999 || s.ChargedAt.Year() > 9999 {
			t.Errorf("%+v", s)
		}
	})
}
