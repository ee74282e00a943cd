package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/superduperai/sessionbot/bot"
	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/health"
	"github.com/superduperai/sessionbot/internal/payments"
	"github.com/superduperai/sessionbot/internal/watch"
	"github.com/superduperai/sessionbot/store"
)

// newWatch wires the watch. It tells through the bot.
func newWatch(c config, parts house, product *store.Redis, b *bot.Bot, metrics *health.Metrics, log *slog.Logger) *watch.Watch {
	alerts := bot.Alerts{Bot: b, Channel: c.AlertChannel, Mention: c.OncallMention}
	cfg := watch.Config{
		Records: parts.records, Product: product, Ledger: parts.ledger, Reads: parts.examiner.Reads,
		API: parts.api, APIURL: c.SuperDuperURL, Files: parts.files,
		Notifier: alerts, Finder: alerts, FixTexts: commands.FixTexts(),
		Limits: parts.examiner.Limits, Interval: c.SweepInterval, Timings: timings.watch, Metrics: metrics, Log: log, Now: time.Now,
	}
	for _, verdict := range c.AlertOn {
		cfg.AlertOn = append(cfg.AlertOn, store.Verdict(verdict))
	}
	if c.StripeKey != "" {
		cfg.Stripe, cfg.Payments, cfg.OtherMode = stripeLists{parts.stripe.stripe}, parts.stripe, parts.stripe.stripe.OtherMode
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

// stripeLists tells the watch what Stripe lists.
type stripeLists struct{ stripe *payments.Reader }

func (l stripeLists) PaidEvents(ctx context.Context, from, to time.Time, page func([]store.Paid) error) error {
	return untoldBy(l.stripe.PaidEvents(ctx, from, to, func(events []payments.PaidEvent) error {
		paid := make([]store.Paid, len(events))
		for n, e := range events {
			paid[n] = store.Paid{Payment: paymentOf(e.Session), EventID: e.ID, EventAt: e.Created}
		}
		return page(paid)
	}))
}

func (l stripeLists) PaidSessions(ctx context.Context, since time.Time, page func([]store.Paid) error) error {
	return untoldBy(l.stripe.PaidSessions(ctx, since, func(sessions []payments.Session) error {
		paid := make([]store.Paid, len(sessions))
		for n, s := range sessions {
			paid[n] = store.Paid{Payment: paymentOf(s)}
		}
		return page(paid)
	}))
}

func (l stripeLists) Undelivered(ctx context.Context, from, to time.Time) (map[string]bool, bool, error) {
	ids, whole, err := l.stripe.Undelivered(ctx, from, to)
	return ids, whole, untoldBy(err)
}

// untoldBy makes Stripe's refusal one that the store knows. What is not Stripe's
// is left as it is.
func untoldBy(err error) error {
	var refusal *payments.Error
	if !errors.As(err, &refusal) {
		return err
	}
	return fmt.Errorf("%w: %w", store.Unverified(refusal.Kind), err)
}
