package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
)

func leading(t *testing.T, w *Watch, owner string) Lead {
	t.Helper()
	l, ok, err := w.Lead(t.Context(), owner)
	if err != nil || !ok {
		t.Fatalf("%s does not get the lead: %v", owner, err)
	}
	return l
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestOneLeads: of several one leads, and who lost the lead stores nothing.
func TestOneLeads(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, client redis.UniversalClient, r *Redis) {
		w := NewWatch(r)
		w.LeaseTimings.Life = time.Hour
		first := leading(t, w, "one")
		if again := leading(t, w, "one"); again != first {
			t.Errorf("renewed: %+v, before %+v", again, first)
		}
		if _, ok, err := w.Lead(t.Context(), "two"); ok || err != nil {
			t.Fatalf("two lead: %v", err)
		}
		if ttl := client.PTTL(t.Context(), leaderKey).Val(); ttl <= 0 || ttl > w.LeaseTimings.Life {
			t.Errorf("the lead lives for %s", ttl)
		}
		must(t, client.Del(t.Context(), leaderKey).Err()) // as if it ran out
		if again := leading(t, w, "one"); again == first {
			t.Error("a lead that ended in between is the same")
		}
		must(t, w.Resign(t.Context(), "two")) // who has nothing to resign
		must(t, w.Resign(t.Context(), "one"))
		second := leading(t, w, "two")
		i := Incident{ID: "i", Opened: at}
		for name, err := range map[string]error{
			"note": w.Note(t.Context(), first, Swept(at)),
			"open": func() error { _, err := w.OpenIncident(t.Context(), first, i); return err }(),
		} {
			if !errors.Is(err, ErrLeadLost) {
				t.Errorf("%s by the old leader: %v", name, err)
			}
		}
		must(t, w.Begin(t.Context(), at))
		must(t, w.Begin(t.Context(), at.Add(time.Hour)))
		must(t, w.Note(t.Context(), second, Swept(at), Cursor(at.Add(time.Second)), HistoryTold(), Unreachable("away"), Reads(LayoutThreeKey)))
		state, err := w.State(t.Context())
		want := WatchState{Epoch: at, Swept: at, Cursor: at.Add(time.Second), HistoryTold: true, Unreachable: "away", Reads: LayoutThreeKey}
		if err != nil || state != want {
			t.Errorf("%+v, %v; want %+v", state, err, want)
		}
	})
}

func TestDueList(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *Redis) {
		w := NewWatch(r)
		must(t, w.Put(t.Context(), Due{"late", at.Add(time.Minute)}, Due{"now", at}, Due{"early", at.Add(-time.Hour)}))
		must(t, w.Put(t.Context(), Due{"early", at.Add(time.Hour)}, Due{"late", at.Add(time.Second)}))
		names := func(now time.Time, limit int) (ids []string) {
			dues, err := w.Due(t.Context(), now, limit)
			must(t, err)
			for _, d := range dues {
				ids = append(ids, d.Session)
			}
			return ids
		}
		if got := names(at, 10); !slices.Equal(got, []string{"early", "now"}) {
			t.Errorf("due now: %v", got)
		}
		if got := names(at.Add(time.Second), 10); len(got) != 3 {
			t.Errorf("the earlier time does not count: %v", got)
		}
		if got := names(at.Add(time.Hour), 1); !slices.Equal(got, []string{"early"}) {
			t.Errorf("the first: %v", got)
		}
		dues, err := w.Due(t.Context(), at, 10)
		must(t, err)
		must(t, w.Put(t.Context(), Due{"now", at.Add(-time.Second)})) // while it is looked at
		must(t, w.Looked(t.Context(), dues))
		if got := names(at.Add(time.Hour), 10); !slices.Equal(got, []string{"now", "late"}) {
			t.Errorf("left: %v", got)
		}
		dues, err = w.Due(t.Context(), at, 10)
		must(t, err)
		must(t, w.Put(t.Context(), Due{"now", at.Add(time.Second)})) // likewise, as late as it is
		must(t, w.Looked(t.Context(), dues))
		if got := names(at, 10); !slices.Equal(got, []string{"now"}) {
			t.Errorf("left of what was written meanwhile: %v", got)
		}
	})
}

