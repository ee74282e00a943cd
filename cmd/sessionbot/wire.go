package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/internal/payments"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/sweep"
	"github.com/superduperai/sessionbot/superduper"
)

// house is what every front door of the program works with.
type house struct {
	registry   *commands.Registry
	ledger     *store.Ledger
	records    *store.Watch
	statistics *store.Statistics
	lookups    *store.Lookups
	files      *sweep.Files
	api        *superduper.Client
	stripe     stripeReader
	examiner   store.Examiner
	jobs       jobs.Config // without Notify
}

// openRedis opens the Redis of the product and the one of the bot's own records,
// which by default is the same: then what concerns both is asked together.
func openRedis(ctx context.Context, c config) (product, state *store.Redis, err error) {
	if product, err = store.Open(ctx, c.RedisURL); err != nil {
		return nil, nil, fmt.Errorf("open REDIS_URL: %w", err)
	}
	if c.StateRedisURL == c.RedisURL {
		return product, product, nil
	}
	if state, err = store.Open(ctx, c.StateRedisURL); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open STATE_REDIS_URL: %w", err), product.Close())
	}
	return product, state, nil
}

// newHouse wires Redis, Stripe, SuperDuperAI and the site together. state is
// where the bot keeps its own records.
func newHouse(c config, product, state *store.Redis, log *slog.Logger) house {
	limits := store.Thresholds{OrphanGrace: c.OrphanGrace, StallAfter: c.StallAfter}
	stripe := stripeReader{payments.New(payments.Config{Key: c.StripeKey, BaseURL: c.StripeAPIURL, Log: log, ProductMetadata: c.ProductMetadata}), newGuard(), log}
	client := superduper.New(superduper.Config{BaseURL: c.SuperDuperURL, Token: c.SuperDuperToken, SiteURL: c.SiteURL})
	api := superReader{client, newGuard(), newGuard()}
	ledger, records, statistics := store.NewLedger(state), store.NewWatch(state), store.NewStatistics(state)
	lookups := store.NewLookups(statistics, func(err error) { log.Warn("questions to the site are missing in the figures", "error", err) })
	files := sweep.NewFiles(state, time.Now)
	sources := store.Sources{Files: files, Jobs: ledger, Proven: proven(records, c.SuperDuperURL), Limits: limits, Now: time.Now}
	examiner := store.Examiner{Redis: store.Reader{Redis: product}, Files: api, Records: files, Proven: sources.Proven, Site: api, Jobs: ledger, Reads: siteReads(c, product, records), Lookups: lookups, Limits: limits, Deadlines: c.deadlines, Now: time.Now}
	if c.StripeKey != "" {
		examiner.Payments = stripe
	}
	deps := commands.Deps{
		Sessions: &examiner, Finder: stripe, Redis: product, NewSweeper: func() commands.Sweeper { return sweep.New(product) }, Sources: sources, Ledger: ledger, Statistics: statistics, Watch: records, Alerts: c.AlertChannel != "", Limits: limits,
		Plans: store.PlanOptions{
			TTL: c.ConfirmTTL, Models: store.Models{Video: c.VideoModel, Image: c.ImageModel},
			Prices: c.Prices, FixText: commands.FixText, RefundText: commands.RefundText,
		},
		Token: c.SuperDuperToken != "", Files: api, SiteURL: c.SiteURL, Now: time.Now, Log: log,
	}
	return house{
		registry: commands.New(deps),
		ledger:   ledger, records: records, statistics: statistics, lookups: lookups, files: files, api: client, stripe: stripe, examiner: examiner,
		jobs: jobs.Config{
			Ledger: ledger, Writer: store.Writer{Product: product, State: state}, Product: store.Reader{Redis: product}, Files: files, Site: countedSite{api, product, lookups}, Generator: client,
			Examine: func(ctx context.Context, session, job string) store.Examination {
				without := examiner
				without.Jobs = store.Without(ledger, job)
				return without.Examine(ctx, session)
			},
			Token: c.SuperDuperToken != "", GiveUp: c.GiveUpAfter, Timings: timings.jobs, Log: log, Now: time.Now,
		},
	}
}

// newGuard is for a service that people wait for. Jobs and the watch, for which
// nobody waits, ask past it at their own pace.
func newGuard() *store.Guard { return &store.Guard{Pause: 10 * time.Second} }

// asked puts a question, unless the neighbour is left alone just now.
func asked[T any](g *store.Guard, failed func(error) bool, question func() (T, error)) (T, error) {
	var answer T
	err := g.Ask(failed, func() (err error) {
		answer, err = question()
		return err
	})
	return answer, err
}

