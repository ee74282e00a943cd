package watch

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/superduperai/sessionbot/store"
)

const (
	// atOnce sessions are examined at the same time.
	atOnce = 8
	// asks is how many sessions Stripe is asked about one by one at once, and
	// asksPerPass how many in the long run: before somebody is called, and again
	// while the incident is open. Of the others its lists are believed, in which a
	// refund does not show.
	asks         = 10
	asksPerPass  = 2
	recheckAfter = 10 * time.Minute
	// dismissFor is how long a session that was looked at closely, and needs
	// nobody, is not looked at closely again while it stands so.
	dismissFor = time.Hour
)

// findings is what a round came to.
type findings struct {
	seen map[string]Sighting
	well []string // whose payment need not be remembered
	next []store.Due
}

// doubt is a session that has to be looked at closely.
type doubt struct {
	id      string
	quick   store.Diagnosis // by Redis and the known payment alone
	payment store.Payment
	paid    *store.Paid
	member  member
	in      bool // it is in an incident
	ask     bool // Stripe about its payment, if there is a key
}

// judge looks at sessions: quickly at all, closely at those that seem to be in
// trouble, or to be out of it.
func (s *shift) judge(ctx context.Context, ids []string, members map[string]member) (findings, error) {
	found := findings{seen: map[string]Sighting{}}
	sessions, err := store.Reader{Redis: s.Product}.Sessions(ctx, ids)
	if err != nil {
		return found, err
	}
	known, err := s.Records.Known(ctx, ids)
	if err != nil {
		return found, err
	}
	state, err := s.Records.State(ctx)
	if err != nil {
		return found, err
	}
	now := s.Now()
	doubtOf := func(id string) doubt {
		m, isMember := members[id]
		d := doubt{id: id, member: m, in: isMember && m.Gone.IsZero(), paid: known[id].Paid}
		d.payment = s.payment(d)
		return d
	}
	evidence, err := s.evidence(ctx, sessions, func(_ context.Context, ids []string) (map[string]store.Payment, error) {
		payments := make(map[string]store.Payment, len(ids))
		for _, id := range ids {
			payments[id] = doubtOf(id).payment
		}
		return payments, nil
	})
	if err != nil {
		return found, err
	}
	var doubts []doubt
	for i, session := range sessions {
		s.sweeper.Written(session.ID) // whoever had it looked at may know of a change
		d, k := doubtOf(session.ID), known[session.ID]
		m := d.member
		d.quick = store.Diagnose(evidence[i], now, s.Limits)
		alerted := s.alerted(d.quick.Verdict) && !s.fixed(d.quick.Verdict, session)
		switch {
		case d.quick.Verdict == store.VerdictLost && !d.in && s.mayBeEmpty(): // a sweep has to tell first
			found.next = append(found.next, store.Due{Session: d.id, At: now.Add(max(s.Timings.Requeue, s.Interval))})
		case alerted && d.in && m.kind == store.IncidentKind(d.quick.Verdict):
			if s.turn(m.Case, len(members), now) && s.asking.AllowN(now, 1) {
				d.ask = true
				doubts = append(doubts, d)
				continue
			}
			found.seen[d.id] = Sighting{Case: s.caseOf(ctx, d, d.quick, now), Alerted: true}
		case d.in:
			doubts = append(doubts, d)
		case alerted && since(d.quick).Before(state.Epoch):
			if !state.HistoryTold && !s.unverifiable(d) && d.payment.Why != store.StripeNoAnswer {
				s.before(s.caseOf(ctx, d, d.quick, now))
			}
		case alerted && !s.unverifiable(d) && k.Dismissed != standing(d.quick):
			doubts = append(doubts, d)
		case alerted:
		default:
			if k.Paid != nil && !paymentMatters(d.quick.Verdict) {
				found.well = append(found.well, d.id)
			}
			if at := nextLook(d.quick, session, s.Limits); at.After(now) {
				found.next = append(found.next, store.Due{Session: d.id, At: at})
			}
		}
	}
	return found, s.examine(ctx, doubts, &found)
}

// paymentMatters reports whether what is known of the payment may still decide.
func paymentMatters(v store.Verdict) bool {
	return !slices.Contains([]store.Verdict{store.VerdictCompleted, store.VerdictUnpaid, store.VerdictAbandoned, store.VerdictNotFound}, v)
}

// mayBeEmpty reports whether Redis may hold no session at all: then none is lost.
func (s *shift) mayBeEmpty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions <= 0
}

