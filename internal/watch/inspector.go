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
	"github.com/superduperai/sessionbot/store/watchstate"
)

const (
	roundSize       = 200       // sessions per round
	maxExaminations = 8         // at the same time
	dismissalLife   = time.Hour // in which a session is not examined again while it is in the same trouble
)

// inspector inspects the sessions in the due queue.
type inspector struct {
	*term
	reported time.Time // the last failure
}

// run is inspectDue, and reports to the monitor what lasts: a failure once an interval, and
// none while the sweep cannot read Redis either.
func (s *inspector) run(ctx context.Context) error {
	err := catchPanic(func() error { return s.inspectDue(ctx) })
	if ctx.Err() != nil {
		return err
	}
	failures, known := s.monitor.failureCount(incident.PartInspection)
	unread, _ := s.monitor.failureCount(incident.PartSweep)
	switch {
	case err == nil && (failures > 0 || !known):
		s.monitor.report(ctx, incident.PartInspection, nil)
	case err != nil && unread == 0 && s.Now().Sub(s.reported) >= s.Interval:
		s.reported = s.Now()
		s.monitor.report(ctx, incident.PartInspection, err)
	}
	return err
}

// inspectDue inspects some of the sessions that are due, and updates the
// incidents. A session leaves the due queue only when that is stored.
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
	if err := s.Records.RemoveDue(ctx, dues, result.requeue...); err != nil {
		return err
	}
	signal(s.incidents.notifyNow)
	if err := s.Records.ForgetPaid(ctx, result.forget); err != nil {
		return err
	}
	if len(dues) == roundSize {
		signal(s.inspectNow) // there may be more
	}
	return nil
}

// inspection is the outcome of a round.
type inspection struct {
	observed map[string]assessment
	forget   []string // sessions whose payment need not be remembered
	requeue  []watchstate.DueSession
}

func (i *inspection) requeueAt(session string, at time.Time) {
	i.requeue = append(i.requeue, watchstate.DueSession{Session: session, At: at})
}

// inspect diagnoses sessions by what is known without asking another service, and
// examines those that seem to have got into trouble, or out of it.
func (s *inspector) inspect(ctx context.Context, ids []string, open map[string]*incident.Case) (inspection, error) {
	result := inspection{observed: map[string]assessment{}}
	candidates, err := s.diagnose(ctx, ids, open)
	if err != nil {
		return result, err
	}
	var suspects []*candidate
	for _, c := range candidates {
		s.sweeper.Written(c.Session.ID) // it may have been enqueued because of a change
		if c.open != nil && s.triageOpen(ctx, c, len(open), &result) || c.open == nil && s.triageNew(ctx, c, &result) {
			suspects = append(suspects, c)
		}
	}
	return result, s.examine(ctx, suspects, &result)
}

// triageOpen reports whether a session that is in an incident is to be examined:
// if its verdict changed, if it is being repaired, or if it is time to look its
// payment up.
func (s *inspector) triageOpen(ctx context.Context, c *candidate, cases int, result *inspection) bool {
	now := s.Now()
	if c.handled.Covers(c.open.Verdict) {
		seen := assessment{Case: s.caseOf(ctx, *c, now), Ending: incident.EndHandled}
		seen.Case.HandledBy, seen.Case.Note = c.handled.By, c.handled.Note
		result.observed[c.Session.ID] = seen
		return false
	}
	unchanged := c.open.Verdict == c.Verdict && s.alertable(c.Observation)
	c.askStripe = unchanged && s.dueForRecheck(c.open, cases, now) && s.stripe.lookups.AllowN(now, 1)
	if unchanged && !c.askStripe && c.Job == store.JobNone {
		result.observed[c.Session.ID] = assessment{Case: s.caseOf(ctx, *c, now), ToAlert: true}
		return false
	}
	return true
}

