package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/superduperai/sessionbot/bot"
	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/commands/alert"
	"github.com/superduperai/sessionbot/internal/health"
	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/internal/payments"
	"github.com/superduperai/sessionbot/internal/watch"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/follow"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/ledger"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/sessions"
	"github.com/superduperai/sessionbot/store/stats"
	"github.com/superduperai/sessionbot/store/sweep"
	"github.com/superduperai/sessionbot/store/watchstate"
	"github.com/superduperai/sessionbot/superduper"
)

// deps are the dependencies of the bot and the terminal.
type deps struct {
	registry   *commands.Registry
	ledger     *ledger.Ledger
	trail      *audit.Trail
	repairs    ledger.Service
	records    *incident.Records
	followed   *follow.Store
	statistics *stats.Store
	lookups    *stats.Lookups
	files      *sweep.Files
	api        *superduper.Client
	stripe     stripeReader
	examiner   diagnosis.Examiner
	jobs       jobs.Config // without Notify
	plans      repair.PlanOptions
}

// openRedis connects to the Redis of the product and to that of the bot's own
// records. By default they are the same, and share one connection pool.
func openRedis(ctx context.Context, c config) (product, state *rdb.Redis, err error) {
	if product, err = rdb.Open(ctx, c.RedisURL); err != nil {
		return nil, nil, fmt.Errorf("open REDIS_URL: %w", err)
	}
	if c.StateRedisURL == c.RedisURL {
		return product, product, nil
	}
	if state, err = rdb.Open(ctx, c.StateRedisURL); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open STATE_REDIS_URL: %w", err), product.Close())
	}
	return product, state, nil
}

// newDeps wires Redis, Stripe, SuperDuperAI and the site together. state is the
// Redis of the bot's own records.
func newDeps(c config, product, state *rdb.Redis, log *slog.Logger) deps {
	limits := diagnosis.Thresholds{OrphanGrace: c.OrphanGrace, StallAfter: c.StallAfter}
	stripe := stripeReader{
		payments.New(payments.Config{Key: c.StripeKey, BaseURL: c.StripeAPIURL, Log: log, ProductMetadata: c.ProductMetadata}),
		newBreaker(stripeUnavailable), log.With("component", "payments"),
	}
	client := superduper.New(superduper.Config{BaseURL: c.SuperDuperURL, Token: c.SuperDuperToken, SiteURL: c.SiteURL,
		WebhookURL: c.WebhookURL, WebhookSecret: c.WebhookSecret})
	api := superReader{client, newBreaker(superUnavailable), newBreaker(superUnavailable)}
	jobLedger, trail, records, statistics := ledger.New(state), audit.NewTrail(state), incident.NewRecords(state), stats.NewStore(state)
	followed := follow.NewStore(state)
	trail.Log = log.With("component", "audit")
	repairs := ledger.Service{Ledger: jobLedger, Trail: trail, Log: log.With("component", "repair"), Now: time.Now}
	lookups := stats.NewLookups(statistics, func(err error) { log.Warn("site lookups not counted", "component", "lookups", "error", err) })
	files := sweep.NewFiles(state, time.Now)
	sources := diagnosis.Sources{Files: files, Jobs: jobLedger, Proven: proven(records, c.SuperDuperURL), Limits: limits, Now: time.Now}
	examiner := diagnosis.Examiner{
		Redis: sessions.Reader{Redis: product}, Files: api, Records: files, Proven: sources.Proven, Site: api, Jobs: jobLedger,
		SiteLayout: siteLayout(c, product, records), Lookups: lookups, Limits: limits, Deadlines: c.deadlines, Now: time.Now,
	}
	if c.StripeKey != "" {
		examiner.Payments = stripe
	}
	plans := repair.PlanOptions{
		TTL: c.ConfirmTTL, Models: repair.Models{Video: c.VideoModel, Image: c.ImageModel},
		Prices: c.Prices, FixText: commands.FixText, RefundText: commands.RefundText,
	}
	var otherMode func(string) bool
	if c.StripeKey != "" {
		otherMode = stripe.OtherMode
	}
	var events jobs.EventReader
	var webhook jobs.Webhook
	if c.StripeKey != "" {
		events = stripe.Reader
	}
	if c.WebhookSecret != "" {
		webhook = client
	}
	return deps{
		plans: plans, ledger: jobLedger, trail: trail, repairs: repairs, records: records, followed: followed, statistics: statistics, lookups: lookups, files: files, api: client, stripe: stripe, examiner: examiner,
		registry: commands.New(commands.Deps{
			Sessions: &examiner, Matchers: []commands.Matcher{sessions.Reader{Redis: product}, records, trail}, Finder: stripe, Redis: product, NewSweeper: func() commands.Sweeper { return sweep.New(product) },
			Sources: sources, Repairs: repairs, Jobs: jobLedger, Trail: trail, Waiting: jobLedger, Statistics: statistics, Watch: records, Incidents: records, OtherMode: otherMode, SiteLayout: examiner.SiteLayout, Alerts: c.AlertChannel != "", AlertOn: c.alertOn(), Archive: records, Followed: followed, Limits: limits, RecordsTimeout: c.deadlines.Redis / 2,
			Bulk:  commands.BulkLimits{Sessions: c.BulkLimit, Parallel: c.BulkParallel},
			Plans: plans, Token: c.SuperDuperToken != "", StripeKey: c.StripeKey != "", WebhookSecret: c.WebhookSecret != "", Files: api, SiteURL: c.SiteURL, Runbook: c.RunbookURL, Now: time.Now, Log: log,
		}),
		jobs: jobs.Config{
			Ledger: jobLedger, Trail: trail, Writer: sessions.Writer{Product: product, State: state}, Product: sessions.Reader{Redis: product}, Files: files,
			Site: countedSite{api, product, lookups}, Generator: client, Events: events, Webhook: webhook,
			Examine: func(ctx context.Context, session, job string) diagnosis.Examination {
				without := examiner
				without.Jobs = diagnosis.Excluding(jobLedger, job)
				return without.Examine(ctx, session)
			},
			Handled: records.Handled,
			Token:   c.SuperDuperToken != "", GiveUp: c.GiveUpAfter, BulkParallel: c.BulkParallel, Timings: timings.jobs, Tracer: c.tracer(), Log: log, Now: time.Now, OnChanged: inspectChanged(c, records, log),
		},
	}
}

