package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/ledger"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/sessions"
	"github.com/superduperai/sessionbot/store/sweep"
	"github.com/superduperai/sessionbot/superduper"
)

const (
	session = "cs_live_job9" // on three masters webhook: lies on the master of the jobs, so that both get lost, and prompt: elsewhere
	token   = "tokentokentokentokentokentokentoken"
)

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }

// paid is a store.PaymentReader for which every session is paid.
type paid struct{}

func (paid) Payment(_ context.Context, id string) store.Payment {
	return store.Payment{SessionID: id, State: store.PaymentPaid, Amount: 100, Currency: "usd",
		Created: time.Now().Add(-time.Hour), Live: true}
}

func (paid) Event(context.Context, store.Payment) store.Event {
	return store.Event{State: store.EventDelivered, Created: time.Now().Add(-time.Hour)}
}

// noSite is a site that answers nothing.
type noSite struct{}

func (noSite) SessionStatus(context.Context, string) (store.Site, error) { return store.Site{}, nil }

// bench is a Redis with one orphaned session, a SuperDuperAI, and runners.
type bench struct {
	t        *testing.T
	redisURL string
	server   *redistest.Server // nil if it is shared
	apiURL   string
	client   redis.UniversalClient
	product  *rdb.Redis
	ledger   *ledger.Ledger
	files    *demo.SuperDuper
}

// newBench returns a bench on a shared server or cluster.
func newBench(t *testing.T, cluster bool) *bench {
	t.Helper()
	if cluster {
		c := redistest.LockCluster(t)
		return benchOn(t, c.URL(), c.Client())
	}
	d := redistest.NewDatabase(t)
	return benchOn(t, d.URL(), d.Client())
}

// newOwnBench returns a bench on a server of its own, to be stopped or configured.
func newOwnBench(t *testing.T) *bench {
	t.Helper()
	server := redistest.Start(t)
	b := benchOn(t, server.URL(), server.Client())
	b.server = server
	return b
}

// benchOn returns a bench on the given Redis.
func benchOn(t *testing.T, url string, client redis.UniversalClient) *bench {
	t.Helper()
	b := &bench{t: t, files: demo.NewSuperDuper(time.Now, 0), redisURL: redistest.Patient(t, url), client: client}
	server := httptest.NewServer(b.files)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	b.apiURL = server.URL
	b.product, b.ledger = opened(t, b.redisURL)
	b.orphan()
	return b
}

// orphan replaces all keys by an orphaned session.
func (b *bench) orphan() {
	b.t.Helper()
	if err := b.product.Masters(b.t.Context(), func(ctx context.Context, master *redis.Client) error { return master.FlushDB(ctx).Err() }); err != nil {
		b.t.Fatal(err)
	}
	stored := time.Now().Add(-time.Hour).UTC().Format("2006-01-02T15:04:05.000Z")
	b.set("prompt:"+session, `{"prompt":"A fox","timestamp":"`+stored+`"}`)
}

func opened(t testing.TB, url string) (*rdb.Redis, *ledger.Ledger) {
	t.Helper()
	product, err := rdb.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = product.Close() })
	return product, ledger.New(product)
}

func (b *bench) set(key, value string) {
	b.t.Helper()
	if err := b.client.Set(b.t.Context(), key, value, store.KeyLife).Err(); err != nil {
		b.t.Fatal(err)
	}
}

// quick are short pauses.
var quick = func() jobs.Timings {
	t := testenv.Shorten(jobs.DefaultTimings())
	t.Poll, t.Reread = 10*time.Millisecond, time.Millisecond
	return t
}()

// patient are deadlines that a busy machine meets.
var patient = diagnosis.Deadlines{All: testenv.Patience, Redis: testenv.Patience, Site: testenv.Patience, Stripe: testenv.Patience}