// triageNew reports whether a session that is in no incident is to be examined. If
// not it logs why, and requeues the session if time alone may change that.
func (s *inspector) triageNew(ctx context.Context, c *candidate, result *inspection) bool {
	now, known := s.Now(), s.snapshot()
	reason := s.triage(*c, known.state)
	switch {
	case c.Verdict == diagnosis.VerdictLost && known.sessions <= 0:
		result.requeueAt(c.Session.ID, now.Add(max(s.Timings.Requeue, s.Interval)))
		reason = incident.AwaitsSweep
	case c.awaitsPayment():
		if c.askStripe = s.Payments != nil && s.stripe.lookups.AllowN(now, 1); c.askStripe {
			return true
		}
		result.requeueAt(c.Session.ID, now.Add(s.stripeInterval()))
		reason = incident.AwaitsPayment
	case reason == incident.InTrouble:
		c.askStripe = s.Payments != nil && s.stripe.lookups.AllowN(now, 1)
		return true
	case reason == incident.InBacklog:
		s.backlog.add(s.caseOf(ctx, *c, now))
	default:
		if at := nextInspection(c.Observation, s.Limits); at.After(now) {
			result.requeueAt(c.Session.ID, at)
		}
		if c.paid != nil && paymentFinal(c.Verdict) {
			result.forget = append(result.forget, c.Session.ID)
		}
	}
	s.logSkipped(ctx, *c, reason)
	return false
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
	evidence, err := s.evidence(ctx, read, func(context.Context, []string) (map[string]store.Payment, error) {
		return s.stripe.payments(ids, known, open), nil
	})
	if err != nil {
		return nil, err
	}
	now, siteLayout := s.Now(), s.SiteLayout(ctx)
	candidates := make([]*candidate, len(read))
	for n, e := range evidence {
		id := e.Session.ID
		e.SiteLayout = siteLayout
		if paid := known[id].Paid; paid != nil && paid.EventID != "" { // every checkout that was paid has the one that replay sends
			e.Event = store.Event{ID: paid.EventID, Created: paid.EventAt, Completed: true}
		}
		candidates[n] = &candidate{
			Observation: sweep.Observation{Evidence: e, Diagnosis: diagnosis.Diagnose(e, now, s.Limits)},
			paid:        known[id].Paid, dismissed: known[id].Dismissed, handled: known[id].Handled, open: open[id],
		}
	}
	return candidates, nil
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
	var group errgroup.Group
	group.SetLimit(maxExaminations)
	errs := make([]error, len(suspects))
	for n, c := range suspects {
		c.Job = jobs[c.Session.ID]
		group.Go(func() error {
			errs[n] = catchPanic(func() error { return s.complete(ctx, c) })
			return nil
		})
	}
	_ = group.Wait() // each error concerns one session
	for n, c := range suspects {
		if errs[n] != nil {
			s.Log.WarnContext(ctx, "session not examined, will retry", "session_suffix", suffix(c.Session.ID), "error", errs[n])
			s.Metrics.Skipped(string(incident.NotExamined))
			result.requeueAt(c.Session.ID, s.Now().Add(s.Timings.Requeue))
		} else if err := s.conclude(ctx, *c, repairs[c.Session.ID], result); err != nil {
			return err
		}
	}
	return nil
}

// complete adds what is looked up for suspects only: the payment at Stripe, all files
// that were ever seen finished for the session, and of a case its last repair.
func (s *inspector) complete(ctx context.Context, c *candidate) error {
	if c.askStripe {
		c.checked = s.Now()
	}
	if c.askStripe && s.Payments != nil {
		c.Payment = s.stripe.lookUp(ctx, *c)
	}
	ref := c.Session.FileRef(s.Now())
	record, err := s.Files.Known(ctx, ref)
	c.File, c.Finished = record.File, record.Finished
	c.APIProven = c.File.State == store.FileMissing && s.proven(ctx, ref.Created)
	if err != nil || c.open == nil {
		return err
	}
	return s.completeRepair(ctx, c)
}

// conclude diagnoses a session by the complete evidence.
func (s *inspector) conclude(ctx context.Context, c candidate, repair store.Action, result *inspection) error {
	id, key, now := c.Session.ID, incident.TroubleKey(c.Diagnosis), s.Now()
	c.Diagnosis = diagnosis.Diagnose(c.Evidence, now, s.Limits)
	o := assessment{
		Case:    s.caseOf(ctx, c, now),
		ToAlert: s.alertable(c.Observation) && !expired(c.Diagnosis, now),
	}
	if c.open != nil {
		o.Ending = c.endingOf(repair, s.markedByRepair(c.Observation))
	}
	o.Case.Checked = c.checked
	result.observed[id] = o
	switch {
	case o.ToAlert:
	case c.open == nil:
		reason, again := c.conclusion(s.stripeInterval(), now)
		s.logSkipped(ctx, c, reason)
		if again == 0 {
			return s.Records.Dismiss(ctx, id, key, dismissalLife)
		}
		result.requeueAt(id, now.Add(again))
	case o.Ending == "":
		s.logSkipped(ctx, c, incident.EndingUnknown)
		result.requeueAt(id, now.Add(s.stripeInterval()))
	}
	return nil
}
