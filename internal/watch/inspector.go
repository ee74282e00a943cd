package watch

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/sessions"
	"github.com/superduperai/sessionbot/store/sweep"
)

const (
	roundSize       = 200       // sessions per round
	maxExaminations = 8         // at the same time
	dismissalLife   = time.Hour // in which a session is not examined again while it is in the same trouble
)

// inspector inspects the sessions on the due list.
type inspector struct{ *term }

// inspectDue inspects some of the sessions that are due, and updates the
// incidents. A session leaves the due list only when that is stored.
func (s *inspector) inspectDue(ctx context.Context) error {
	dues, err := s.Records.Due(ctx, s.Now(), roundSize)
	if err != nil {
		return err
	}
	if len(dues) == 0 {
		return s.backlog.publish(ctx)
	}
	ids := make([]string, len(dues))
	for n, d := range dues {
		ids[n] = d.Session
	}
	open, err := s.incidents.list(ctx)
	if err != nil {
		return err
	}
	result, err := s.inspect(ctx, ids, openCases(open))
	if err != nil {
		return err
	}
	if err := s.incidents.assign(ctx, open, result.observed); err != nil {
		return err
	}
	if err := s.Records.RemoveDue(ctx, dues); err != nil {
		return err
	}
	wake(s.incidents.news)
	if err := s.Records.ForgetPaid(ctx, result.forget); err != nil {
		return err
	}
	if len(dues) == roundSize {
		wake(s.wake) // there may be more
	}
	return s.Records.AddDue(ctx, result.requeue...)
}

// inspection is the outcome of a round.
type inspection struct {
	observed map[string]Observation
	forget   []string // sessions whose payment need not be remembered
	requeue  []incident.DueSession
}

// inspect diagnoses sessions by what is known without asking anybody, and
// examines those that seem to have got into trouble, or out of it.
func (s *inspector) inspect(ctx context.Context, ids []string, open map[string]*incident.Case) (inspection, error) {
	result := inspection{observed: map[string]Observation{}}
	candidates, err := s.diagnose(ctx, ids, open)
	if err != nil {
		return result, err
	}
	now, state := s.Now(), s.known().state
	var suspects []*candidate
	for _, c := range candidates {
		s.sweeper.Written(c.Session.ID) // whoever enqueued it may know of a change
		unchanged := c.open != nil && c.open.Verdict == c.Verdict && s.alertable(c.Observation)
		reason := s.triage(*c, state)
		switch {
		case unchanged && (!s.dueForRecheck(c.open, len(open), now) || !s.stripe.lookups.AllowN(now, 1)):
			result.observed[c.Session.ID] = Observation{Case: s.caseOf(ctx, *c, now), Alerted: true}
			continue
		case c.open != nil:
			c.lookUp = unchanged
			suspects = append(suspects, c)
			continue
		case c.Verdict == diagnosis.VerdictLost && s.known().sessions <= 0:
			result.requeue = append(result.requeue, incident.DueSession{Session: c.Session.ID, At: now.Add(max(s.Timings.Requeue, s.Interval))})
			reason = awaitsSweep
		case reason == inTrouble:
			c.lookUp = s.Payments != nil && s.stripe.lookups.AllowN(now, 1)
			suspects = append(suspects, c)
			continue
		case reason == inBacklog:
			s.backlog.add(s.caseOf(ctx, *c, now))
		default:
			if at := nextInspection(c.Observation, s.Limits); at.After(now) {
				result.requeue = append(result.requeue, incident.DueSession{Session: c.Session.ID, At: at})
			}
			if c.paid != nil && paymentSettled(c.Verdict) {
				result.forget = append(result.forget, c.Session.ID)
			}
		}
		s.logSkipped(ctx, *c, reason)
	}
	return result, s.examine(ctx, suspects, &result)
}

// diagnose reads sessions and diagnoses them.
func (s *inspector) diagnose(ctx context.Context, ids []string, open map[string]*incident.Case) ([]*candidate, error) {
	read, err := sessions.Reader{Redis: s.Product}.Sessions(ctx, ids)
	if err != nil {
		return nil, err
	}
	known, err := s.Records.Known(ctx, ids)
	if err != nil {
		return nil, err
	}
	payments := map[string]store.Payment{}
	for _, id := range ids {
		payments[id] = s.stripe.payment(id, known[id].Paid, open[id])
	}
	evidence, err := s.evidence(ctx, read, func(context.Context, []string) (map[string]store.Payment, error) { return payments, nil })
	if err != nil {
		return nil, err
	}
	now := s.Now()
	candidates := make([]*candidate, len(read))
	for n, e := range evidence {
		id := e.Session.ID
		candidates[n] = &candidate{
			Observation: sweep.Observation{Evidence: e, Diagnosis: diagnosis.Diagnose(e, now, s.Limits)},
			paid:        known[id].Paid, dismissed: known[id].Dismissed, open: open[id],
		}
	}
	return candidates, nil
}

