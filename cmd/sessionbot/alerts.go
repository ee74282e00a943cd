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

// newWatch wires the watch, which posts its alerts through the bot.
func newWatch(c config, d deps, product *store.Redis, b *bot.Bot, metrics *health.Metrics, log *slog.Logger) *watch.Watch {
	// The site does not matter here; Stripe and the files are asked by the watch
	// itself, at its own pace.
	examiner := d.examiner
	examiner.Payments, examiner.Site, examiner.Files = nil, nil, nil
	alerts := bot.Alerts{Bot: b, Channel: c.AlertChannel, Mention: c.OncallMention}
	cfg := watch.Config{
		Records: d.records, Product: product, Ledger: d.ledger, Examiner: &examiner,
		API: d.api, APIURL: c.SuperDuperURL, Files: d.files,
		Teller: alerts, Finder: alerts, FixTexts: commands.FixTexts(),
		Limits: d.examiner.Limits, Interval: c.SweepInterval, Timings: timings.watch, Metrics: metrics, Log: log, Now: time.Now,
	}
	for _, verdict := range c.AlertOn {
		cfg.AlertOn = append(cfg.AlertOn, store.Verdict(verdict))
	}
	if c.StripeKey != "" {
		cfg.Stripe, cfg.Payments, cfg.OtherMode = d.stripe.Reader, d.stripe, d.stripe.OtherMode
	}
	return watch.New(cfg)
}

// watchChecks report whether the watch works, and whether its alerts arrive.
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