func TestKnown(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, client redis.UniversalClient, r *Redis) {
		w := NewWatch(r)
		told := Paid{Payment: Payment{SessionID: "a", State: PaymentPaid, Amount: 100, ChargedAt: at, PaidAt: at, OtherSale: true}, EventID: "evt_1", EventAt: at}
		must(t, w.SavePaid(t.Context(), told))
		must(t, w.SavePaid(t.Context(), Paid{Payment: Payment{SessionID: "a"}}, Paid{Payment: Payment{SessionID: "b"}}))
		must(t, w.Dismiss(t.Context(), "b", "stalled", time.Hour))
		known, err := w.Known(t.Context(), []string{"a", "b", "c"})
		if err != nil || known["a"].Paid == nil || *known["a"].Paid != told || known["b"].Paid == nil ||
			known["b"].Dismissed != "stalled" || known["c"] != (Known{}) {
			t.Errorf("%+v, %v", known, err)
		}
		must(t, client.Set(t.Context(), paidKey("b"), `{"Payment":{"SessionID":"b","State":"paid"}}`, caseLife).Err()) // of an older version
		if known, err := w.Known(t.Context(), []string{"b"}); err != nil || known["b"].Paid == nil || known["b"].Paid.Payment.OtherSale {
			t.Errorf("an old record: %+v, %v", known, err)
		}
		must(t, w.ForgetPaid(t.Context(), []string{"a", "c"}))
		if known, err := w.Known(t.Context(), []string{"a"}); err != nil || known["a"].Paid != nil {
			t.Errorf("not forgotten: %+v, %v", known, err)
		}
		if ttl := client.PTTL(t.Context(), paidKey("b")).Val(); ttl <= KeyLife || ttl > caseLife {
			t.Errorf("a payment is remembered for %s", ttl)
		}
	})
}

