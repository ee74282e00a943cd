package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/store"
)

const repaired = "cs_live_repaired1"

// desk is a Redis with one orphaned session, and what repairs work with.
type desk struct {
	t       *testing.T
	client  redis.UniversalClient
	product *store.Redis
	ledger  *store.Ledger
	writer  store.Writer
}

// onEach runs a test on one server and on three masters.
func onEach(t *testing.T, test func(t *testing.T, d *desk)) {
	open := func(t *testing.T, url string, client redis.UniversalClient) *desk {
		t.Helper()
		product, err := store.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = product.Close() })
		ledger := store.NewLedger(product)
		return &desk{t: t, client: client, product: product, ledger: ledger, writer: store.Writer{Product: product, Ledger: ledger}}
	}
	t.Run("a server", func(t *testing.T) {
		s := redistest.Start(t)
		test(t, open(t, s.URL(), s.Client()))
	})
	t.Run("three masters", func(t *testing.T) {
		c := redistest.StartCluster(t)
		test(t, open(t, c.URL(), c.Client()))
	})
}

func (d *desk) set(key, value string) {
	d.t.Helper()
	if err := d.client.Set(d.t.Context(), key, value, store.KeyLife).Err(); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) session() store.Session {
	d.t.Helper()
	s, err := d.product.Session(d.t.Context(), repaired)
	if err != nil {
		d.t.Fatal(err)
	}
	return s
}

// plan is one that may be claimed.
func (d *desk) plan(session string, now time.Time) store.Plan {
	d.t.Helper()
	p := store.Plan{ID: fmt.Sprint("plan-", session, now.UnixNano()), Action: store.ActionGenerate, Session: session,
		Created: now, Expires: now.Add(10 * time.Minute), Seen: store.Seen{Digests: map[string]string{}}}
	if err := d.ledger.SavePlan(d.t.Context(), p); err != nil {
		d.t.Fatal(err)
	}
	return p
}

func TestWriteIsCompareAndSet(t *testing.T) {
	onEach(t, func(t *testing.T, d *desk) {
		const old = `{"status":"pending","big":12345678901234567890,"list":[],"fileId":null}`
		d.set("webhook:"+repaired, old)
		s := d.session()
		word := "error"
		w := store.KeyWrite{Session: repaired, Kind: "webhook", Changes: []store.Change{{Name: "status", After: &word}}}
		digest, err := d.writer.Write(t.Context(), w, s.Webhook.Digest)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Replace(old, "pending", "error", 1)
		if got := d.client.Get(t.Context(), "webhook:"+repaired).Val(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if left := d.client.TTL(t.Context(), "webhook:"+repaired).Val(); left < store.KeyLife-time.Minute {
			t.Errorf("it lives for %v", left)
		}
		if again, err := d.writer.Write(t.Context(), w, s.Webhook.Digest); err != nil || again != digest {
			t.Errorf("the same write again, its answer lost: %v", err)
		}
		d.set("webhook:"+repaired, `{"status":"completed"}`)
		if _, err := d.writer.Write(t.Context(), w, digest); !errors.Is(err, store.ErrChanged) {
			t.Errorf("over somebody else's value: %v", err)
		}
		if _, err := d.writer.Write(t.Context(), w, ""); !errors.Is(err, store.ErrChanged) {
			t.Errorf("as if it were missing: %v", err)
		}
		d.client.Del(t.Context(), "webhook:"+repaired)
		if _, err := d.writer.Write(t.Context(), w, digest); !errors.Is(err, store.ErrChanged) {
			t.Errorf("after it was deleted: %v", err)
		}
		d.client.HSet(t.Context(), "webhook:"+repaired, "a", "b")
		if _, err := d.writer.Write(t.Context(), w, digest); !errors.Is(err, store.ErrOtherType) {
			t.Errorf("over a hash: %v", err)
		}
	})
}

func TestWhatCannotBeReadIsSavedFirst(t *testing.T) {
	onEach(t, func(t *testing.T, d *desk) {
		d.set("prompt:"+repaired, `{"prompt":"x"}`)
		d.set("webhook:"+repaired, `{"status":"proc`)
		s := d.session()
		for _, w := range store.Writes(s, store.Update{Kind: store.UpdateFix, At: time.Now(), Error: "sorry"}) {
			expect := s.Webhook.Digest
			if w.Kind == "session" {
				expect = ""
			}
			if _, err := d.writer.Write(t.Context(), w, expect); err != nil {
				t.Fatal(err)
			}
		}
		if got := d.client.Get(t.Context(), "sessionbot:saved:webhook:"+repaired+":"+s.Webhook.Digest).Val(); got != `{"status":"proc` {
			t.Errorf("saved was %q", got)
		}
		if now := d.session(); now.Webhook.Fault != "" || now.Status() != store.StatusError || now.PromptText() != "x" {
			t.Errorf("%+v", now)
		}
	})
}

func TestClaimOnce(t *testing.T) {
	onEach(t, func(t *testing.T, d *desk) {
		now := time.Now()
		for round := range 200 {
			session := fmt.Sprint("cs_live_race", round)
			first := d.plan(session, now)
			plans := []store.Plan{first, first}
			if round%2 == 0 { // half of the rounds race with a second plan
				plans[1] = d.plan(session, now.Add(time.Nanosecond))
			}
			verdicts := make([]store.ClaimVerdict, len(plans))
			var race sync.WaitGroup
			for i, p := range plans {
				race.Go(func() {
					answer, err := d.ledger.Claim(t.Context(), p.ID, store.Actor{ID: fmt.Sprint("U", i)}, now)
					if err != nil {
						t.Error(err)
					}
					verdicts[i] = answer.Verdict
				})
			}
			race.Wait()
			lost := store.AlreadyClaimed
			if round%2 == 0 {
				lost = store.Busy
			}
			slices.Sort(verdicts)
			want := []store.ClaimVerdict{store.Claimed, lost}
			slices.Sort(want)
			if !slices.Equal(verdicts, want) {
				t.Fatalf("round %d: %v", round, verdicts)
			}
		}
		pending, err := d.ledger.Pending(t.Context())
		if err != nil || len(pending) != 200 {
			t.Errorf("%d jobs, %v, want 200", len(pending), err)
		}
	})
}

func TestClicksOnPlans(t *testing.T) {
	onEach(t, func(t *testing.T, d *desk) {
		now := time.Now()
		ann, bob := store.Actor{ID: "U1"}, store.Actor{ID: "U2"}
		claim := func(id string, by store.Actor, at time.Time) store.ClaimVerdict {
			t.Helper()
			answer, err := d.ledger.Claim(t.Context(), id, by, at)
			if err != nil {
				t.Fatal(err)
			}
			return answer.Verdict
		}
		if got := claim("nothing", ann, now); got != store.Unknown {
			t.Errorf("an unknown plan: %s", got)
		}
		if got := claim(d.plan("cs_a", now).ID, ann, now.Add(11*time.Minute)); got != store.Expired {
			t.Errorf("an expired plan: %s", got)
		}
		cancelled := d.plan("cs_b", now)
		if answer, err := d.ledger.Cancel(t.Context(), cancelled.ID, ann, now); err != nil || answer.Verdict != store.Cancelled {
			t.Errorf("cancel: %+v, %v", answer, err)
		}
		if got := claim(cancelled.ID, bob, now); got != store.AlreadyCancelled {
			t.Errorf("a cancelled plan: %s", got)
		}
		retrying := d.plan("cs_c", now)
		retrying.Retrying = true
		if err := d.ledger.SavePlan(t.Context(), retrying); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			after time.Duration
			want  store.ClaimVerdict
		}{{0, store.NeedsSecondClick}, {time.Second, store.NeedsSecondClick}, {3 * time.Second, store.Claimed}, {4 * time.Second, store.AlreadyClaimed}} {
			if got := claim(retrying.ID, ann, now.Add(c.after)); got != c.want {
				t.Errorf("Stripe still delivers, a click after %v: %s, want %s", c.after, got, c.want)
			}
		}
		if answer, err := d.ledger.Cancel(t.Context(), retrying.ID, bob, now); err != nil || answer.Verdict != store.AlreadyClaimed || answer.By != ann {
			t.Errorf("cancel a claimed plan: %+v, %v", answer, err)
		}
	})
}