// inspectChanged returns a function that enqueues a session whose repair begins or ends for
// inspection by the leader of the watch, nil if alerts are off.
func inspectChanged(c config, records *incident.Records, log *slog.Logger) func(ctx context.Context, session string) {
	if c.AlertChannel == "" {
		return nil
	}
	return func(ctx context.Context, session string) {
		if session == "" { // the job concerns several, which have jobs of their own
			return
		}
		if err := records.AddDue(ctx, watchstate.DueSession{Session: session, At: time.Now()}); err != nil {
			log.DebugContext(ctx, "repaired session left to the sweep", "component", "jobs", "error", err)
		}
	}
}

// newWatch wires the watch, which posts its alerts through the bot.
func newWatch(c config, d deps, product *rdb.Redis, b *bot.Bot, asked watch.Answerer, metrics *health.Metrics, log *slog.Logger) *watch.Watch {
	alerts := bot.Alerts{Bot: b, Channel: c.AlertChannel, Mention: c.OncallMention, Escalate: c.EscalateMention,
		Shows: alert.Options{Runbook: c.RunbookURL, VideoCents: d.plans.Cents(store.Session{})}, Digest: d.registry.Digest}
	cfg := watch.Config{
		Records: d.records, Statistics: d.statistics, Product: product, Ledger: d.ledger, Trail: d.trail, SiteLayout: d.examiner.SiteLayout,
		API: d.api, APIURL: c.SuperDuperURL, Files: d.files,
		Notifier: alerts, Finder: alerts, Threads: alerts, Escalates: c.EscalateMention != "", Outages: alerts, Permalink: alerts.Permalink,
		Followed: d.followed, Answerer: asked,
		Digest: c.digestTime(), AlertOn: c.alertOn(), FixTexts: commands.FixTexts(),
		Limits: d.examiner.Limits, Interval: c.SweepInterval, Timings: timings.watch, Metrics: metrics, Log: log, Now: time.Now,
	}
	if c.StripeKey != "" {
		cfg.Stripe, cfg.Payments, cfg.OtherMode = d.stripe.Reader, d.stripe, d.stripe.OtherMode
	}
	return watch.New(cfg)
}

// siteLayout returns a function that returns the layout that the site reads: from
// SITE_LAYOUT, else from the sessions there are.
func siteLayout(c config, product *rdb.Redis, records *incident.Records) func(ctx context.Context) store.Layout {
	if layout := store.Layout(c.SiteLayout); layout == store.LayoutOneKey || layout == store.LayoutThreeKey {
		return func(context.Context) store.Layout { return layout }
	}
	return sweep.NewLayouts(product, records, time.Now).SiteLayout
}

// proven returns a function that reports whether the API at the URL has to know the
// file of a session created then; see store.Proof.
func proven(records *incident.Records, url string) func(ctx context.Context, created time.Time) bool {
	return func(ctx context.Context, created time.Time) bool {
		state, err := records.State(ctx)
		return err == nil && state.Proven.Covers(url, created) // what cannot be read proves nothing
	}
}