// payment is what is known of it without asking: a session that Stripe's lists
// do not name was not paid, if they can be trusted to be complete.
func (s *shift) payment(d doubt) store.Payment {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := store.Payment{SessionID: d.id, State: store.PaymentUnverified, Why: store.NoStripeKey}
	switch {
	case d.paid != nil:
		return d.paid.Payment
	case s.Stripe == nil:
	case s.OtherMode != nil && s.OtherMode(d.id):
		p.Why = store.StripeWrongMode
	case d.in && d.member.Payment != store.PaymentUnverified:
		p = store.Payment{SessionID: d.id, State: d.member.Payment, Amount: d.member.Amount, Currency: d.member.Currency,
			ChargedAt: d.member.At, Live: d.member.Live}
	case s.caughtUp:
		p.State, p.Why = store.PaymentUnpaid, ""
	default:
		p.Why = store.StripeNoAnswer
	}
	return p
}

// unverifiable tells whether all that is wrong is that Stripe does not tell: such
// sessions are counted by the sweep, and called out by nobody.
func (s *shift) unverifiable(d doubt) bool {
	return d.quick.Verdict == store.VerdictOrphaned && d.payment.State == store.PaymentUnverified && s.Stripe != nil
}

func (s *shift) alerted(v store.Verdict) bool { return slices.Contains(s.AlertOn, v) }

// fixed reports whether a repair of ours marked the session as error: people know.
// A video that was finished since is news all the same.
func (s *shift) fixed(v store.Verdict, session store.Session) bool {
	text := session.Current().Error
	return v == store.VerdictFailed && text != nil && slices.Contains(s.FixTexts, *text)
}

// since is when the trouble began: with the payment, or with the status.
func since(d store.Diagnosis) time.Time {
	if d.Verdict == store.VerdictOrphaned || d.Verdict == store.VerdictLost || d.Since.IsZero() {
		return d.PaidAt
	}
	return d.Since
}

// standing names how a session stands, shorter than by what it holds.
func standing(d store.Diagnosis) string {
	return string(d.Verdict) + " since " + since(d).UTC().Format(time.RFC3339)
}

// nextLook is when time alone turns what is normal now into trouble, zero =
// never. A millisecond later it has.
func nextLook(d store.Diagnosis, session store.Session, limits store.Thresholds) time.Time {
	switch {
	case d.Verdict == store.VerdictWaiting && !d.PaidAt.IsZero():
		return d.PaidAt.Add(limits.OrphanGrace + time.Millisecond)
	case d.Verdict == store.VerdictProcessing && !d.Since.IsZero() && session.FileID() == "":
		return d.Since.Add(limits.OrphanGrace + time.Millisecond)
	}
	return time.Time{} // of a file that is being made the check tells
}

// turn reports whether it is the turn of this session to be looked at closely, for
// what Redis does not hold: a refund. The more there are the longer it takes
// until each had its turn.
func (s *shift) turn(c *store.Case, members int, now time.Time) bool {
	return now.Sub(cmp.Or(c.Checked, c.Found)) >= max(recheckAfter, time.Duration(members)*s.passEvery()/asksPerPass)
}

// examine looks closely at sessions, several at a time.
func (s *shift) examine(ctx context.Context, doubts []doubt, found *findings) error {
	if len(doubts) == 0 {
		return nil
	}
	repaired, err := s.Ledger.Repaired(ctx, s.Now().Add(-48*time.Hour))
	if err != nil {
		return err
	}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, d := range doubts {
		d.ask = d.ask || s.Payments != nil && !d.in && s.asking.AllowN(s.Now(), 1)
		group.Go(func() error {
			return contained(func() error {
				x, checked := s.closely(ctx, d)
				mu.Lock()
				defer mu.Unlock()
				if x.RedisSilent || x.JobErr != nil {
					found.next = append(found.next, store.Due{Session: d.id, At: s.Now().Add(s.Timings.Requeue)})
					return nil
				}
				seen := Sighting{Alerted: s.alerted(x.Verdict) && !s.fixed(x.Verdict, x.Session) && !expired(x)}
				d.payment = x.Payment
				seen.Case = s.caseOf(ctx, d, x.Diagnosis, x.At)
				seen.Case.Checked = checked
				seen.Ending = ending(x, d.member.kind, repaired[d.id], s.fixed(x.Verdict, x.Session))
				if d.in && !seen.Alerted && seen.Ending == "" { // how it leaves cannot be told yet
					found.next = append(found.next, store.Due{Session: d.id, At: s.Now().Add(s.passEvery())})
				}
				if found.seen[d.id] = seen; !seen.Alerted && !d.in {
					return s.Records.Dismiss(ctx, d.id, standing(d.quick), dismissFor)
				}
				return nil
			})
		})
	}
	return group.Wait()
}

