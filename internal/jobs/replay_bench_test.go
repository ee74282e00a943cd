package jobs_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/internal/payments"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/ledger"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/sessions"
	"github.com/superduperai/sessionbot/store/sweep"
	"github.com/superduperai/sessionbot/superduper"
)

const (
	webhookSecret = "whsec_jobs"
	webhookPath   = "/api/webhooks/stripe"
)

// replays is a bench whose session is one-key, was paid an hour ago and has no
// status, with a Stripe that holds its event and a site that checks signatures.
type replays struct {
	*bench
	stripe *demo.Stripe
	site   demo.SiteConfig
	around func(site http.Handler, w http.ResponseWriter, r *http.Request) // instead of the site's webhook; nil = itself
	posts  atomic.Int32                                                    // to that webhook
	env    services
}

// services are where a runner finds what a replay needs, in this process or another.
type services struct{ api, stripe, site string }

func newReplays(t *testing.T, cluster bool) *replays {
	t.Helper()
	return replaysOn(newBench(t, cluster))
}

// replaysOn replaces what a bench holds.
func replaysOn(b *bench) *replays {
	b.t.Helper()
	s := &replays{bench: b, stripe: demo.NewStripe()}
	serve := func(handler http.Handler) string {
		server := httptest.NewServer(handler)
		b.t.Cleanup(server.Close)
		b.t.Cleanup(server.CloseClientConnections)
		return server.URL
	}
	s.env = services{api: b.apiURL, stripe: serve(s.stripe)}
	s.site = demo.SiteConfig{Redis: b.client, FilesURL: b.apiURL, StripeURL: s.env.stripe, Secret: webhookSecret}
	s.env.site = serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		site := demo.NewSite(s.site)
		if r.URL.Path != webhookPath {
			site.ServeHTTP(w, r)
			return
		}
		s.posts.Add(1)
		if s.around != nil {
			s.around(site, w, r)
			return
		}
		site.ServeHTTP(w, r)
	}))
	s.ordered()
	return s
}

// ordered replaces all keys by the session as the site stores it at the checkout.
func (s *replays) ordered() {
	s.t.Helper()
	s.orphan()
	if err := s.client.Del(s.t.Context(), "prompt:"+session).Err(); err != nil {
		s.t.Fatal(err)
	}
	at := time.Now().Add(-time.Hour)
	stored := at.UTC().Format("2006-01-02T15:04:05.000Z")
	s.set("session:"+session, `{"prompt":"A fox","videoCount":1,"duration":8,"status":"pending","createdAt":"`+stored+`","timestamp":"`+stored+`"}`)
	s.stripe.Put(demo.CheckoutSession{ID: session, Status: "complete", PaymentStatus: "paid", Amount: 100, Currency: "usd",
		IntentID: "pi_job9", Email: "ann@example.com", Created: at, Event: store.EventDelivered})
}

// replayConfig returns the configuration of a runner.
func replayConfig(product *rdb.Redis, ledger *ledger.Ledger, env services) jobs.Config {
	cfg := config(product, ledger, env.api)
	client := superduper.New(superduper.Config{BaseURL: env.api, Token: token, SiteURL: env.site, WebhookURL: env.site + webhookPath, WebhookSecret: webhookSecret})
	stripe := payments.New(payments.Config{Key: "rk_live_jobs", BaseURL: env.stripe})
	cfg.Site, cfg.Generator, cfg.Webhook, cfg.Events = client, client, client, stripe
	cfg.Examine = func(ctx context.Context, id, job string) diagnosis.Examination {
		return replayExaminer(product, env, diagnosis.Excluding(ledger, job)).Examine(ctx, id)
	}
	return cfg
}

func replayExaminer(product *rdb.Redis, env services, jobs diagnosis.JobReader) *diagnosis.Examiner {
	reads := bothAPIs{superduper.New(superduper.Config{BaseURL: env.api, Token: token, SiteURL: env.site}),
		payments.New(payments.Config{Key: "rk_live_jobs", BaseURL: env.stripe})}
	return &diagnosis.Examiner{Redis: sessions.Reader{Redis: product}, Payments: reads, Files: reads, Records: sweep.NewFiles(product, time.Now), Jobs: jobs,
		SiteLayout: func(context.Context) store.Layout { return store.LayoutOneKey },
		Limits:     limits, Deadlines: patient, Now: time.Now}
}

func (s *replays) config() jobs.Config { return replayConfig(s.product, s.ledger, s.env) }

func (s *replays) examined() diagnosis.Examination {
	return replayExaminer(s.product, s.env, s.ledger).Examine(s.t.Context(), session)
}

// claimed plans a replay and claims it.
func (s *replays) claimed() string {
	s.t.Helper()
	id := s.planned(store.ActionReplay, s.examined())
	s.approved(id)
	return id
}

// sentOnce checks that the site got the event at most once, or exactly once.
func (s *replays) sentOnce(exactly bool) {
	s.t.Helper()
	if n := s.posts.Load(); n > 1 || exactly && n != 1 {
		s.t.Errorf("the site got %d events", n)
	}
}