// evidence returns what is known of sessions besides their keys.
func (t *term) evidence(ctx context.Context, read []store.Session, payments diagnosis.KnownPayments) ([]diagnosis.Evidence, error) {
	sources := diagnosis.Sources{Files: t.Files, Jobs: t.Ledger, Limits: t.Limits, Now: t.Now, Proven: t.proven}
	return sources.Evidence(ctx, read, payments)
}

// proven reports whether the API has to know the file of a session created then.
func (t *term) proven(_ context.Context, created time.Time) bool {
	return t.known().state.Proven.Covers(t.APIURL, created)
}

// examine completes the evidence about sessions, several at a time.
func (s *inspector) examine(ctx context.Context, suspects []*candidate, result *inspection) error {
	if len(suspects) == 0 {
		return nil
	}
	ids := make([]string, len(suspects))
	for n, c := range suspects {
		ids[n] = c.Session.ID
	}
	repairs, err := s.Trail.Repaired(ctx, s.Now().Add(-48*time.Hour))
	if err != nil {
		return err
	}
	jobs, err := s.Ledger.JobStates(ctx, ids)
	if err != nil {
		return err
	}
	reads := s.Reads(ctx)
	var group errgroup.Group
	group.SetLimit(maxExaminations)
	errs := make([]error, len(suspects))
	for n, c := range suspects {
		c.Job, c.Reads = jobs[c.Session.ID], reads
		group.Go(func() error {
			errs[n] = contained(func() error { return s.complete(ctx, c) })
			return nil
		})
	}
	_ = group.Wait() // each error concerns one session
	for n, c := range suspects {
		if errs[n] != nil {
			s.Log.WarnContext(ctx, "session not examined, will retry", "error", errs[n])
			result.requeue = append(result.requeue, incident.DueSession{Session: c.Session.ID, At: s.Now().Add(s.Timings.Requeue)})
		} else if err := s.conclude(ctx, *c, repairs[c.Session.ID], result); err != nil {
			return err
		}
	}
	return nil
}

// complete adds what is asked for suspects only: the payment at Stripe, and all
// files that were ever seen finished for the session.
func (s *inspector) complete(ctx context.Context, c *candidate) error {
	if c.lookUp {
		c.checked = s.Now()
	}
	if c.lookUp && s.Payments != nil {
		c.Payment = s.stripe.lookUp(ctx, *c)
	}
	ref := c.Session.FileRef(s.Now())
	record, err := s.Files.Known(ctx, ref)
	c.File, c.Finished = record.File, record.Finished
	c.APIProven = c.File.State == store.FileMissing && s.proven(ctx, ref.Created)
	return err
}

// conclude diagnoses a session by the complete evidence.
func (s *inspector) conclude(ctx context.Context, c candidate, repair store.Action, result *inspection) error {
	id, key, now := c.Session.ID, dismissalKey(c.Diagnosis), s.Now()
	c.Diagnosis = diagnosis.Diagnose(c.Evidence, now, s.Limits)
	o := Observation{
		Case:    s.caseOf(ctx, c, now),
		Alerted: s.alertable(c.Observation) && !expired(c.Diagnosis, now),
	}
	if c.open != nil {
		o.Ending = endingOf(c.Observation, c.open.Verdict, repair, s.markedByRepair(c.Observation))
	}
	o.Case.Checked = c.checked
	result.observed[id] = o
	switch {
	case o.Alerted:
	case c.open == nil:
		s.logSkipped(ctx, c, notConfirmed)
		return s.Records.Dismiss(ctx, id, key, dismissalLife)
	case o.Ending == "":
		s.logSkipped(ctx, c, endingUnknown)
		result.requeue = append(result.requeue, incident.DueSession{Session: id, At: now.Add(s.stripeInterval())})
	}
	return nil
}

// caseOf returns the session as an incident shows it.
func (s *inspector) caseOf(ctx context.Context, c candidate, now time.Time) incident.Case {
	result := incident.Case{
		ID: c.Session.ID, Verdict: c.Verdict, At: troubleSince(c.Diagnosis), Allowed: c.Allowed, Shows: c.Deliver != "", Payment: c.Payment.State,
		Amount: c.Payment.Amount, Currency: c.Payment.Currency, Live: c.Payment.Live,
	}
	if !unheard(c.Verdict) || c.paid == nil {
		return result
	}
	result.EventID, result.EventAt = c.paid.EventID, c.paid.EventAt
	if result.At.Before(now.Add(-dayBack)) { // too old for the list of undelivered events
		return result
	}
	var err error
	if result.Event, err = s.stripe.eventOf(ctx, c.paid, now); err != nil {
		s.Log.DebugContext(ctx, "Stripe's undelivered events unavailable", "error", err)
	}
	return result
}
