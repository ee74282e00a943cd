package watch

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/superduperai/sessionbot/store"
)

const (
	roundSize = 200 // sessions per round
	// maxExaminations is how many sessions are examined at the same time.
	maxExaminations = 8
	// dismissalLife is how long a session that was examined, and needs nobody, is
	// not examined again while it is in the same trouble.
	dismissalLife = time.Hour
)

// inspector inspects the sessions on the due list.
type inspector struct{ *term }

// inspectDue inspects the sessions that are due, until none is.
func (s *inspector) inspectDue(ctx context.Context) error {
	for ctx.Err() == nil {
		n, err := s.round(ctx)
		if err != nil || n < roundSize {
			return err
		}
	}
	return nil
}

// round inspects some of the sessions that are due, and updates the incidents. A
// session leaves the due list only when that is stored.
func (s *inspector) round(ctx context.Context) (int, error) {
	dues, err := s.Records.Due(ctx, s.Now(), roundSize)
	if err != nil {
		return 0, err
	}
	if len(dues) == 0 {
		return 0, s.backlog.publish(ctx)
	}
	ids := make([]string, len(dues))
	for n, d := range dues {
		ids[n] = d.Session
	}
	open, err := s.incidents.list(ctx)
	if err != nil {
		return 0, err
	}
	result, err := s.inspect(ctx, ids, membersOf(open))
	if err != nil {
		return 0, err
	}
	if err := s.incidents.assign(ctx, open, result.observed); err != nil {
		return 0, err
	}
	if err := s.Records.Looked(ctx, dues); err != nil {
		return 0, err
	}
	wake(s.incidents.news)
	if err := s.Records.ForgetPaid(ctx, result.forget); err != nil {
		return 0, err
	}
	return len(dues), s.Records.Put(ctx, result.requeue...)
}

// inspection is the outcome of a round.
type inspection struct {
	observed map[string]Observation
	forget   []string // sessions whose payment need not be remembered
	requeue  []store.Due
}

// inspect diagnoses all sessions quickly, and examines those that seem to have
// got into trouble, or out of it.
func (s *inspector) inspect(ctx context.Context, ids []string, members map[string]member) (inspection, error) {
	result := inspection{observed: map[string]Observation{}}
	state, err := s.Records.State(ctx)
	if err != nil {
		return result, err
	}
	candidates, err := s.diagnose(ctx, ids, members)
	if err != nil {
		return result, err
	}
	now := s.Now()
	var examine []candidate
	for _, c := range candidates {
		s.sweeper.Written(c.id) // whoever enqueued it may know of a change
		verdict := c.diagnosis.Verdict
		unchanged := c.open && c.member.kind == store.IncidentKind(verdict) && s.alerts(verdict) && !s.repaired(verdict, c.session)
		switch {
		case verdict == store.VerdictLost && !c.open && s.known().sessions <= 0:
			s.logSkipped(ctx, c, awaitsSweep)
			result.requeue = append(result.requeue, store.Due{Session: c.id, At: now.Add(max(s.Timings.Requeue, s.Interval))})
			continue
		case unchanged && !(s.dueForRecheck(c.member.Case, len(members), now) && s.stripe.lookups.AllowN(now, 1)):
			result.observed[c.id] = Observation{Case: s.caseOf(ctx, c, now), Alerted: true}
			continue
		case c.open:
			c.lookUp = unchanged
			examine = append(examine, c)
			continue
		}
		reason := s.triage(c, state)
		switch reason {
		case inTrouble:
			examine = append(examine, c)
			continue
		case inBacklog:
			s.backlog.add(s.caseOf(ctx, c, now))
		case notAlerted, markedByRepair:
			if c.paid != nil && forgetPayment(verdict) {
				result.forget = append(result.forget, c.id)
			}
			if at := nextInspection(c, s.Limits); at.After(now) {
				result.requeue = append(result.requeue, store.Due{Session: c.id, At: at})
			}
		}
		s.logSkipped(ctx, c, reason)
	}
	return result, s.examineAll(ctx, examine, &result)
}

