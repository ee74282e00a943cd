package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/superduperai/sessionbot/bot"
	"github.com/superduperai/sessionbot/bot/threads"
	"github.com/superduperai/sessionbot/internal/health"
	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/internal/watch"
	"github.com/superduperai/sessionbot/store/presence"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/repair"
)

// runBot runs the bot until ctx ends or a fault is permanent.
func (p program) runBot(ctx context.Context) error {
	c, err := p.load(true)
	if err != nil {
		return err
	}
	log := c.logger(p.errs)
	endTraces, err := c.startTraces(ctx, log.With("component", "traces"))
	if err != nil {
		return err
	}
	defer endTraces()
	checking, stop := context.WithCancel(ctx)
	var checks sync.WaitGroup
	checks.Go(func() { warnAtStart(checking, c, log.With("component", "doctor")) })
	defer checks.Wait()
	defer stop()
	return serveBot(ctx, c, log)
}

// services run concurrently in one process.
type services struct {
	bot     *bot.Bot
	jobs    *jobs.Runner
	watch   *watch.Watch // nil where alerts are off
	redis   *rdb.Redis
	metrics *health.Metrics
	log     *slog.Logger
}

// serveBot connects to Redis, wires the services and runs them until ctx ends.
func serveBot(ctx context.Context, c config, log *slog.Logger) error {
	redis, state, err := openRedis(ctx, c)
	if err != nil {
		return err
	}
	defer func() { _, _ = redis.Close(), state.Close() }() // the process ends
	d := newDeps(c, redis, state, log)
	defer d.lookups.Wait()
	s := services{redis: redis, metrics: health.NewMetrics(), log: log}
	settings := bot.Config{
		AppToken: c.SlackAppToken, BotToken: c.SlackBotToken, APIURL: c.SlackAPIURL,
		Readers: c.Readers, Commands: d.registry, Shares: presence.NewSharedRequests(state), Viewers: presence.NewViewers(state), Processes: presence.NewProcesses(state),
		Repairs: bot.Repairs{Plans: d.ledger, Decisions: d.repairs, Operators: c.Operators, Approvals: c.Approvals,
			AlertChannel: c.AlertChannel, Wake: func() { s.jobs.Wake() }},
		Timings: timings.bot, Deadlines: bot.NewDeadlines(c.patience),
		Log: log, Metrics: s.metrics, Tracer: c.tracer(), Now: time.Now,
	}
	asked := &threads.Threads{Store: d.followed, Trail: d.trail, SiteURL: c.SiteURL, Log: log.With("component", "threads"), Now: time.Now}
	if c.AlertChannel != "" {
		settings.Incidents, settings.Threads = d.records, asked
	}
	if s.bot, err = bot.New(settings); err != nil {
		return err
	}
	asked.Outbox = s.bot.Outbox()
	if c.AlertChannel != "" {
		s.watch = newWatch(c, d, redis, s.bot, asked, s.metrics, log)
	}
	d.jobs.Notify, d.jobs.ReportCounts = s.bot.ShowProgress, s.metrics.Jobs
	d.jobs.OnFinished = func(job repair.Job) {
		s.metrics.Repaired(string(job.Plan.Action), string(job.Outcome))
	}
	s.jobs = jobs.New(d.jobs)
	return s.run(ctx, c)
}

// run returns when the first service has failed and the others have stopped.
func (s *services) run(ctx context.Context, c config) error {
	group, ctx := errgroup.WithContext(ctx)
	serving, stop := context.WithCancel(context.WithoutCancel(ctx)) // health is served until the bot has stopped
	serve := func(variable, addr string, handler http.Handler, answerFor time.Duration) error {
		if addr == "" {
			return nil
		}
		listener, err := net.Listen("tcp", addr)
		if err != nil {
			return fmt.Errorf("listen on %s, set by %s: %w", addr, variable, err)
		}
		group.Go(func() error {
			return health.Serve(serving, listener, handler, answerFor, s.log.With("component", "health"))
		})
		return nil
	}
	err := errors.Join(
		serve("HTTP_ADDR", c.HTTPAddr, health.Handler(s.metrics, s.healthChecks()...), health.HandlerTimeout),
		serve("PPROF_ADDR", c.PprofAddr, health.Profiles(), health.ProfileTimeout))
	if err != nil {
		stop()
		return errors.Join(err, group.Wait())
	}
	log := s.log.With("component", "main")
	if s.watch == nil {
		log.InfoContext(ctx, "alerts are off", "remedy", "set ALERT_CHANNEL to be alerted of sessions in trouble")
	} else {
		group.Go(func() error { return s.watch.Run(ctx) })
	}
	group.Go(func() error { return s.jobs.Run(ctx) })
	group.Go(func() error {
		defer stop()
		info, _ := debug.ReadBuildInfo() // nil = unknown
		log.InfoContext(ctx, "starting", "version", versionOf(info))
		return s.bot.Run(ctx)
	})
	return group.Wait()
}

// healthChecks are those of /readyz.
func (s *services) healthChecks() []health.Check {
	checks := []health.Check{
		{Name: "slack", Run: func(context.Context) error {
			if !s.bot.Connected() {
				return errors.New("no Socket Mode connection is up")
			}
			return nil
		}},
		{Name: "redis", Run: func(ctx context.Context) error {
			_, err := s.redis.Ping(ctx)
			if err != nil { // may hold addresses
				err = cmp.Or(rdb.Kind(err), errors.New("internal error"))
			}
			return err
		}},
	}
	if s.watch == nil {
		return checks
	}
	started := time.Now()
	return append(checks,
		health.Check{Name: "alerts", Run: func(ctx context.Context) error { return s.watch.Ready(ctx, started) }},
		health.Check{Name: "alert_channel", Note: true, Run: func(ctx context.Context) error {
			state, err := s.watch.Records.State(ctx)
			if err != nil || state.Unreachable == "" {
				return nil // Redis has a check of its own
			}
			return errors.New("alerts do not reach it: " + state.Unreachable)
		}})
}
