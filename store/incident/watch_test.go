package incident

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
	"github.com/superduperai/sessionbot/store/storetest"
)

func leading(t *testing.T, w *Watch, owner string) lease.Lease {
	t.Helper()
	testenv.Must(t, w.Begin(t.Context(), storetest.At))
	l, ok, err := w.Lead(t.Context(), owner)
	if err != nil || !ok {
		t.Fatalf("%s does not get the lead: %v", owner, err)
	}
	return l
}

// TestOneLeads: of several one leads, and who lost the lead stores nothing.
func TestOneLeads(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		w := NewWatch(r)
		w.Leases.Timings.Life = time.Hour
		first := leading(t, w, "one")
		if again := leading(t, w, "one"); again != first {
			t.Errorf("renewed: %+v, before %+v", again, first)
		}
		if _, ok, err := w.Lead(t.Context(), "two"); ok || err != nil {
			t.Fatalf("two lead: %v", err)
		}
		if ttl := client.PTTL(t.Context(), "sessionbot:{watch}:leader").Val(); ttl <= 0 || ttl > w.Leases.Timings.Life {
			t.Errorf("the lead lives for %s", ttl)
		}
		testenv.Must(t, client.Del(t.Context(), "sessionbot:{watch}:leader").Err()) // as if it ran out
		if again := leading(t, w, "one"); again == first {
			t.Error("a lead that ended in between is the same")
		}
		testenv.Must(t, client.Del(t.Context(), "sessionbot:{watch}:leader").Err())
		second := leading(t, w, "two")
		i := Incident{ID: "i", Opened: storetest.At}
		for name, err := range map[string]error{
			"note": w.Note(t.Context(), first, Swept(storetest.At)),
			"open": func() error { _, err := w.OpenIncident(t.Context(), first, i); return err }(),
		} {
			if !errors.Is(err, lease.ErrLost) {
				t.Errorf("%s by the old leader: %v", name, err)
			}
		}
		testenv.Must(t, w.Begin(t.Context(), storetest.At))
		testenv.Must(t, w.Begin(t.Context(), storetest.At.Add(time.Hour)))
		testenv.Must(t, w.Note(t.Context(), second, Swept(storetest.At), Cursor(storetest.At.Add(time.Second)), BacklogNotified(), Unreachable("away"), Reads(store.LayoutThreeKey)))
		state, err := w.State(t.Context())
		want := WatchState{Epoch: storetest.At, Swept: storetest.At, Cursor: storetest.At.Add(time.Second), BacklogNotified: true, Unreachable: "away", Reads: store.LayoutThreeKey}
		if err != nil || state != want {
			t.Errorf("%+v, %v; want %+v", state, err, want)
		}
	})
}

func TestDueList(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		w := NewWatch(r)
		testenv.Must(t, w.AddDue(t.Context(), DueSession{"late", storetest.At.Add(time.Minute)}, DueSession{"now", storetest.At}, DueSession{"early", storetest.At.Add(-time.Hour)}))
		testenv.Must(t, w.AddDue(t.Context(), DueSession{"early", storetest.At.Add(time.Hour)}, DueSession{"late", storetest.At.Add(time.Second)}))
		names := func(now time.Time, limit int) (ids []string) {
			dues, err := w.Due(t.Context(), now, limit)
			testenv.Must(t, err)
			for _, d := range dues {
				ids = append(ids, d.Session)
			}
			return ids
		}
		if got := names(storetest.At, 10); !slices.Equal(got, []string{"early", "now"}) {
			t.Errorf("due now: %v", got)
		}
		if got := names(storetest.At.Add(time.Second), 10); len(got) != 3 {
			t.Errorf("the earlier time does not count: %v", got)
		}
		if got := names(storetest.At.Add(time.Hour), 1); !slices.Equal(got, []string{"early"}) {
			t.Errorf("the first: %v", got)
		}
		dues, err := w.Due(t.Context(), storetest.At, 10)
		testenv.Must(t, err)
		testenv.Must(t, w.AddDue(t.Context(), DueSession{"now", storetest.At.Add(-time.Second)})) // while it is looked at
		testenv.Must(t, w.RemoveDue(t.Context(), dues))
		if got := names(storetest.At.Add(time.Hour), 10); !slices.Equal(got, []string{"now", "late"}) {
			t.Errorf("left: %v", got)
		}
		dues, err = w.Due(t.Context(), storetest.At, 10)
		testenv.Must(t, err)
		testenv.Must(t, w.AddDue(t.Context(), DueSession{"now", storetest.At.Add(time.Second)})) // likewise, as late as it is
		testenv.Must(t, w.RemoveDue(t.Context(), dues))
		if got := names(storetest.At, 10); !slices.Equal(got, []string{"now"}) {
			t.Errorf("left of what was written meanwhile: %v", got)
		}
	})
}

