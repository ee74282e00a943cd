package commands

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/commands/alert"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/sweep"
)

// Trouble is a session in trouble, as known without a request to another service.
type Trouble struct {
	ID       string
	Verdict  diagnosis.Verdict
	PaidAt   time.Time // when it was paid, else when it got its status; zero = unknown
	Payment  store.PaymentState
	Amount   int64 // in the currency's smallest unit
	Currency string
	Allowed  []store.Action
	Shows    bool // a fix shows a finished video
	// Possible are the Allowed ones, and replay where it depends on Stripe's event alone,
	// which was not looked up.
	Possible []store.Action
}

// compare orders sessions: the longest waiting first, those of unknown age last.
func (t Trouble) compare(o Trouble) int {
	if t.PaidAt.IsZero() != o.PaidAt.IsZero() {
		return -t.PaidAt.Compare(o.PaidAt)
	}
	return cmp.Or(t.PaidAt.Compare(o.PaidAt), strings.Compare(t.ID, o.ID))
}

// TroubleFilter selects sessions in trouble. The zero value selects all.
type TroubleFilter struct {
	Verdict  diagnosis.Verdict // "" = any
	Since    time.Duration     // paid within; 0 = whenever
	Incident string            // that are in the incident with this id; "" = any
}

// Troubles are the sessions in trouble, the longest waiting first.
type Troubles struct {
	AsOf     time.Time
	Complete bool // none that was in trouble then is missing
	Sessions []Trouble
	Marked   int // left out: a repair marked them as error
	Settled  int // left out: a closer look found them in order, or a person handled them
	// Unchecked are overdue, and it is not known whether their files are finished: the
	// watch looks them up.
	Unchecked int
}

// troubles returns the sessions in trouble that the filter selects, in their current state.
// Which sessions are read is known from the last sweep of the watch; in a terminal, and
// without a watch, all sessions are swept now.
func (d Deps) troubles(ctx context.Context, req Request, f TroubleFilter) (Troubles, error) {
	now := d.Now()
	result := Troubles{AsOf: now, Complete: true}
	var observed []sweep.Observation
	var err error
	if f.Incident != "" {
		observed, err = d.observeIncident(ctx, f.Incident, now)
	} else {
		observed, err = d.observeTroubled(ctx, req, now, &result)
	}
	if err != nil {
		return Troubles{}, fmt.Errorf("list sessions in trouble: %w", err)
	}
	return result, d.addTroubles(ctx, &result, observed, f, now)
}

// observeTroubled observes the sessions that the last sweep, or one of now, finds in
// trouble, and those in open incidents: of a lost session Redis may hold nothing.
func (d Deps) observeTroubled(ctx context.Context, req Request, now time.Time, result *Troubles) (observed []sweep.Observation, err error) {
	open, err := d.Incidents.OpenIncidents(ctx, nil)
	if err != nil {
		return nil, err
	}
	record, err := d.Incidents.Troubled(ctx)
	if err != nil {
		return nil, err
	}
	sweeper := d.NewSweeper()
	if record.Swept.IsZero() || req.Terminal {
		record.Sessions = nil
		observed, err = d.sweepTroubled(ctx, req, sweeper, now, result)
	} else {
		result.AsOf, result.Complete = record.Swept, record.Whole
	}
	if err != nil {
		return nil, err
	}
	met := map[string]bool{}
	for _, o := range observed {
		met[o.Session.ID] = true
	}
	ids := record.Sessions
	for _, i := range open {
		for _, c := range i.Open() {
			ids = append(ids, c.ID)
		}
	}
	slices.Sort(ids)
	ids = slices.DeleteFunc(slices.Compact(ids), func(id string) bool { return met[id] })
	named, err := sweeper.Observe(ctx, ids, d.troubleOptions(now))
	return append(observed, named...), err
}

// sweepTroubled sweeps all sessions for those in trouble.
func (d Deps) sweepTroubled(ctx context.Context, req Request, sweeper Sweeper, now time.Time, result *Troubles) (observed []sweep.Observation, err error) {
	ctx, cancel := countContext(ctx, req)
	defer cancel()
	options := d.troubleOptions(now)
	options.Progress = req.Progress
	options.Visit = func(_ context.Context, found []sweep.Observation) error {
		for _, o := range found {
			switch {
			case o.Verdict.InTrouble():
				observed = append(observed, o)
			case o.Verdict == diagnosis.VerdictUnchecked && now.Sub(o.Since) > d.Limits.StallAfter:
				result.Unchecked++
			}
		}
		return nil
	}
	swept, err := sweeper.Sweep(ctx, options)
	result.Complete = swept.Count.Complete
	return observed, err
}