// stripeReader reads payments for people, behind a circuit breaker.
type stripeReader struct {
	*payments.Reader
	guard *store.Guard
	log   *slog.Logger
}

// stripeFailed reports whether Stripe failed to answer, whatever was asked.
func stripeFailed(err error) bool {
	var failed *payments.Error
	return errors.As(err, &failed) &&
		(failed.Reason == store.StripeNoAnswer || failed.Reason == store.StripeRateLimited || failed.Status >= http.StatusInternalServerError)
}

func (r stripeReader) Payment(ctx context.Context, id string) store.Payment {
	p, err := asked(r.guard, stripeFailed, func() (store.Payment, error) { return r.Reader.Payment(ctx, id) })
	if err != nil {
		return store.Payment{SessionID: id, State: store.PaymentUnverified, Why: r.reason(ctx, err), Since: store.AwaySince(err)}
	}
	return p
}

// Event returns what could be seen of the events, be it in part.
func (r stripeReader) Event(ctx context.Context, p store.Payment) store.Event {
	event, err := asked(r.guard, stripeFailed, func() (store.Event, error) { return r.Reader.Event(ctx, p) })
	if err != nil {
		_ = r.reason(ctx, err) // logged there
	}
	return event
}

func (r stripeReader) Find(ctx context.Context, query string, limit int) ([]store.Payment, bool, error) {
	var more bool
	found, err := asked(r.guard, stripeFailed, func() (found []store.Payment, err error) {
		found, more, err = r.Reader.Find(ctx, query, limit)
		return found, err
	})
	if err != nil {
		reason := r.reason(ctx, err)
		if since := store.AwaySince(err); !since.IsZero() {
			return nil, false, &store.AwayError{Since: since, Err: reason}
		}
		return nil, false, reason
	}
	return found, more, nil
}

// reason logs the cause and returns its reason; a missing key is not logged.
func (r stripeReader) reason(ctx context.Context, err error) store.Unverified {
	reason := store.StripeFault
	_ = errors.As(err, &reason) // else it stays a fault
	if reason != store.NoStripeKey {
		r.log.WarnContext(ctx, "Stripe could not be asked", "why", string(reason), "error", err)
	}
	return reason
}

// superReader asks SuperDuperAI and the site for people, each behind a circuit
// breaker.
type superReader struct {
	api         *superduper.Client
	files, site *store.Guard
}

// superFailed reports whether they failed to answer, whatever was asked.
func superFailed(err error) bool {
	return errors.Is(err, superduper.Unavailable) || errors.Is(err, superduper.RateLimited)
}

func (r superReader) File(ctx context.Context, id string) (store.File, error) {
	return asked(r.files, superFailed, func() (store.File, error) { return r.api.File(ctx, id) })
}

func (r superReader) SessionStatus(ctx context.Context, id string) (store.Site, error) {
	return asked(r.site, superFailed, func() (store.Site, error) { return r.api.SessionStatus(ctx, id) })
}

// siteReads tells which keys the site reads: what SITE_LAYOUT says, else what the
// sessions there are do.
func siteReads(c config, product *store.Redis, records *store.Watch) func(ctx context.Context) store.Layout {
	if layout := store.Layout(c.SiteLayout); layout == store.LayoutOneKey || layout == store.LayoutThreeKey {
		return func(context.Context) store.Layout { return layout }
	}
	return sweep.NewLayouts(product, records, time.Now).Reads
}

// proven reports whether the API at the URL has to know the file of a session; see
// store.Proof.
func proven(records *store.Watch, url string) func(ctx context.Context, created time.Time) bool {
	return func(ctx context.Context, created time.Time) bool {
		state, err := records.State(ctx)
		return err == nil && state.Proven.Covers(url, created) // what cannot be read proves nothing
	}
}

// countedSite counts the questions to the site that the examiner does not put.
type countedSite struct {
	superReader
	product *store.Redis
	lookups *store.Lookups
}

func (s countedSite) SessionStatus(ctx context.Context, id string) (store.Site, error) {
	site, err := s.superReader.SessionStatus(ctx, id)
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), 200*time.Millisecond)
	defer cancel()
	if session, unread := (store.Reader{Redis: s.product}).Session(limited, id); unread == nil {
		x := store.Examination{Evidence: store.Evidence{Session: session, Site: &site}}
		s.lookups.Count(time.Now(), err == nil && x.SiteAgrees())
	}
	return site, err
}