func TestLeaseFences(t *testing.T) {
	onEach(t, func(t *testing.T, d *desk) {
		now := time.Now()
		p := d.plan(repaired, now)
		answer, err := d.ledger.Claim(t.Context(), p.ID, store.Actor{ID: "U1"}, now)
		if err != nil {
			t.Fatal(err)
		}
		one, got, err := d.ledger.Lease(t.Context(), p.ID, "one")
		if err != nil || !got {
			t.Fatalf("%v, %v", got, err)
		}
		if _, got, _ := d.ledger.Lease(t.Context(), p.ID, "two"); got {
			t.Error("two have the lease")
		}
		if err := d.ledger.Release(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		two, got, err := d.ledger.Lease(t.Context(), p.ID, "two")
		if err != nil || !got {
			t.Fatalf("%v, %v", got, err)
		}
		if err := d.ledger.SaveJob(t.Context(), one, answer.Job); !errors.Is(err, store.ErrLeaseLost) {
			t.Errorf("saved with a lost lease: %v", err)
		}
		job := answer.Job
		job.Step, job.Outcome = store.StepSending, store.OutcomeUnclear
		if err := d.ledger.SaveJob(t.Context(), two, job); err != nil {
			t.Fatal(err)
		}
		if state, id, err := d.ledger.JobOf(t.Context(), repaired); state != store.JobUnclear || id != p.ID || err != nil {
			t.Errorf("%s %s %v", state, id, err)
		}
		settled, err := d.ledger.Settle(t.Context(), repaired, store.Actor{ID: "U2"}, "file", now)
		if err != nil || settled.Step != store.StepSent || settled.FileID != "file" {
			t.Errorf("%+v, %v", settled, err)
		}
		if _, err := d.ledger.Settle(t.Context(), repaired, store.Actor{ID: "U2"}, "file", now); !errors.Is(err, store.ErrNotUnclear) {
			t.Errorf("settled twice: %v", err)
		}
		if err := d.ledger.Renew(t.Context(), two); !errors.Is(err, store.ErrLeaseLost) {
			t.Errorf("a lease outlived the settlement: %v", err)
		}
	})
}

func TestHistory(t *testing.T) {
	onEach(t, func(t *testing.T, d *desk) {
		for i := range 1200 {
			session := repaired
			if i%400 != 0 {
				session = "cs_other"
			}
			if err := d.ledger.Record(t.Context(), store.Entry{Session: session, Event: store.AuditPlanned, Detail: fmt.Sprint(i)}); err != nil {
				t.Fatal(err)
			}
		}
		entries, err := d.ledger.History(t.Context(), repaired, 2)
		if err != nil || len(entries) != 2 || entries[0].Detail != "800" || entries[1].Detail != "400" {
			t.Errorf("%+v, %v", entries, err)
		}
	})
}
