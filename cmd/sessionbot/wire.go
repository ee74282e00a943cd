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
	api        fileAPI
	stripe     stripeReader
	examiner   store.Examiner
	jobs       jobs.Config // without Tell
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
		ledger:   ledger, records: records, statistics: statistics, lookups: lookups, files: files, api: fileAPI{client}, stripe: stripe, examiner: examiner,
		jobs: jobs.Config{
			Ledger: ledger, Writer: store.Writer{Product: product, State: state}, Product: store.Reader{Redis: product}, Files: files, Site: countedSite{api, product, lookups}, Maker: client,
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

// stripeReader tells the store what Stripe says.
type stripeReader struct {
	stripe *payments.Reader
	guard  *store.Guard
	log    *slog.Logger
}

// stripeFailed tells whether Stripe has no time for us, whatever is asked.
func stripeFailed(err error) bool {
	var typed *payments.Error
	return errors.As(err, &typed) &&
		(typed.Kind == payments.NoAnswer || typed.Kind == payments.RateLimited || typed.Status >= http.StatusInternalServerError)
}

func (r stripeReader) Payment(ctx context.Context, id string) store.Payment {
	session, err := asked(r.guard, stripeFailed, func() (payments.Session, error) { return r.stripe.Session(ctx, id) })
	if err != nil {
		return store.Payment{SessionID: id, State: store.PaymentUnverified, Why: r.why(ctx, err), Since: store.AwaySince(err)}
	}
	return paymentOf(session)
}

func (r stripeReader) Event(ctx context.Context, p store.Payment) store.Event {
	event, err := asked(r.guard, stripeFailed, func() (payments.Event, error) {
		return r.stripe.Event(ctx, payments.Session{ID: p.SessionID, State: payments.State(p.State), IntentID: p.IntentID, Created: p.Created, ChargedAt: p.ChargedAt, Live: p.Live})
	})
	if err != nil {
		_ = r.why(ctx, err) // logged; the answer says what could be seen all the same
	}
	return store.Event{State: store.EventState(event.State), ID: event.ID, Created: event.Created, PaidAt: event.PaidAt, Completed: event.Completed}
}

func (r stripeReader) Find(ctx context.Context, query string, limit int) ([]store.Payment, bool, error) {
	var more bool
	sessions, err := asked(r.guard, stripeFailed, func() (sessions []payments.Session, err error) {
		sessions, more, err = r.stripe.Find(ctx, query, limit)
		return sessions, err
	})
	if err != nil {
		why := r.why(ctx, err)
		if since := store.AwaySince(err); !since.IsZero() {
			return nil, false, &store.AwayError{Since: since, Err: why}
		}
		return nil, false, why
	}
	found := make([]store.Payment, len(sessions))
	for i, session := range sessions {
		found[i] = paymentOf(session)
	}
	return found, more, nil
}

// why logs the cause and returns its kind; no key is no news.
func (r stripeReader) why(ctx context.Context, err error) store.Unverified {
	why := store.StripeFault
	var typed *payments.Error
	if errors.As(err, &typed) {
		why = store.Unverified(typed.Kind)
	}
	if why != store.NoStripeKey {
		r.log.WarnContext(ctx, "Stripe could not be asked", "why", string(why), "error", err)
	}
	return why
}

func paymentOf(s payments.Session) store.Payment {
	return store.Payment{
		SessionID: s.ID, State: store.PaymentState(s.State), Amount: s.Amount, Currency: s.Currency,
		AmountRefunded: s.AmountRefunded, Created: s.Created, ChargedAt: s.ChargedAt, PaidAt: s.PaidAt, IntentID: s.IntentID,
		Live: s.Live, Disputed: s.Disputed, Failed: s.Failed, OtherSale: s.OtherSale, VideoCount: s.VideoCount,
	}
}

// superReader tells the store what SuperDuperAI and the site say.
type superReader struct {
	api         *superduper.Client
	files, site *store.Guard
}

// superFailed tells whether they have no time for us, whatever is asked.
func superFailed(err error) bool {
	return errors.Is(err, superduper.Unavailable) || errors.Is(err, superduper.RateLimited)
}

func (r superReader) File(ctx context.Context, id string) (store.File, error) {
	return asked(r.files, superFailed, func() (store.File, error) { return fileAPI{r.api}.File(ctx, id) })
}

// fileAPI asks for files as the watch does, at its own pace.
type fileAPI struct{ api *superduper.Client }

func (f fileAPI) File(ctx context.Context, id string) (store.File, error) {
	file, err := f.api.File(ctx, id)
	if err != nil {
		return store.File{}, fileError(err)
	}
	return store.File{State: store.FileState(file.State()), URL: file.URL, ThumbnailURL: file.ThumbnailURL,
		Type: file.Type, Error: file.Error}, nil
}

// fileError says in the store's words why a file could not be seen.
func fileError(err error) error {
	failed := &store.FileError{Trouble: store.FileNoAnswer, Err: err}
	var api *superduper.Error
	if !errors.As(err, &api) {
		return failed
	}
	failed.RetryAfter = api.RetryAfter
	switch api.Kind {
	case superduper.NoToken:
		failed.Trouble = store.FileNoToken
	case superduper.NotFound:
		failed.Trouble = store.FileNotFound
	case superduper.Unauthorised:
		failed.Trouble = store.FileUnauthorized
	case superduper.Forbidden:
		failed.Trouble = store.FileForbidden
	case superduper.RateLimited:
		failed.Trouble = store.FileRateLimited
	case superduper.Rejected, superduper.Unpaid, superduper.Malformed, superduper.Unclear:
		failed.Trouble = store.FileUnreadable
	}
	return failed
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

func (r superReader) SessionStatus(ctx context.Context, id string) (store.Site, error) {
	status, err := asked(r.site, superFailed, func() (superduper.WebhookStatus, error) { return r.api.WebhookStatus(ctx, id) })
	if err != nil {
		return store.Site{}, err
	}
	return store.Site{Found: status.Found, Status: status.Status, FileID: status.FileID}, nil
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
