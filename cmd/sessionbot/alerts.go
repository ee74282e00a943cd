package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/superduperai/sessionbot/bot"
	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/health"
	"github.com/superduperai/sessionbot/internal/watch"
	"github.com/superduperai/sessionbot/store"
)

// newWatch wires the watch. It tells through the bot.
func newWatch(c config, parts house, product *store.Redis, b *bot.Bot, metrics *health.Metrics, log *slog.Logger) *watch.Watch {
	alerts := bot.Alerts{Bot: b, Channel: c.AlertChannel, Mention: c.OncallMention}
	cfg := watch.Config{
		Records: parts.records, Statistics: parts.statistics, Product: product, Ledger: parts.ledger, Reads: parts.examiner.Reads,
		API: parts.api, APIURL: c.SuperDuperURL, Files: parts.files,
		Notifier: alerts, Finder: alerts, FixTexts: commands.FixTexts(),
		Limits: parts.examiner.Limits, Interval: c.SweepInterval, Timings: timings.watch, Metrics: metrics, Log: log, Now: time.Now,
	}
	for _, verdict := range c.AlertOn {
		cfg.AlertOn = append(cfg.AlertOn, store.Verdict(verdict))
	}
	if c.StripeKey != "" {
		cfg.Stripe, cfg.Payments, cfg.OtherMode = parts.stripe.Reader, parts.stripe, parts.stripe.OtherMode
	}
	return watch.New(cfg)
}

// watchChecks tell whether the watch works, and whether its alerts arrive.
func watchChecks(w *watch.Watch, records *store.Watch) []health.Check {
	started := time.Now()
	return []health.Check{
		{Name: "alerts", Run: func(ctx context.Context) error { return w.Ready(ctx, started) }},
		{Name: "alert_channel", Note: true, Run: func(ctx context.Context) error {
			state, err := records.State(ctx)
			if err != nil || state.Unreachable == "" {
				return nil // Redis has a check of its own
			}
			return errors.New("alerts do not reach it: " + state.Unreachable)
		}},
	}
}
