package demo_test

import (
	"errors"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/payments"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/superduper"
)

var (
	now    = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	limits = diagnosis.Thresholds{OrphanGrace: 10 * time.Minute, StallAfter: 30 * time.Minute}
)

// world holds the fakes and the real clients of them.
type world struct {
	stripe *demo.Stripe
	files  *demo.SuperDuper
	reader *payments.Reader
	client *superduper.Client
}

func newWorld(t *testing.T, clock func() time.Time) *world {
	t.Helper()
	w := &world{stripe: demo.NewStripe(), files: demo.NewSuperDuper(clock, 10*time.Minute)}
	stripe, files := httptest.NewServer(w.stripe), httptest.NewServer(w.files)
	t.Cleanup(stripe.Close)
	t.Cleanup(files.Close)
	w.reader = payments.New(payments.Config{Key: "rk_example", BaseURL: stripe.URL, Now: clock})
	w.client = superduper.New(superduper.Config{BaseURL: files.URL, Token: "example"})
	return w
}

// diagnose gathers the evidence as the product does, and judges it.
func (w *world) diagnose(t *testing.T, id string, redis map[string]demo.Value, stripeKey bool) (diagnosis.Evidence, diagnosis.Diagnosis) {
	t.Helper()
	e := diagnosis.Evidence{
		Session: store.Session{ID: id, Prompt: key("prompt", id, redis), Webhook: key("webhook", id, redis), SessionKey: key("session", id, redis)},
		Payment: store.Payment{State: store.PaymentUnverified, Why: store.NoStripeKey},
		File:    store.File{State: store.FileNone},
	}
	if stripeKey {
		e.Payment = w.payment(t, id)
	}
	if file := e.Session.FileID(); file != "" {
		var err error
		if e.File, err = w.client.File(t.Context(), file); err != nil {
			e.File.State = store.FileUnknown
		}
	}
	return e, diagnosis.Diagnose(e, now, limits)
}

func (w *world) payment(t *testing.T, id string) store.Payment {
	t.Helper()
	p, err := w.reader.Payment(t.Context(), id)
	var reason store.Unverified
	if errors.As(err, &reason) {
		return store.Payment{State: store.PaymentUnverified, Why: reason}
	}
	return p
}

func key(kind, id string, redis map[string]demo.Value) store.Key {
	v, ok := redis[kind+":"+id]
	k := store.Key{Kind: kind, Exists: ok, TTL: store.KeyLife - v.Age}
	switch {
	case v.Hash != nil:
		k.WrongType, k.Fault = true, "of another type"
	case ok:
		k.Value, k.Full, k.Fault = store.ParseValue([]byte(v.Text))
		k.Full = k.Full && kind == "session"
	}
	return k
}

func TestExamplesHaveTheirVerdicts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func() time.Time { return now })
	examples := demo.Seed(now)
	demo.Put(w.stripe, w.files, examples)
	ids := map[string]bool{}
	seen := map[diagnosis.Verdict]map[store.Layout]bool{}
	for _, example := range examples {
		e, d := w.diagnose(t, example.ID, example.Redis, true)
		if d.Verdict != example.Verdict {
			t.Errorf("%s (%s): %s (%s), want %s", example.ID, example.Title, d.Verdict, d.Reason, example.Verdict)
		}
		if ids[example.ID] || len(example.ID) != len("cs_live_")+58 || !strings.HasPrefix(example.ID, "cs_") {
			t.Errorf("%s is no id, or is there twice", example.ID)
		}
		ids[example.ID] = true
		if seen[d.Verdict] == nil {
			seen[d.Verdict] = map[store.Layout]bool{}
		}
		seen[d.Verdict][e.Session.Layout()] = true
	}
	for _, verdict := range diagnosis.Verdicts {
		if verdict == diagnosis.VerdictNotFound || verdict == diagnosis.VerdictUnchecked { // has no layout; is in figures alone
			continue
		}
		if !seen[verdict][store.LayoutThreeKey] || !seen[verdict][store.LayoutOneKey] {
			t.Errorf("%s is not there in both layouts", verdict)
		}
	}
	if !seen[diagnosis.VerdictNotFound][store.LayoutNone] || !seen[diagnosis.VerdictLost][store.LayoutNone] {
		t.Error("nothing is lost or unknown altogether")
	}
}

func TestExampleEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func() time.Time { return now })
	examples := demo.Seed(now)
	demo.Put(w.stripe, w.files, examples)
	for _, example := range demo.Examples(now) {
		if example.Payment == nil || example.Payment.Event == "" {
			continue
		}
		session, err := w.reader.Payment(t.Context(), example.ID)
		if err != nil {
			t.Fatal(err)
		}
		event, err := w.reader.Event(t.Context(), session)
		if err != nil || event.State != example.Payment.Event {
			t.Errorf("%s (%s): event %q, error %v; want %q", example.ID, example.Title, event.State, err, example.Payment.Event)
		}
	}
}

func TestFindCustomersSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func() time.Time { return now })
	demo.Put(w.stripe, w.files, demo.Seed(now))
	found, more, err := w.reader.Find(t.Context(), "ann@example.com", 3)
	if err != nil || len(found) != 3 || !more {
		t.Fatalf("%d sessions, more %t, error %v", len(found), more, err)
	}
	if !slices.IsSortedFunc(found, func(a, b store.Payment) int { return b.Created.Compare(a.Created) }) {
		t.Error("not newest first")
	}
	one, more, err := w.reader.Find(t.Context(), found[0].IntentID, 10)
	if err != nil || more || len(one) != 1 || one[0] != found[0] {
		t.Errorf("by %s: %+v, more %t, error %v; want %+v", found[0].IntentID, one, more, err, found[0])
	}
	if none, _, err := w.reader.Find(t.Context(), "nobody@example.com", 10); err != nil || len(none) != 0 {
		t.Errorf("a stranger: %+v, error %v", none, err)
	}
}

// The decision table of the diagnosis, all the way through the clients.
func TestCases(t *testing.T) {
	t.Parallel()
	table, err := os.ReadFile("../../store/diagnosis/testdata/diagnosis.json")
	if err != nil {
		t.Fatal(err)
	}
	cases, err := demo.Cases(table, now)
	if err != nil || len(cases) < 50 {
		t.Fatalf("%d cases, error %v", len(cases), err)
	}
	w := newWorld(t, func() time.Time { return now })
	for _, c := range cases {
		if err := c.Put(w.stripe, w.files); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			e, d := w.diagnose(t, c.ID, c.Redis, c.StripeKey)
			d.Allowed = slices.DeleteFunc(d.Allowed, func(a store.Action) bool { return a == store.ActionReplay || a == store.ActionRestore }) // as in the table
			if d.Verdict != c.Expect.Verdict || e.Session.Layout() != c.Expect.Layout ||
				e.Payment.State != c.Expect.Payment || !slices.Equal(d.Allowed, c.Expect.Allowed) {
				t.Errorf("%s, %s, %s, %s; want %+v", d.Verdict, e.Session.Layout(), e.Payment.State, d.Allowed, c.Expect)
			}
		})
	}
}

func TestCasesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, table := range []string{"", "[]", `{"cases":[{"redis":{"k":7}}]}`, `{"cases":[{"name":"{{-soon}}"}]}`} {
		if _, err := demo.Cases([]byte(table), now); err == nil {
			t.Errorf("%q was read", table)
		}
	}
}
