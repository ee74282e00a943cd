package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/superduperai/sessionbot/bot"
	"github.com/superduperai/sessionbot/internal/health"
	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/internal/watch"
	"github.com/superduperai/sessionbot/store"
)

// runBot runs the bot until ctx ends or a fault is permanent.
func (p program) runBot(ctx context.Context) error {
	c, err := p.load(true)
	if err != nil {
		return err
	}
	log := c.logger(p.errs)
	checking, stop := context.WithCancel(ctx)
	var checks sync.WaitGroup
	checks.Go(func() { warnAtStart(checking, c, log) })
	defer checks.Wait()
	defer stop()
	return serveBot(ctx, c, log)
}

func serveBot(ctx context.Context, c config, log *slog.Logger) error {
	redis, state, err := openRedis(ctx, c)
	if err != nil {
		return err
	}
	defer func() { _, _ = redis.Close(), state.Close() }() // the process ends
	metrics := health.NewMetrics()
	d := newDeps(c, redis, state, log)
	defer d.lookups.Wait()
	var runner *jobs.Runner // made below: it tells through the bot, which wakes it
	settings := bot.Config{
		AppToken: c.SlackAppToken, BotToken: c.SlackBotToken, APIURL: c.SlackAPIURL,
		Readers: c.Readers, Commands: d.registry, Shares: store.NewShares(state), Processes: store.NewProcesses(state),
		Repairs: bot.Repairs{Plans: d.ledger, Operators: c.Operators, Approvals: c.Approvals,
			AlertChannel: c.AlertChannel, Wake: func() { runner.Wake() }},
		Timings: timings.bot, Patience: c.patience,
		Log: log, Metrics: metrics, Now: time.Now,
	}
	if c.AlertChannel != "" {
		settings.Incidents = d.records
	}
	b, err := bot.New(settings)
	if err != nil {
		return err
	}
	watching := newWatch(c, d, redis, b, metrics, log)
	d.jobs.Notify, d.jobs.ReportCounts = b.Tell, metrics.Jobs
	d.jobs.OnFinished = func(job store.Job) {
		metrics.Repaired(string(job.Plan.Action), string(job.Outcome))
		if c.AlertChannel == "" {
			return // nobody watches
		}
		if err := watching.Look(ctx, job.Plan.Session); err != nil {
			log.DebugContext(ctx, "the sweep will see what a repair came to", "error", err)
		}
	}
	runner = jobs.New(d.jobs)
	return serveAll(ctx, c, b, runner, watching, redis, metrics, log)
}

// serveAll runs the bot beside its health and profiles; the first to fail ends
// the others.
func serveAll(ctx context.Context, c config, b *bot.Bot, runner *jobs.Runner, watching *watch.Watch, redis *store.Redis, metrics *health.Metrics, log *slog.Logger) error {
	group, ctx := errgroup.WithContext(ctx)
	side, stop := context.WithCancel(context.WithoutCancel(ctx)) // health is told to the very end
	serve := func(variable, addr string, handler http.Handler, answerFor time.Duration) error {
		if addr == "" {
			return nil
		}
		listener, err := net.Listen("tcp", addr)
		if err != nil {
			return fmt.Errorf("listen on %s, set by %s: %w", addr, variable, err)
		}
		group.Go(func() error { return health.Serve(side, listener, handler, answerFor, log) })
		return nil
	}
	checks := []health.Check{
		{Name: "slack", Run: func(context.Context) error {
			if !b.Connected() {
				return errors.New("no Socket Mode connection is up")
			}
			return nil
		}},
		{Name: "redis", Run: func(ctx context.Context) error {
			_, err := redis.Ping(ctx)
			if err != nil { // may hold addresses
				err = cmp.Or(store.Trouble(err), errors.New("a fault of its own"))
			}
			return err
		}},
	}
	if c.AlertChannel != "" {
		checks = append(checks, watchChecks(watching, watching.Records)...)
	} else {
		log.InfoContext(ctx, "alerts are off: set ALERT_CHANNEL to be told of sessions in trouble")
	}
	err := errors.Join(
		serve("HTTP_ADDR", c.HTTPAddr, health.Handler(metrics, checks...), health.HandlerTimeout),
		serve("PPROF_ADDR", c.PprofAddr, health.Profiles(), health.ProfileTimeout))
	if err != nil {
		stop()
		return errors.Join(err, group.Wait())
	}
	if c.AlertChannel != "" {
		group.Go(func() error { return watching.Run(ctx) })
	}
	group.Go(func() error { return runner.Run(ctx) })
	group.Go(func() error {
		defer stop()
		log.InfoContext(ctx, "starting", "version", version)
		return b.Run(ctx)
	})
	return group.Wait()
}