// config returns the configuration of a runner, in this process or another.
func config(product *rdb.Redis, ledger *ledger.Ledger, apiURL string) jobs.Config {
	client := superduper.New(superduper.Config{BaseURL: apiURL, Token: token})
	return jobs.Config{
		Files:  sweep.NewFiles(product, time.Now),
		Ledger: ledger, Trail: audit.NewTrail(product), Writer: sessions.Writer{Product: product, State: product}, Product: sessions.Reader{Redis: product}, Site: noSite{}, Generator: client,
		Examine: func(ctx context.Context, id, job string) diagnosis.Examination {
			return examiner(product, client, diagnosis.Excluding(ledger, job)).Examine(ctx, id)
		},
		Notify: func(context.Context, repair.Progress) error { return nil },
		Token:  true, GiveUp: time.Hour, BulkParallel: 2, Timings: quick,
		Log: slog.New(slog.DiscardHandler), Now: time.Now,
	}
}

func examiner(product *rdb.Redis, client *superduper.Client, jobs diagnosis.JobReader) *diagnosis.Examiner {
	return &diagnosis.Examiner{Redis: sessions.Reader{Redis: product}, Payments: paid{}, Files: client, Records: sweep.NewFiles(product, time.Now), Jobs: jobs,
		Limits: limits, Deadlines: patient, Now: time.Now}
}

var limits = diagnosis.Thresholds{OrphanGrace: 10 * time.Minute, StallAfter: 30 * time.Minute}

func (b *bench) config() jobs.Config { return config(b.product, b.ledger, b.apiURL) }

// claimed plans a repair and claims it.
func (b *bench) claimed(action store.Action) string {
	b.t.Helper()
	id := b.planned(action, b.examined())
	answer, err := b.ledger.Claim(b.t.Context(), id, "", store.Actor{ID: "U2"}, time.Now())
	if err != nil || answer.Verdict != repair.Claimed {
		b.t.Fatalf("%s, %v", answer.Verdict, err)
	}
	return id
}

func (b *bench) examined() diagnosis.Examination {
	return examiner(b.product, superduper.New(superduper.Config{BaseURL: b.apiURL, Token: token}), b.ledger).Examine(b.t.Context(), session)
}

// planned plans a repair by the examination.
func (b *bench) planned(action store.Action, x diagnosis.Examination) string {
	b.t.Helper()
	p, err := repair.MakePlan(action, x, store.Actor{ID: "U1"}, repair.PlanOptions{TTL: time.Hour, FixText: "sorry", Restore: store.Order{Prompt: "A hen"},
		Models: repair.Models{Video: "google-cloud/veo3-text2video", Image: "azure-openai/gpt-image-1"}, Prices: repair.ListPrices}, time.Now())
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.ledger.SavePlan(b.t.Context(), p); err != nil {
		b.t.Fatal(err)
	}
	return p.ID
}

// ended runs a runner until the job has ended and its end was shown.
func (b *bench) ended(id string, cfg jobs.Config) repair.Job {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- jobs.New(cfg).Run(ctx) }()
	var job repair.Job
	testenv.Until(b.t, "the job is over and shown", func() bool {
		var err error
		job, err = b.ledger.LoadJob(ctx, id)
		if err != nil && !errors.Is(err, rdb.ErrNoAnswer) { // for a while after an outage
			b.t.Fatal(err)
		}
		return job.Notified
	})
	cancel()
	if err := <-done; err != nil {
		b.t.Fatal(err)
	}
	return job
}

func (b *bench) value(key string) map[string]any {
	b.t.Helper()
	var v map[string]any
	if raw, err := b.client.Get(b.t.Context(), key).Bytes(); err == nil {
		if err := json.Unmarshal(raw, &v); err != nil {
			b.t.Fatal(err)
		}
	}
	return v
}

// leaseEnds makes the lease expire.
func (b *bench) leaseEnds(id string) {
	b.t.Helper()
	if err := b.client.Del(b.t.Context(), "sessionbot:{jobs}:lease:"+id).Err(); err != nil {
		b.t.Error(err)
	}
}