// diagnose reads sessions, and diagnoses them by what is known without asking
// anybody.
func (s *inspector) diagnose(ctx context.Context, ids []string, members map[string]member) ([]candidate, error) {
	sessions, err := s.Product.Sessions(ctx, ids)
	if err != nil {
		return nil, err
	}
	known, err := s.Records.Known(ctx, ids)
	if err != nil {
		return nil, err
	}
	candidates, payments := make([]candidate, len(sessions)), map[string]store.Payment{}
	for n, session := range sessions {
		k, m := known[session.ID], members[session.ID]
		c := candidate{id: session.ID, session: session, paid: k.Paid, dismissed: k.Dismissed, member: m, open: m.Case != nil && m.Gone.IsZero()}
		c.payment = s.stripe.payment(c)
		candidates[n], payments[c.id] = c, c.payment
	}
	evidence, err := s.evidence(ctx, sessions, func(context.Context, []string) (map[string]store.Payment, error) { return payments, nil })
	if err != nil {
		return nil, err
	}
	now := s.Now()
	for n := range candidates {
		candidates[n].session = evidence[n].Session
		candidates[n].diagnosis = store.Diagnose(evidence[n], now, s.Limits)
	}
	return candidates, nil
}

// evidence returns what is known of sessions besides their keys.
func (t *term) evidence(ctx context.Context, sessions []store.Session, payments store.KnownPayments) ([]store.Evidence, error) {
	sources := store.Sources{Files: t.Files, Jobs: t.Ledger, Limits: t.Limits, Now: t.Now,
		Proven: func(_ context.Context, created time.Time) bool { return t.known().proven.Covers(t.APIURL, created) }}
	return sources.Evidence(ctx, sessions, payments)
}

// examineAll examines sessions, several at a time.
func (s *inspector) examineAll(ctx context.Context, candidates []candidate, result *inspection) error {
	if len(candidates) == 0 {
		return nil
	}
	repairs, err := s.Ledger.Repaired(ctx, s.Now().Add(-48*time.Hour))
	if err != nil {
		return err
	}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxExaminations)
	for _, c := range candidates {
		c.lookUp = c.lookUp || s.Payments != nil && !c.open && s.stripe.lookups.AllowN(s.Now(), 1)
		group.Go(func() error {
			return contained(func() error {
				checked := time.Time{}
				if c.lookUp {
					checked = s.Now()
				}
				if c.lookUp && s.Payments != nil {
					c.payment = s.stripe.lookUp(ctx, c)
				}
				x := s.Examiner.ExaminePaid(ctx, c.payment)
				mu.Lock()
				defer mu.Unlock()
				return s.conclude(ctx, c, x, checked, repairs[c.id], result)
			})
		})
	}
	return group.Wait()
}

// conclude adds the outcome of an examination to the round's.
func (s *inspector) conclude(ctx context.Context, c candidate, x store.Examination, checked time.Time, repair store.Action, result *inspection) error {
	if x.RedisSilent || x.JobErr != nil {
		s.logSkipped(ctx, c, unreadable)
		result.requeue = append(result.requeue, store.Due{Session: c.id, At: s.Now().Add(s.Timings.Requeue)})
		return nil
	}
	key := dismissalKey(c.diagnosis)
	c.diagnosis, c.payment = x.Diagnosis, x.Payment
	repaired := s.repaired(x.Verdict, x.Session)
	o := Observation{
		Case:    s.caseOf(ctx, c, x.At),
		Alerted: s.alerts(x.Verdict) && !repaired && !expired(x),
		Ending:  endingOf(x, c.member.kind, repair, repaired),
	}
	o.Case.Checked = checked
	result.observed[c.id] = o
	switch {
	case o.Alerted:
	case !c.open:
		s.logSkipped(ctx, c, notConfirmed)
		return s.Records.Dismiss(ctx, c.id, key, dismissalLife)
	case o.Ending == "":
		s.logSkipped(ctx, c, endingUnknown)
		result.requeue = append(result.requeue, store.Due{Session: c.id, At: s.Now().Add(s.stripeInterval())})
	}
	return nil
}

// caseOf returns the session as an incident shows it.
func (s *inspector) caseOf(ctx context.Context, c candidate, now time.Time) store.Case {
	d := c.diagnosis
	result := store.Case{
		ID: c.id, Verdict: d.Verdict, At: troubleSince(d), Allowed: d.Allowed, Shows: d.Deliver != "", Payment: c.payment.State,
		Amount: c.payment.Amount, Currency: c.payment.Currency, Live: c.payment.Live,
	}
	if !unheard(store.IncidentKind(d.Verdict)) || c.paid == nil {
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
