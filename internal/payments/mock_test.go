package payments

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stripe/stripe-mock/embedded"
	"github.com/stripe/stripe-mock/server"

	"github.com/superduperai/sessionbot/store"
)

// mock is Stripe's own mock, which checks every request against Stripe's
// OpenAPI description and refuses what is not in it.
var mock = sync.OnceValues(func() (http.Handler, error) {
	description, err := server.LoadSpec(embedded.OpenAPISpec, "")
	if err != nil {
		return nil, err
	}
	fixtures, err := server.LoadFixtures(embedded.OpenAPIFixtures, "")
	if err != nil {
		return nil, err
	}
	stub, err := server.NewStubServer(fixtures, description, false, false)
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(stub.HandleRequest), nil
})

// recorder passes requests on to Stripe's mock and records them.
type recorder struct {
	mu       sync.Mutex
	requests []string
	statuses []int
}

func (rec *recorder) reader(t *testing.T) *Reader {
	t.Helper()
	handler, err := mock()
	if err != nil {
		t.Fatal(err)
	}
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, r)
		rec.mu.Lock()
		rec.requests = append(rec.requests, r.Method+" "+r.URL.Path+" "+decode(r))
		rec.statuses = append(rec.statuses, answer.Code)
		rec.mu.Unlock()
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes()) // a client that hung up notices by itself
	}))
	t.Cleanup(ts.Close)
	now := time.Unix(1_700_000_000, 0)
	return New(Config{Key: "sk_test_123", BaseURL: ts.URL, Now: func() time.Time { return now }})
}

func decode(r *http.Request) string {
	var pairs []string
	for name, values := range r.URL.Query() {
		for _, value := range values {
			pairs = append(pairs, name+"="+value)
		}
	}
	slices.Sort(pairs)
	text := ""
	for _, pair := range pairs {
		text += pair + "&"
	}
	return text
}

// The mock answers every request with a fixture. What counts is that it accepts
// the request, and that the answer can be read.
func TestRequestShapes(t *testing.T) {
	t.Parallel()
	var rec recorder
	reader := rec.reader(t)
	_, sessionErr := reader.Payment(t.Context(), "cs_test_123")
	_, _, emailErr := reader.Find(t.Context(), "ann@example.com", 5)
	_, _, intentErr := reader.Find(t.Context(), "pi_123", 500)
	_, eventErr := reader.Event(t.Context(), store.Payment{SessionID: "cs_test_123", ChargedAt: time.Unix(1_699_990_000, 0)})
	if _, err := reader.RawEvent(t.Context(), "evt_123", "cs_test_123"); !errors.Is(err, store.StripeFault) { // a fixture is no session's event
		t.Error(err)
	}
	for _, err := range []error{sessionErr, emailErr, intentErr, eventErr} {
		if err != nil {
			t.Error(err)
		}
	}
	const types = "types[0]=checkout.session.completed&types[1]=checkout.session.async_payment_succeeded&"
	const intents = types + "types[2]=payment_intent.succeeded&"
	want := []string{
		"GET /v1/checkout/sessions customer_details[email]=ann@example.com&expand[0]=data.payment_intent.latest_charge&limit=5&",
		"GET /v1/checkout/sessions expand[0]=data.payment_intent.latest_charge&limit=100&payment_intent=pi_123&",
		"GET /v1/checkout/sessions/cs_test_123 expand[0]=payment_intent.latest_charge&",
		"GET /v1/events created[gte]=1699986400&created[lte]=1699993600&delivery_success=false&limit=100&" + intents,
		"GET /v1/events created[gte]=1699986400&created[lte]=1699993600&limit=100&" + types,
		"GET /v1/events created[gte]=1699986400&created[lte]=1700003600&delivery_success=false&limit=100&" + intents,
		"GET /v1/events created[gte]=1699986400&created[lte]=1700003600&limit=100&types[0]=checkout.session.async_payment_succeeded&",
		"GET /v1/events/evt_123 ",
	}
	slices.Sort(rec.requests)
	if !slices.Equal(rec.requests, want) {
		t.Errorf("requests\n%q, want\n%q", rec.requests, want)
	}
	for i, status := range rec.statuses {
		if status != http.StatusOK {
			t.Errorf("Stripe's mock answers %d to %s", status, rec.requests[i])
		}
	}
}