func TestKnown(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		w := NewWatch(r)
		told := Paid{Payment: store.Payment{SessionID: "a", State: store.PaymentPaid, Amount: 100, ChargedAt: storetest.At, PaidAt: storetest.At, OtherSale: true}, EventID: "evt_1", EventAt: storetest.At}
		testenv.Must(t, w.SavePaid(t.Context(), told))
		testenv.Must(t, w.SavePaid(t.Context(), Paid{Payment: store.Payment{SessionID: "a"}}, Paid{Payment: store.Payment{SessionID: "b"}}))
		testenv.Must(t, w.Dismiss(t.Context(), "b", "stalled", time.Hour))
		known, err := w.Known(t.Context(), []string{"a", "b", "c"})
		if err != nil || known["a"].Paid == nil || *known["a"].Paid != told || known["b"].Paid == nil ||
			known["b"].Dismissed != "stalled" || known["c"] != (Known{}) {
			t.Errorf("%+v, %v", known, err)
		}
		testenv.Must(t, client.Set(t.Context(), paidKey("b"), `{"Payment":{"SessionID":"b","State":"paid"}}`, caseLife).Err()) // of an older version
		if known, err := w.Known(t.Context(), []string{"b"}); err != nil || known["b"].Paid == nil || known["b"].Paid.Payment.OtherSale {
			t.Errorf("an old record: %+v, %v", known, err)
		}
		testenv.Must(t, w.ForgetPaid(t.Context(), []string{"a", "c"}))
		if known, err := w.Known(t.Context(), []string{"a"}); err != nil || known["a"].Paid != nil {
			t.Errorf("not forgotten: %+v, %v", known, err)
		}
		if ttl := client.PTTL(t.Context(), paidKey("b")).Val(); ttl <= store.KeyLife || ttl > caseLife {
			t.Errorf("a payment is remembered for %s", ttl)
		}
	})
}

func TestIncidentIsChangedByOneAtATime(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		w := NewWatch(r)
		l := leading(t, w, "one")
		i, err := w.OpenIncident(t.Context(), l, Incident{ID: "i", Kind: "orphaned", Opened: storetest.At, Cases: []Case{{ID: "cs_1", At: storetest.At}}})
		testenv.Must(t, err)
		if _, err := w.OpenIncident(t.Context(), l, Incident{ID: "i", Opened: storetest.At}); err == nil {
			t.Error("an incident was opened over another")
		}
		var people sync.WaitGroup
		for n := range 4 {
			people.Go(func() {
				if _, _, err := w.Snooze(t.Context(), "i", fmt.Sprint("U", n), storetest.At); err != nil {
					t.Error(err)
				}
			})
		}
		people.Go(func() {
			if _, err := w.ChangeIncident(t.Context(), l, i, func(i *Incident) bool { i.Shown = 7; return true }); err != nil {
				t.Error(err)
			}
		})
		people.Wait()
		got, err := w.OpenIncidents(t.Context(), map[string]Incident{"i": i})
		testenv.Must(t, err)
		if len(got) != 1 || got[0].Shown != 7 || !got[0].Snoozed.Until.Equal(storetest.At.Add(4*time.Hour)) || got[0].Revision != 4 {
			t.Fatalf("%+v", got)
		}
		if diff := cmp.Diff([]Case{{ID: "cs_1", At: storetest.At}}, got[0].Cases); diff != "" {
			t.Error(diff)
		}
		same := got[0]
		same.Change = "kept by the caller"
		if again, err := w.OpenIncidents(t.Context(), map[string]Incident{"i": same}); err != nil || again[0].Change != same.Change {
			t.Errorf("what had not changed was read again: %+v, %v", again, err)
		}
		for _, want := range []bool{true, false} {
			if _, done, err := w.Acknowledge(t.Context(), "i", "U1", storetest.At); done != want || err != nil {
				t.Errorf("acknowledged: %t, %v; want %t", done, err, want)
			}
		}
		testenv.Must(t, w.RetireIncident(t.Context(), l, "i"))
		if open, err := w.OpenIncidents(t.Context(), nil); len(open) != 0 || err != nil {
			t.Errorf("%+v, %v", open, err)
		}
		if late, err := w.Incident(t.Context(), "i"); err != nil || late.Acknowledged == nil {
			t.Errorf("a retired incident: %+v, %v", late, err)
		}
		if _, _, err := w.Acknowledge(t.Context(), "none", "U1", storetest.At); !errors.Is(err, ErrUnknownIncident) {
			t.Errorf("no such incident: %v", err)
		}
	})
}

func TestCommonEvent(t *testing.T) {
	t.Parallel()
	c := func(state store.EventState) Case {
		return Case{Event: state, EventAt: storetest.At, Amount: 100, Currency: "usd"}
	}
	for _, test := range []struct {
		cases []Case
		want  store.EventState
	}{
		{nil, store.EventUnknown},
		{[]Case{c(store.EventFailed)}, store.EventUnknown},
		{[]Case{c(store.EventFailed), c(store.EventFailed)}, store.EventFailed},
		{[]Case{c(store.EventFailed), c(store.EventNone)}, store.EventUnknown},
		{[]Case{c(store.EventNone), c(store.EventFailed), c(store.EventFailed), c(store.EventFailed), c(store.EventFailed)}, store.EventFailed},
		{[]Case{c(store.EventUnknown), c(store.EventUnknown)}, store.EventUnknown},
	} {
		if got, _ := CommonEvent(test.cases); got != test.want {
			t.Errorf("%v: %q, want %q", test.cases, got, test.want)
		}
	}
	if diff := cmp.Diff(Sum{Sessions: 3, Unverified: 1, Money: map[string]int64{"usd": 200}}, SumOf([]Case{c(""), c(""), {Payment: store.PaymentUnverified}})); diff != "" {
		t.Error(diff)
	}
}

// TestKnownPayments: what Stripe did not list is unpaid only while it lists.
func TestKnownPayments(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		w := NewWatch(r)
		lead := leading(t, w, "one")
		testenv.Must(t, w.SavePaid(t.Context(), Paid{Payment: store.Payment{SessionID: "cs_1", State: store.PaymentPaid}}))
		testenv.Must(t, w.Note(t.Context(), lead, Passed(storetest.At)))
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