// expired tells whether Redis holds nothing because it is that long ago: what was
// told as an orphan a month ago is not news as a lost session.
func expired(x store.Examination) bool {
	return x.Verdict == store.VerdictLost && x.At.Sub(since(x.Diagnosis)) > store.KeyLife-24*time.Hour
}

// closely looks at all there is of a session, and says when that was its turn.
func (s *shift) closely(ctx context.Context, d doubt) (store.Examination, time.Time) {
	checked := time.Time{}
	if d.ask {
		checked = s.Now()
	}
	if d.ask && s.Payments != nil {
		limited, cancel := context.WithTimeout(ctx, 2*time.Second)
		p := s.Payments.Payment(limited, d.id)
		cancel()
		if p.PaidAt.IsZero() { // only Stripe's list of events tells it
			p.PaidAt = d.payment.PaidAt
		}
		if p.State != store.PaymentUnverified && p.State != store.PaymentMissing {
			s.remember(ctx, d, p)
			d.payment = p
		}
	}
	return s.Examiner.ExaminePaid(ctx, d.payment), checked
}

// remember keeps what Stripe said of one payment where it differs from what its
// lists say, such as a refund: figures go by it, too.
func (s *shift) remember(ctx context.Context, d doubt, p store.Payment) {
	if p.State == d.payment.State {
		return
	}
	paid := store.Paid{Payment: p}
	if d.paid != nil {
		paid.EventID, paid.EventAt = d.paid.EventID, d.paid.EventAt
	}
	if err := s.Records.KeepPaid(ctx, paid); err != nil {
		s.Log.DebugContext(ctx, "payment not remembered", "error", err)
	}
}

// caseOf is the session as an incident shows it.
func (s *shift) caseOf(ctx context.Context, d doubt, seen store.Diagnosis, now time.Time) store.Case {
	c := store.Case{
		ID: d.id, Verdict: seen.Verdict, At: since(seen), Allowed: seen.Allowed, Shows: seen.Deliver != "", Payment: d.payment.State,
		Amount: d.payment.Amount, Currency: d.payment.Currency, Live: d.payment.Live,
	}
	if seen.Verdict != store.VerdictOrphaned && seen.Verdict != store.VerdictLost || d.paid == nil {
		return c
	}
	c.EventID, c.EventAt = d.paid.EventID, d.paid.EventAt
	if at := since(seen); at.Before(now.Add(-listBack)) {
		return c // history, or near it: why no longer matters
	}
	state, err := s.eventOf(ctx, d.paid, now)
	if err != nil {
		s.Log.DebugContext(ctx, "Stripe does not tell of its events", "error", err)
	}
	c.Event = state
	return c
}

// ending tells how a session left the trouble it was in, "" = it cannot be told
// yet, or it did not.
func ending(x store.Examination, kind store.IncidentKind, repaired store.Action, fixed bool) store.Ending {
	unheard := kind == store.IncidentKind(store.VerdictOrphaned) || kind == store.IncidentKind(store.VerdictLost)
	switch {
	case x.Verdict == store.VerdictUnchecked && !unheard: // what became of its file is not known yet
		return ""
	case x.Job == store.JobRunning || x.Verdict == store.VerdictUnclear || x.Verdict == store.VerdictWaiting:
		return ""
	case x.Verdict == store.VerdictRefunded:
		return store.EndRefunded
	case fixed:
		return store.EndFixed
	case x.Verdict == store.VerdictUnpaid || x.Verdict == store.VerdictAbandoned:
		return store.EndUnpaid
	case x.Verdict == store.VerdictNotFound || x.Session.Layout() == store.LayoutNone:
		return store.EndGone
	case repaired == store.ActionGenerate:
		return store.EndGenerated
	case repaired == store.ActionFix && x.Verdict == store.VerdictCompleted:
		return store.EndShown
	case x.Session.Status() != store.StatusNone && x.Verdict != store.VerdictCorrupt:
		return store.EndLate
	}
	return store.EndOther
}
