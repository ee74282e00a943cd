package watch

import (
	"cmp"
	"context"
	"errors"
	"time"

	"golang.org/x/time/rate"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/watchstate"
)

const (
	// overlap is how far back each poll reads again: Stripe lists some events
	// later than they were created.
	overlap = 15 * time.Minute
	// listEvery and dayBack: sessions are listed for events that were never
	// created. A session is paid within a day.
	listEvery = time.Hour
	dayBack   = 25 * time.Hour
	// listTimeout bounds the list of one day.
	listTimeout = 10 * time.Minute
	// Single sessions are looked up at Stripe, lookupBurst at once and lookupsPerPoll
	// in the long run: before they are alerted, and again while the incident is open.
	// For the others its lists are trusted, which do not show refunds.
	lookupBurst    = 10
	lookupsPerPoll = 2
)

// stripePoller reads from Stripe what was paid, and knows how far its lists can
// be trusted.
type stripePoller struct {
	*term
	lookups *rate.Limiter // requests about single sessions

	undelivered undelivered
}

// poll reads what was paid since the last poll, and has each session inspected
// when its grace time ends.
func (p *stripePoller) poll(ctx context.Context) error {
	err := p.read(ctx)
	if ctx.Err() != nil {
		return err
	}
	if redisErr := p.refresh(ctx); redisErr != nil { // then Stripe is not to blame
		return redisErr
	}
	p.updateFacts(func(f *facts) {
		switch {
		case err == nil:
			f.stripeDownSince, f.stripeComplete = time.Time{}, true
		case f.stripeDownSince.IsZero():
			f.stripeDownSince, f.stripeComplete = cmp.Or(f.state.StripeReadAt, f.state.Epoch), false // before the first poll nothing is verified
		}
		if f.stripeFault = store.StripeNoAnswer; err != nil {
			_ = errors.As(err, &f.stripeFault) // unchanged if the cause is another
		}
	})
	if err == nil {
		err = p.monitor.reportVerified(ctx)
	}
	p.monitor.report(ctx, incident.PartStripe, err)
	return err
}

// read reads both of Stripe's lists. If the key may not list events the list of
// sessions has to do: a session paid long after its checkout began is then found
// only once an hour.
func (p *stripePoller) read(ctx context.Context) error {
	state := p.snapshot().state
	err := p.readEvents(ctx, state)
	forbidden := errors.Is(err, store.StripeForbidden)
	if err != nil && !forbidden {
		return err
	}
	if forbidden && !p.snapshot().eventsForbidden {
		p.Log.WarnContext(ctx, "Stripe events forbidden for this key, listing sessions only", "error", err)
	}
	p.updateFacts(func(f *facts) { f.eventsForbidden = forbidden })
	p.monitor.report(ctx, incident.PartEvents, err)
	if err := p.readSessions(ctx, state, forbidden); err != nil {
		return err
	}
	return p.record(ctx, watchstate.StripeReadAt(p.Now()))
}

