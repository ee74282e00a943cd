package payments

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"testing"

	"github.com/superduperai/sessionbot/store"
)

// paidInFull is a Checkout Session as Stripe sends it, with the payment intent
// and the charge in it.
const paidInFull = `{"id":"cs_live_example1","object":"checkout.session","amount_subtotal":100,"amount_total":100,"created":1772625600,
	"currency":"usd","customer":"cus_1","customer_details":{"email":"ann@example.com","name":"Ann","address":{"city":"Bern"}},
	"expires_at":1772712000,"livemode":true,"metadata":{"video_count":"1","tool":"veo3"},"mode":"payment","payment_method_types":["card"],
	"payment_intent":{"id":"pi_1","object":"payment_intent","amount":100,"latest_charge":{"id":"ch_1","object":"charge","amount":100,
		"amount_refunded":0,"created":1772625660,"disputed":false,"refunded":false,"payment_intent":"pi_1"}},
	"payment_status":"paid","status":"complete","total_details":{"amount_discount":0},"url":null}`

// TestUnexpectedMembers: whatever the value of a member, the answer is read or is a
// fault, and never turns into a payment.
func TestUnexpectedMembers(t *testing.T) {
	t.Parallel()
	var whole map[string]any
	if err := json.Unmarshal([]byte(paidInFull), &whole); err != nil {
		t.Fatal(err)
	}
	var body []byte
	reader := serve(t, answerWith(&body))
	tried := 0
	each(whole, "", func(path string, put func(any), remove func()) {
		for _, odd := range []any{nil, "", "x", -1, 1e300, true, []any{}, []any{nil}, map[string]any{}, map[string]any{"id": nil}} {
			put(odd)
			tried++
			body = encode(t, whole)
			got, err := reader.Payment(t.Context(), liveID)
			if err != nil && !errors.Is(err, store.StripeFault) {
				t.Errorf("%s = %v: %v, want a fault", path, odd, err)
			}
			if path == ".payment_status" && err == nil && got.State == store.PaymentPaid {
				t.Errorf("%s = %v: paid", path, odd)
			}
			if err == nil && (got.SessionID != liveID || got.State == "" || got.State == store.PaymentMissing) {
				t.Errorf("%s = %v: %+v", path, odd, got)
			}
		}
		remove()
		body = encode(t, whole)
		if _, err := reader.Payment(t.Context(), liveID); err != nil && !errors.Is(err, store.StripeFault) {
			t.Errorf("without %s: %v, want a fault", path, err)
		}
	})
	if tried < 300 {
		t.Errorf("only %d were tried", tried)
	}
	for _, answer := range []string{"", "null", "[]", "7", `"x"`, "{", "<html>", "\x00", `{"id":null}`, `{"object":"charge"}`, `{"id":"cs_live_another"}`} {
		body = []byte(answer)
		if got, err := reader.Payment(t.Context(), liveID); !errors.Is(err, store.StripeFault) {
			t.Errorf("%q: %+v, %v, want a fault", answer, got, err)
		}
	}
}

// each calls try for every member of the object and of those in it, and restores
// the object afterwards.
func each(object map[string]any, path string, try func(path string, put func(any), remove func())) {
	for name, value := range maps.Clone(object) {
		at := path + "." + name
		try(at, func(odd any) { object[name] = odd }, func() { delete(object, name) })
		object[name] = value
		if inner, ok := value.(map[string]any); ok {
			each(inner, at, try)
		}
	}
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(fmt.Errorf("encode: %w", err))
	}
	return raw
}

func answerWith(body *[]byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(*body) // a client that hung up notices by itself
	}
}