// observeIncident observes the sessions that are still in an incident.
func (d Deps) observeIncident(ctx context.Context, id string, now time.Time) ([]sweep.Observation, error) {
	i, err := d.Incidents.Incident(ctx, id)
	if errors.Is(err, incident.ErrUnknownIncident) {
		return nil, refuse(alert.Forgotten)
	}
	if err != nil {
		return nil, err
	}
	ids, old := []string{}, func(sweep.Observation) bool { return true }
	for _, c := range i.Open() {
		ids = append(ids, c.ID)
	}
	if i.Kind == incident.Backlog { // it holds some of its sessions only
		record, err := d.Incidents.Troubled(ctx)
		if err != nil {
			return nil, err
		}
		state, err := d.Watch.State(ctx)
		if err != nil {
			return nil, err
		}
		ids = slices.Compact(slices.Sorted(slices.Values(append(ids, record.Sessions...))))
		old = func(o sweep.Observation) bool {
			return incident.TroubleSince(o.Diagnosis).Before(state.Epoch) && i.Sums[o.Verdict].Sessions > 0
		}
	}
	observed, err := d.NewSweeper().Observe(ctx, ids, d.troubleOptions(now))
	return slices.DeleteFunc(observed, func(o sweep.Observation) bool { return !old(o) }), err
}

// troubleOptions are those of a sweep with the bot's own records. Without them the sessions
// in trouble are not known.
func (d Deps) troubleOptions(now time.Time) sweep.Options {
	return sweep.Options{Now: now, Limits: d.Limits,
		Evidence: func(ctx context.Context, sessions []store.Session) ([]diagnosis.Evidence, error) {
			return d.Sources.Evidence(ctx, sessions, d.payments(now))
		}}
}

// payments returns the payments that the watch knows. A live key cannot see test
// sessions, nor the reverse: that Stripe's lists do not name one says nothing.
func (d Deps) payments(now time.Time) diagnosis.KnownPayments {
	return func(ctx context.Context, ids []string) (map[string]store.Payment, error) {
		known, err := d.Watch.Payments(ctx, now, ids)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			if p, ok := known[id]; ok && p.State == store.PaymentUnpaid && d.OtherMode != nil && d.OtherMode(id) {
				known[id] = store.Payment{SessionID: id, State: store.PaymentUnverified, Why: store.StripeWrongMode}
			}
		}
		return known, nil
	}
}

// addTroubles adds the sessions that are in trouble and that the filter selects, as
// the alerts would: without those that a person already handled.
func (d Deps) addTroubles(ctx context.Context, result *Troubles, observed []sweep.Observation, f TroubleFilter, now time.Time) error {
	var ids []string
	for _, o := range observed {
		if o.Verdict.InTrouble() {
			ids = append(ids, o.Session.ID)
		}
	}
	known := map[string]incident.Known{}
	for chunk := range slices.Chunk(ids, 200) {
		some, err := d.Watch.Known(ctx, chunk)
		if err != nil {
			return err
		}
		for id, k := range some {
			known[id] = k
		}
	}
	siteLayout := d.SiteLayout(ctx)
	for _, o := range observed {
		k := known[o.Session.ID]
		o.Evidence = o.Complete(now)
		o.SiteLayout = siteLayout
		if k.Paid != nil && k.Paid.EventID != "" { // any event of a payment comes with that of its checkout
			o.Event = store.Event{ID: k.Paid.EventID, Completed: true}
		}
		o.Diagnosis = diagnosis.Diagnose(o.Evidence, now, d.Limits)
		possible := o.Allowed
		if o.Event.ID == "" {
			o.Event = store.Event{Completed: true}
			possible = diagnosis.Diagnose(o.Evidence, now, d.Limits).Allowed
		}
		at := o.Time()
		switch {
		case !o.Verdict.InTrouble(), f.Verdict != "" && o.Verdict != f.Verdict, f.Since > 0 && at.Before(now.Add(-f.Since)):
		case incident.IsMarkedByRepair(o.Session, o.Verdict, FixTexts()):
			result.Marked++
		case k.Dismissed == incident.TroubleKey(o.Diagnosis), k.Handled.Covers(o.Verdict):
			result.Settled++
		default:
			result.Sessions = append(result.Sessions, Trouble{ID: o.Session.ID, Verdict: o.Verdict, PaidAt: at, Payment: o.Payment.State,
				Amount: o.Payment.Amount, Currency: o.Payment.Currency, Allowed: o.Allowed, Possible: possible, Shows: o.Deliver != ""})
		}
	}
	slices.SortFunc(result.Sessions, Trouble.compare)
	return nil
}