// readEvents reads the events since the last poll, a day at a time: reading a
// month of them may take longer than the process lives. Then the last day comes
// first: its customers are still waiting.
func (p *stripePoller) readEvents(ctx context.Context, state watchstate.State) error {
	now := p.Now()
	from := now.Add(-store.EventLife)
	if from.Before(state.Cursor) {
		from = state.Cursor.Add(-overlap)
	}
	read := func(from, to time.Time) error {
		limited, cancel := context.WithTimeout(ctx, listTimeout)
		defer cancel()
		return p.Stripe.PaidEvents(limited, from, to, func(page []store.Paid) error { return p.save(ctx, page) })
	}
	if now.Sub(from) > dayBack {
		if err := read(now.Add(-dayBack), now); err != nil {
			return err
		}
	}
	for from.Before(now) {
		to := from.Add(min(dayBack, now.Sub(from)))
		if err := read(from, to); err != nil {
			return err
		}
		if err := p.record(ctx, watchstate.Cursor(to)); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// readSessions lists the sessions that may have been paid since the last list, once an
// hour, and those of the last minutes in between if no events can be read. A month of
// them is listed first: a session that is not listed would count as unpaid.
func (p *stripePoller) readSessions(ctx context.Context, state watchstate.State, eventsForbidden bool) error {
	now := p.Now()
	hourly := now.Sub(state.Listed) >= listEvery
	var back time.Duration
	switch {
	case hourly && state.Listed.Before(now.Add(-store.EventLife)): // also where none was ever listed
		back = store.EventLife
	case hourly:
		back = min(store.EventLife, now.Sub(state.Listed)+dayBack-listEvery)
	case eventsForbidden:
		back = overlap
	default:
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, listTimeout*(1+back/dayBack))
	defer cancel()
	err := p.Stripe.PaidSessions(limited, now.Add(-back), func(page []store.Paid) error { return p.save(ctx, page) })
	if err != nil || !hourly {
		return err
	}
	return p.record(ctx, watchstate.Listed(now))
}

// save saves payments, and puts their sessions in the due queue.
func (p *stripePoller) save(ctx context.Context, page []store.Paid) error {
	if err := p.savePage(ctx, page); err != nil {
		return err
	}
	dues, newest := make([]watchstate.DueSession, len(page)), time.Time{}
	for n, paid := range page {
		at := paidAt(paid.Payment)
		if at.After(newest) && !paid.Payment.OtherSale && !paid.Delayed() {
			newest = at
		}
		dues[n] = watchstate.DueSession{Session: paid.Payment.SessionID, At: at.Add(p.Limits.OrphanGrace + time.Millisecond)}
	}
	if newest.After(p.snapshot().state.Sold) {
		if err := p.record(ctx, watchstate.Sold(newest)); err != nil {
			return err
		}
	}
	return p.Records.AddDue(ctx, dues...)
}

// savePage saves payments. One that was delayed when it was saved last, and is paid by
// now, is replaced also where no event of it was seen. One that a lookup found refunded
// stays so: neither events nor lists say it.
func (p *stripePoller) savePage(ctx context.Context, page []store.Paid) error {
	ids := make([]string, len(page))
	for n, paid := range page {
		ids[n] = paid.Payment.SessionID
	}
	known, err := p.Records.Known(ctx, ids)
	if err != nil {
		return err
	}
	var rest []store.Paid
	for _, paid := range page {
		before := known[paid.Payment.SessionID].Paid
		switch {
		case before != nil && before.Payment.State == store.PaymentRefunded:
		case before == nil || !before.Delayed() || paid.EventID != "" || paid.Delayed():
			rest = append(rest, paid)
		default:
			if err := p.Records.KeepPaid(ctx, paid); err != nil {
				return err
			}
		}
	}
	return p.Records.SavePaid(ctx, rest...)
}

func paidAt(p store.Payment) time.Time { return cmp.Or(p.PaidAt, p.ChargedAt, p.Created) }

// payments returns what is known of payments without asking. open holds the cases
// of sessions that are in an incident.
func (p *stripePoller) payments(ids []string, known map[string]incident.Known, open map[string]*incident.Case) map[string]store.Payment {
	payments := make(map[string]store.Payment, len(ids))
	for _, id := range ids {
		payments[id] = p.payment(id, known[id].Paid, open[id])
	}
	return payments
}

// payment returns what is known of a payment: a session that Stripe's lists do not
// name was not paid, provided that they are complete.
func (p *stripePoller) payment(id string, paid *store.Paid, open *incident.Case) store.Payment {
	unverified := func(why store.Unverified) store.Payment {
		return store.Payment{SessionID: id, State: store.PaymentUnverified, Why: why}
	}
	switch {
	case paid != nil:
		return paid.Payment
	case p.Stripe == nil:
		return unverified(store.NoStripeKey)
	case p.OtherMode != nil && p.OtherMode(id):
		return unverified(store.StripeWrongMode)
	case open != nil && open.Payment != store.PaymentUnverified:
		return store.Payment{SessionID: id, State: open.Payment, Amount: open.Amount, Currency: open.Currency,
			ChargedAt: open.At, Live: open.Live}
	case p.snapshot().stripeComplete:
		return store.Payment{SessionID: id, State: store.PaymentUnpaid}
	}
	return unverified(store.StripeNoAnswer)
}

// lookUp asks Stripe about the payment of one session. What differs from
// Stripe's lists, such as a refund, is saved for the statistics. Without an answer
// the payment stays as it is known.
func (p *stripePoller) lookUp(ctx context.Context, c candidate) store.Payment {
	limited, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	answer := p.Payments.Payment(limited, c.Session.ID)
	if answer.State == store.PaymentUnverified || answer.State == store.PaymentMissing {
		return c.Payment
	}
	answer.PaidAt = cmp.Or(answer.PaidAt, c.Payment.PaidAt) // only the list of events has it
	if answer.State != c.Payment.State || answer.Failed != c.Payment.Failed {
		paid := store.Paid{Payment: answer}
		if c.paid != nil {
			paid.EventID, paid.EventAt = c.paid.EventID, c.paid.EventAt
		}
		if err := p.Records.KeepPaid(ctx, paid); err != nil {
			p.Log.DebugContext(ctx, "payment not saved", "error", err)
		}
	}
	return answer
}
