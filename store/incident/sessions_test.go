package incident

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
	"github.com/superduperai/sessionbot/store/storetest"
	"github.com/superduperai/sessionbot/store/watchstate"
)

func TestKnown(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		w := NewRecords(r)
		paid := store.Paid{Payment: store.Payment{SessionID: "a", State: store.PaymentPaid, Amount: 100, ChargedAt: storetest.At, PaidAt: storetest.At, OtherSale: true}, EventID: "evt_1", EventAt: storetest.At}
		withAddress := paid
		withAddress.Payment.Email = "ann@example.com" // which is not stored
		testenv.Must(t, w.SavePaid(t.Context(), withAddress))
		testenv.Must(t, w.SavePaid(t.Context(), store.Paid{Payment: store.Payment{SessionID: "a"}}, store.Paid{Payment: store.Payment{SessionID: "b"}}))
		testenv.Must(t, w.Dismiss(t.Context(), "b", "stalled", time.Hour))
		known, err := w.Known(t.Context(), []string{"a", "b", "c"})
		if err != nil || known["a"].Paid == nil || *known["a"].Paid != paid || known["b"].Paid == nil ||
			known["b"].Dismissed != "stalled" || known["c"] != (Known{}) {
			t.Errorf("%+v, %v", known, err)
		}
		testenv.Must(t, client.Set(t.Context(), paidKey("b"), `{"Payment":{"SessionID":"b","State":"paid"}}`, watchstate.RecordLife).Err()) // of an older version
		if known, err := w.Known(t.Context(), []string{"b"}); err != nil || known["b"].Paid == nil || known["b"].Paid.Payment.OtherSale {
			t.Errorf("an old record: %+v, %v", known, err)
		}
		testenv.Must(t, w.ForgetPaid(t.Context(), []string{"a", "c"}))
		if known, err := w.Known(t.Context(), []string{"a"}); err != nil || known["a"].Paid != nil {
			t.Errorf("not forgotten: %+v, %v", known, err)
		}
		if ttl := client.PTTL(t.Context(), paidKey("b")).Val(); ttl <= store.KeyLife || ttl > watchstate.RecordLife {
			t.Errorf("a payment is remembered for %s", ttl)
		}
	})
}

// TestKnownPayments: what Stripe did not list is unpaid only while it lists.
func TestKnownPayments(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		w := NewRecords(r)
		lead := leading(t, w, "one")
		testenv.Must(t, w.SavePaid(t.Context(), store.Paid{Payment: store.Payment{SessionID: "cs_1", State: store.PaymentPaid}}))
		testenv.Must(t, w.Note(t.Context(), lead, watchstate.StripeReadAt(storetest.At)))
		for now, want := range map[time.Time]map[string]store.PaymentState{
			storetest.At.Add(time.Minute): {"cs_1": store.PaymentPaid, "cs_2": store.PaymentUnpaid},
			storetest.At.Add(time.Hour):   {"cs_1": store.PaymentPaid},
		} {
			payments, err := w.Payments(t.Context(), now, []string{"cs_1", "cs_2"})
			testenv.Must(t, err)
			got := map[string]store.PaymentState{}
			for id, p := range payments {
				got[id] = p.State
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("after %s: %s", now.Sub(storetest.At), diff)
			}
		}
	})
}

// TestHandled: who handled a session is known for as long as Redis keeps it, and covers
// the trouble that it was in.
func TestHandled(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		w := NewRecords(r)
		if h, err := w.Handled(t.Context(), "a"); err != nil || h.Covers("") {
			t.Errorf("nobody did: %+v, %v", h, err)
		}
		want := Handled{By: "U1", At: storetest.At, Verdict: diagnosis.VerdictLost}
		testenv.Must(t, w.SaveHandled(t.Context(), "a", want))
		testenv.Must(t, w.Dismiss(t.Context(), "a", "lost since then", time.Hour))
		h, err := w.Handled(t.Context(), "a")
		if err != nil || h == nil || *h != want || !h.Covers(diagnosis.VerdictLost) || h.Covers(diagnosis.VerdictFailed) {
			t.Errorf("%+v, %v", h, err)
		}
		if ttl := client.PTTL(t.Context(), handledKey("a")).Val(); ttl <= store.KeyLife || ttl > watchstate.RecordLife {
			t.Errorf("it is known for %s", ttl)
		}
	})
}