func TestIncidentIsChangedByOneAtATime(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *Redis) {
		w := NewWatch(r)
		l := leading(t, w, "one")
		i, err := w.OpenIncident(t.Context(), l, Incident{ID: "i", Kind: "orphaned", Opened: at, Cases: []Case{{ID: "cs_1", At: at}}})
		must(t, err)
		if _, err := w.OpenIncident(t.Context(), l, Incident{ID: "i", Opened: at}); err == nil {
			t.Error("an incident was opened over another")
		}
		var people sync.WaitGroup
		for n := range 4 {
			people.Go(func() {
				if _, _, err := w.Snooze(t.Context(), "i", fmt.Sprint("U", n), at); err != nil {
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
		must(t, err)
		if len(got) != 1 || got[0].Shown != 7 || !got[0].Snoozed.Until.Equal(at.Add(4*time.Hour)) || got[0].Revision != 4 {
			t.Fatalf("%+v", got)
		}
		if diff := cmp.Diff([]Case{{ID: "cs_1", At: at}}, got[0].Cases); diff != "" {
			t.Error(diff)
		}
		same := got[0]
		same.Change = "kept by the caller"
		if again, err := w.OpenIncidents(t.Context(), map[string]Incident{"i": same}); err != nil || again[0].Change != same.Change {
			t.Errorf("what had not changed was read again: %+v, %v", again, err)
		}
		for _, want := range []bool{true, false} {
			if _, done, err := w.Acknowledge(t.Context(), "i", "U1", at); done != want || err != nil {
				t.Errorf("acknowledged: %t, %v; want %t", done, err, want)
			}
		}
		must(t, w.RetireIncident(t.Context(), l, "i"))
		if open, err := w.OpenIncidents(t.Context(), nil); len(open) != 0 || err != nil {
			t.Errorf("%+v, %v", open, err)
		}
		if late, err := w.Incident(t.Context(), "i"); err != nil || late.Acknowledged == nil {
			t.Errorf("a retired incident: %+v, %v", late, err)
		}
		if _, _, err := w.Acknowledge(t.Context(), "none", "U1", at); !errors.Is(err, ErrUnknownIncident) {
			t.Errorf("no such incident: %v", err)
		}
	})
}

// TestListen receives the writes of sessions, and of nothing else, on one server
// and on every master of a cluster.
func TestListen(t *testing.T) {
	t.Parallel()
	story := func(t *testing.T, client redis.UniversalClient, nodes []*redistest.Server, r *Redis) {
		for _, node := range nodes {
			notify(t, node)
		}
		ctx, cancel := context.WithCancel(t.Context())
		written := make(chan string, 1000)
		ended := make(chan error, 1)
		var lost atomic.Int32
		l := NewListener(r, func(id string) { written <- id }, func() { lost.Add(1) })
		go func() { ended <- l.Listen(ctx) }()
		want := map[string]bool{}
		for n := range 20 {
			want[fmt.Sprint("cs_live_", n)] = true
		}
		deadline := time.After(testenv.Patience)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for len(want) > 0 { // listening begins some time
			select {
			case id := <-written:
				if !IsSessionID(id) {
					t.Fatalf("%q is no session", id)
				}
				delete(want, id)
			case <-tick.C:
				for id := range want {
					must(t, client.Set(t.Context(), prefixWebhook+id, "{}", 0).Err())
					must(t, client.Set(t.Context(), prefixWebhook+"evt:"+id, "1", 0).Err())
					must(t, client.Set(t.Context(), "balance:"+id, "1", 0).Err())
				}
			case <-deadline:
				t.Fatalf("never received: %v", want)
			}
		}
		if n := int(lost.Load()); n != len(nodes) {
			t.Errorf("%d losses where %d masters are listened to", n, len(nodes))
		}
		must(t, nodes[len(nodes)-1].Client().ClientKillByFilter(t.Context(), "TYPE", "pubsub").Err())
		for lost.Load() == int32(len(nodes)) { // the connection comes back, and says that it was away
			select {
			case <-tick.C:
			case <-written:
			case <-deadline:
				t.Fatal("a broken connection is no loss")
			}
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	t.Run("server", func(t *testing.T) {
		t.Parallel()
		server := redistest.Start(t)
		story(t, server.Client(), []*redistest.Server{server}, open(t, server.URL()))
	})
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		c := redistest.LockCluster(t)
		story(t, c.Client(), c.Nodes, open(t, c.URL()))
	})
}

func TestRepaired(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *Redis) {
		l := NewLedger(r)
		for _, e := range []Entry{
			{Session: "a", Event: AuditClaimed, Action: ActionGenerate}, {Session: "a", Event: AuditClaimed, Action: ActionFix},
			{Session: "b", Event: AuditRefused, Action: ActionFix}, {Session: "c", Event: AuditClaimed, Action: ActionGenerate},
		} {
			must(t, l.Record(t.Context(), e))
		}
		got, err := l.Repaired(t.Context(), time.Now().Add(-time.Minute))
		if diff := cmp.Diff(map[string]Action{"a": ActionFix, "c": ActionGenerate}, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
		if got, err := l.Repaired(t.Context(), time.Now().Add(time.Minute)); len(got) != 0 || err != nil {
			t.Errorf("%v, %v", got, err)
		}
	})
}

func TestCommonEvent(t *testing.T) {
	t.Parallel()
	c := func(state EventState) Case { return Case{Event: state, EventAt: at, Amount: 100, Currency: "usd"} }
	for _, test := range []struct {
		cases []Case
		want  EventState
	}{
		{nil, EventUnknown},
		{[]Case{c(EventFailed)}, EventUnknown},
		{[]Case{c(EventFailed), c(EventFailed)}, EventFailed},
		{[]Case{c(EventFailed), c(EventNone)}, EventUnknown},
		{[]Case{c(EventNone), c(EventFailed), c(EventFailed), c(EventFailed), c(EventFailed)}, EventFailed},
		{[]Case{c(EventUnknown), c(EventUnknown)}, EventUnknown},
	} {
		if got, _ := CommonEvent(test.cases); got != test.want {
			t.Errorf("%v: %q, want %q", test.cases, got, test.want)
		}
	}
	if diff := cmp.Diff(Sum{Sessions: 3, Unverified: 1, Money: map[string]int64{"usd": 200}}, SumOf([]Case{c(""), c(""), {Payment: PaymentUnverified}})); diff != "" {
		t.Error(diff)
	}
}
