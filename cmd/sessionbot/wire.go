package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/internal/payments"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/superduper"
)

// house is what every front door of the program works with.
type house struct {
	registry *commands.Registry
	ledger   *store.Ledger
	records  *store.Watch
	stripe   stripeReader
	examiner store.Examiner
	jobs     jobs.Config // without Tell
}

// newHouse wires Redis, Stripe, SuperDuperAI and the site together. state is
// where the bot keeps its own records.
func newHouse(c config, product, state *store.Redis, log *slog.Logger) house {
	limits := store.Thresholds{OrphanGrace: c.OrphanGrace, StallAfter: c.StallAfter}
	stripe := stripeReader{payments.New(payments.Config{Key: c.StripeKey, BaseURL: c.StripeAPIURL}), log}
	client := superduper.New(superduper.Config{BaseURL: c.SuperDuperURL, Token: c.SuperDuperToken, SiteURL: c.SiteURL})
	api := superReader{client}
	ledger, records := store.NewLedger(state), store.NewWatch(state)
	examiner := store.Examiner{Redis: product, Payments: stripe, Files: api, Site: api, Jobs: ledger, Lookups: records, Limits: limits, Now: time.Now}
	deps := commands.Deps{
		Sessions: &examiner, Finder: stripe, Redis: product, Ledger: ledger, Watch: records, Alerts: c.AlertChannel != "", Limits: limits,
		Plans: store.PlanOptions{
			TTL: c.ConfirmTTL, Models: store.Models{Video: c.VideoModel, Image: c.ImageModel},
			Prices: c.Prices, FixText: commands.FixText,
		},
		Token: c.SuperDuperToken != "", Files: api, SiteURL: c.SiteURL, Now: time.Now, Log: log,
	}
	return house{
		registry: commands.New(deps),
		ledger:   ledger, records: records, stripe: stripe, examiner: examiner,
		jobs: jobs.Config{
			Ledger: ledger, Writer: store.Writer{Product: product, Ledger: ledger}, Product: product, Site: countedSite{api, product, records}, Maker: client,
			Examine: func(ctx context.Context, session, job string) store.Examination {
				without := examiner
				without.Jobs = store.Without(ledger, job)
				return without.Examine(ctx, session)
			},
			Token: c.SuperDuperToken != "", GiveUp: c.GiveUpAfter, PollEvery: 5 * time.Second, Log: log, Now: time.Now,
		},
	}
}

// stripeReader tells the store what Stripe says.
type stripeReader struct {
	stripe *payments.Reader
	log    *slog.Logger
}

func (r stripeReader) Payment(ctx context.Context, id string) store.Payment {
	session, err := r.stripe.Session(ctx, id)
	if err != nil {
		return store.Payment{SessionID: id, State: store.PaymentUnverified, Why: r.why(ctx, err)}
	}
	return paymentOf(session)
}

func (r stripeReader) Event(ctx context.Context, p store.Payment) store.Event {
	event, err := r.stripe.Event(ctx, payments.Session{ID: p.SessionID, Created: p.Created, ChargedAt: p.ChargedAt, Live: p.Live})
	if err != nil {
		_ = r.why(ctx, err) // logged; the answer says that the event could not be seen
		return store.Event{}
	}
	return store.Event{State: store.EventState(event.State), ID: event.ID, Created: event.Created}
}

func (r stripeReader) Find(ctx context.Context, query string, limit int) ([]store.Payment, bool, error) {
	sessions, more, err := r.stripe.Find(ctx, query, limit)
	if err != nil {
		return nil, false, r.why(ctx, err)
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
		AmountRefunded: s.AmountRefunded, Created: s.Created, ChargedAt: s.ChargedAt, IntentID: s.IntentID,
		Live: s.Live, Disputed: s.Disputed, VideoCount: s.VideoCount,
	}
}

// superReader tells the store what SuperDuperAI and the site say.
type superReader struct{ api *superduper.Client }

func (r superReader) File(ctx context.Context, id string) (store.File, error) {
	file, err := r.api.File(ctx, id)
	if err != nil {
		return store.File{}, err
	}
	return store.File{State: store.FileState(file.State()), URL: file.URL, ThumbnailURL: file.ThumbnailURL, Type: file.Type}, nil
}

func (r superReader) SessionStatus(ctx context.Context, id string) (store.Site, error) {
	status, err := r.api.WebhookStatus(ctx, id)
	if err != nil {
		return store.Site{}, err
	}
	return store.Site{Found: status.Found, Status: status.Status, FileID: status.FileID}, nil
}

// countedSite counts the questions to the site that the examiner does not put.
type countedSite struct {
	superReader
	product *store.Redis
	lookups *store.Watch
}

func (s countedSite) SessionStatus(ctx context.Context, id string) (store.Site, error) {
	site, err := s.superReader.SessionStatus(ctx, id)
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), 200*time.Millisecond)
	defer cancel()
	if session, unread := s.product.Session(limited, id); unread == nil {
		x := store.Examination{Evidence: store.Evidence{Session: session}, Site: site}
		_ = s.lookups.CountLookup(limited, time.Now(), err == nil && x.SiteAgrees()) // one question less in the figures
	}
	return site, err
}
