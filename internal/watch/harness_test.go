package watch

import (
	"context"
	"log/slog"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/ledger"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/stats"
	"github.com/superduperai/sessionbot/store/sweep"
)

func pastGrace() time.Time { return time.Now().Add(-orphanGrace - time.Second) }

// only returns the one incident there is.
func (b *bench) only() incident.Incident {
	b.t.Helper()
	incidents, err := b.records.OpenIncidents(b.t.Context(), nil)
	if err != nil || len(incidents) != 1 {
		b.t.Fatalf("%d incidents, %v", len(incidents), err)
	}
	return incidents[0]
}

// leads returns the lease of the leader.
func (b *bench) leads() lease.Lease {
	b.t.Helper()
	owner, err := b.client.Get(b.t.Context(), "sessionbot:{watch}:leader").Result()
	if err != nil {
		b.t.Fatal(err)
	}
	lead, ok, err := b.records.Lead(b.t.Context(), owner)
	if err != nil || !ok {
		b.t.Fatalf("no lead: %v", err)
	}
	return lead
}

const (
	orphanGrace = 10 * time.Minute
	interval    = 50 * time.Millisecond
	patience    = 2 * time.Minute // only what hangs takes longer
)

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }

// bench is a watch on a real Redis, with a Stripe and a channel of its own.
type bench struct {
	t       testing.TB
	client  redis.UniversalClient
	product *rdb.Redis
	records *incident.Records
	stripe  *fakeStripe
	channel *fakeChannel
	metrics *fakeMetrics
	api     *fakeFileAPI
	cfg     Config
	cancel  context.CancelFunc // ends the replica that was started last, and does not wait for it
}

// newBench sets everything up on a database of its own; run starts a replica.
func newBench(t testing.TB) *bench {
	d := redistest.NewDatabase(t)
	return benchOn(t, d.URL(), d.Client())
}

// benchOn is newBench on the given Redis.
func benchOn(t testing.TB, url string, client redis.UniversalClient) *bench {
	r, err := rdb.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() }) // nothing hangs on it any more
	b := &bench{t: t, client: client, product: r, records: incident.NewRecords(r),
		stripe: &fakeStripe{refunded: map[string]bool{}}, channel: &fakeChannel{news: make(chan string, 10_000)}, metrics: &fakeMetrics{}, api: &fakeFileAPI{asked: map[string]int{}}}
	limits := diagnosis.Thresholds{OrphanGrace: orphanGrace, StallAfter: 30 * time.Minute}
	b.cfg = Config{
		Records: b.records, Statistics: stats.NewStore(r), Product: r, Ledger: ledger.New(r), Trail: audit.NewTrail(r), Stripe: b.stripe, Payments: b.stripe,
		SiteLayout: func(context.Context) store.Layout { return store.LayoutNone },
		API:        b.api, APIURL: "https://api.example.com", Notifier: b.channel, Finder: b.channel, Outages: &fakeNotes{},
		AlertOn:  []diagnosis.Verdict{diagnosis.VerdictOrphaned, diagnosis.VerdictStalled, diagnosis.VerdictLost, diagnosis.VerdictFailed, diagnosis.VerdictUndelivered},
		FixTexts: []string{"fixed by us"}, Limits: limits, Interval: interval, Timings: testenv.Shorten(DefaultTimings()), Metrics: b.metrics, Log: slog.New(slog.DiscardHandler),
	}
	b.clock(time.Now)
	return b
}

// clock sets the clock of everything.
func (b *bench) clock(now func() time.Time) {
	b.cfg.Now, b.cfg.Files = now, sweep.NewFiles(b.product, now)
}

// run starts a replica that runs until stop or the end of the test.
func (b *bench) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	b.cancel = cancel
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := New(b.cfg).Run(ctx); err != nil {
			b.t.Error(err)
		}
	}()
	stop = func() { cancel(); <-done }
	b.t.Cleanup(stop)
	return stop
}

// pay stores a session with a prompt, and pays for it at Stripe.
func (b *bench) pay(id string, at time.Time) {
	b.t.Helper()
	b.put("prompt:"+id, `{"prompt":"A fox","timestamp":"`+at.UTC().Format(time.RFC3339Nano)+`"}`)
	b.stripe.pay(id, at)
}

func (b *bench) put(key, value string) {
	b.t.Helper()
	if err := b.client.Set(b.t.Context(), key, value, store.KeyLife).Err(); err != nil {
		b.t.Fatal(err)
	}
}

// expect waits for the next notification.
func (b *bench) expect(want string) {
	b.t.Helper()
	select {
	case got := <-b.channel.news:
		if got != want {
			b.t.Fatalf("notified %q, want %q", got, want)
		}
	case <-time.After(patience):
		b.t.Fatalf("never notified %q", want)
	}
}

// expectNothing expects no notification while all that Stripe and Redis hold is
// found, inspected and could be delivered.
func (b *bench) expectNothing() {
	b.t.Helper()
	began := time.Now()
	b.eventually("Stripe is read", func() bool {
		state, err := b.records.State(b.t.Context())
		return err == nil && state.StripeReadAt.After(began)
	})
	more := func(what string, count *atomic.Int64) {
		b.t.Helper()
		enough := count.Load() + 3 // the first of which had begun before
		b.eventually(what, func() bool { return count.Load() >= enough })
	}
	more("three more sweeps", &b.metrics.swept)
	b.eventually("nothing is due", func() bool {
		dues, err := b.records.Due(b.t.Context(), time.Now(), 1)
		return err == nil && len(dues) == 0
	})
	more("three more rounds of notifications", &b.metrics.rounds)
	select {
	case got := <-b.channel.news:
		b.t.Errorf("notified %q", got)
	default:
	}
}

// eventually waits until something holds.
func (b *bench) eventually(what string, holds func() bool) {
	b.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			b.t.Fatalf("never: %s", what)
		}
	}
}
