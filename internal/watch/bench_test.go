package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/sweep"
)

const (
	grace    = 10 * time.Minute
	interval = 50 * time.Millisecond
	patience = 2 * time.Minute // only what hangs takes longer
)

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }

// bench is a watch on a real Redis, with a Stripe and a channel of its own.
type bench struct {
	t       testing.TB
	client  redis.UniversalClient
	product *store.Redis
	records *store.Watch
	stripe  *listed
	channel *channel
	figures *figures
	api     *fileAPI
	cfg     Config
	cancel  context.CancelFunc // ends the replica that was started last, and does not wait for it
}

// newBench sets everything up on a database of its own; run starts a replica.
func newBench(t testing.TB) *bench {
	d := redistest.NewDatabase(t)
	return benchOn(t, d.URL(), d.Client())
}

// benchOn is newBench on the Redis given.
func benchOn(t testing.TB, url string, client redis.UniversalClient) *bench {
	r, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() }) // nothing hangs on it any more
	b := &bench{t: t, client: client, product: r, records: store.NewWatch(r),
		stripe: &listed{refunded: map[string]bool{}}, channel: &channel{news: make(chan string, 10_000)}, figures: &figures{}, api: &fileAPI{asked: map[string]int{}}}
	limits := store.Thresholds{OrphanGrace: grace, StallAfter: 30 * time.Minute}
	b.cfg = Config{
		Records: b.records, Product: r, Ledger: store.NewLedger(r), Stripe: b.stripe, Payments: b.stripe,
		Reads: func(context.Context) store.Layout { return store.LayoutNone },
		API:   b.api, APIURL: "https://api.example.com", Notifier: b.channel, Finder: b.channel,
		AlertOn:  []store.Verdict{store.VerdictOrphaned, store.VerdictStalled, store.VerdictLost, store.VerdictFailed, store.VerdictUndelivered},
		FixTexts: []string{"fixed by us"}, Limits: limits, Interval: interval, Timings: testenv.Shorten(DefaultTimings()), Metrics: b.figures, Log: slog.New(slog.DiscardHandler),
	}
	b.clock(time.Now)
	return b
}

// clock sets what everything takes the time from.
func (b *bench) clock(now func() time.Time) {
	b.cfg.Now, b.cfg.Files = now, sweep.NewFiles(b.product, now)
}

// run starts a replica, until stop or the test's end.
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

// pays lets a customer pay for a session with a prompt.
func (b *bench) pays(id string, at time.Time) {
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

// expect waits for the next thing that is told.
func (b *bench) expect(want string) {
	b.t.Helper()
	select {
	case got := <-b.channel.news:
		if got != want {
			b.t.Fatalf("told %q, want %q", got, want)
		}
	case <-time.After(patience):
		b.t.Fatalf("never told %q", want)
	}
}

// quiet expects nothing to be told while all that Stripe and Redis know is found,
// looked at and could be told.
func (b *bench) quiet() {
	b.t.Helper()
	began := time.Now()
	b.until("Stripe is read", func() bool {
		state, err := b.records.State(b.t.Context())
		return err == nil && state.Passed.After(began)
	})
	more := func(what string, count *atomic.Int64) {
		b.t.Helper()
		enough := count.Load() + 3 // the first of which had begun before
		b.until(what, func() bool { return count.Load() >= enough })
	}
	more("three more sweeps", &b.figures.swept)
	b.until("nothing is due", func() bool {
		dues, err := b.records.Due(b.t.Context(), time.Now(), 1)
		return err == nil && len(dues) == 0
	})
	more("three more rounds of telling", &b.figures.rounds)
	select {
	case got := <-b.channel.news:
		b.t.Errorf("told %q", got)
	default:
	}
}

// until waits until something holds.
func (b *bench) until(what string, holds func() bool) {
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

// figures keeps what the last sweep counted.
type figures struct {
	mu       sync.Mutex
	verdicts map[store.Verdict]int
	sweep    time.Duration // the slowest so far
	swept    atomic.Int64
	rounds   atomic.Int64 // of telling
}

func (f *figures) Counted(r *store.Rollup) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.verdicts = nil; r != nil {
		f.verdicts = r.Count.Verdicts
	}
}

func (f *figures) of(v store.Verdict) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.verdicts[v]
}

// Swept is told how long a sweep took.
func (f *figures) Swept(_, _ bool, took time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sweep = max(f.sweep, took)
	f.swept.Add(1)
}

func (f *figures) slowest() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sweep
}

func (*figures) Watched(store.WatchState) {}
func (*figures) Alerted(string)           {}

// Untold is told after each round of telling.
func (f *figures) Untold(int) { f.rounds.Add(1) }

// fileAPI is a SuperDuperAI all of whose files are in one state, but for those
// that have their own.
type fileAPI struct {
	mu    sync.Mutex
	state store.FileState // "" = none is known
	own   map[string]store.FileState
	err   error  // what it answers instead
	odd   string // a file about which nobody can read the answer
	asked map[string]int
}

func (a *fileAPI) File(_ context.Context, id string) (store.File, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked[id]++
	state := a.state
	if own, ok := a.own[id]; ok {
		state = own
	}
	switch {
	case a.err != nil:
		return store.File{}, a.err
	case id == a.odd:
		return store.File{}, &store.FileError{Trouble: store.FileUnreadable, Err: errors.New("<html>")}
	case state == "":
		return store.File{}, &store.FileError{Trouble: store.FileNotFound, Err: errors.New("404")}
	}
	return store.File{State: state}, nil
}

// requests is how many there were, and for how many files.
func (a *fileAPI) requests() (all, files int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, n := range a.asked {
		all += n
	}
	return all, len(a.asked)
}

// fileID is the UUID of a made-up file.
func fileID(n int) string { return fmt.Sprintf("6f1c0000-0000-4000-8000-%012d", n) }
