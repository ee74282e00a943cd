package watch

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/superduperai/sessionbot/store"
)

const (
	// recheckAfter is the least time between two lookups of one open case at Stripe.
	recheckAfter = 10 * time.Minute
	// expiryMargin is how long before Redis drops a session it counts as expired.
	expiryMargin = 24 * time.Hour
)

// candidate is a session that may be, or is, in trouble.
type candidate struct {
	id        string
	session   store.Session
	diagnosis store.Diagnosis // by Redis and the payment as it is known
	payment   store.Payment
	paid      *store.Paid // by Stripe's lists; nil = they do not name it
	member    member
	open      bool   // it is in an incident
	lookUp    bool   // its payment at Stripe
	dismissed string // the trouble in which it was examined lately, and needs nobody
}

// disposition says what becomes of a session by its quick diagnosis, and why.
type disposition string

const (
	inTrouble         disposition = "in_trouble"         // it is to be examined
	inBacklog         disposition = "in_backlog"         // from before the watch: one case of the summary
	notAlerted        disposition = "not_alerted"        // its verdict is not in ALERT_ON
	markedByRepair    disposition = "marked_by_repair"   // people know of it
	paymentUnverified disposition = "payment_unverified" // counted by the sweep, and alerted as one incident
	paymentPending    disposition = "payment_pending"    // from before the watch, and its payment is not known yet
	backlogPublished  disposition = "backlog_published"  // from before the watch, and covered by the summary
	dismissed         disposition = "dismissed"          // examined lately in the same trouble
	awaitsSweep       disposition = "awaits_sweep"       // Redis may be empty: a sweep has to tell first
	unreadable        disposition = "unreadable"         // Redis did not answer
	notConfirmed      disposition = "not_confirmed"      // the examination found no trouble
	endingUnknown     disposition = "ending_unknown"     // it is in an incident, and how it leaves is not known yet
)

// logSkipped logs why a session is not alerted.
func (w *Watch) logSkipped(ctx context.Context, c candidate, reason disposition) {
	w.Log.LogAttrs(ctx, slog.LevelDebug, "session not alerted", slog.String("session", c.id),
		slog.String("verdict", string(c.diagnosis.Verdict)), slog.String("reason", string(reason)))
}

// triage decides what becomes of a session that is in no incident.
func (w *Watch) triage(c candidate, state store.WatchState) disposition {
	old := troubleSince(c.diagnosis).Before(state.Epoch)
	switch {
	case !w.alerts(c.diagnosis.Verdict):
		return notAlerted
	case w.repaired(c.diagnosis.Verdict, c.session):
		return markedByRepair
	case old && state.HistoryTold:
		return backlogPublished
	case c.diagnosis.Verdict == store.VerdictOrphaned && c.payment.State == store.PaymentUnverified && w.Stripe != nil:
		return paymentUnverified
	case old && c.payment.Why == store.StripeNoAnswer:
		return paymentPending
	case old:
		return inBacklog
	case c.dismissed == dismissalKey(c.diagnosis):
		return dismissed
	}
	return inTrouble
}

func (w *Watch) alerts(v store.Verdict) bool { return slices.Contains(w.AlertOn, v) }

// repaired reports whether a repair of ours marked the session as error. A video
// that was finished since is news all the same.
func (w *Watch) repaired(v store.Verdict, session store.Session) bool {
	text := session.Current().Error
	return v == store.VerdictFailed && text != nil && slices.Contains(w.FixTexts, *text)
}

// troubleSince returns when the trouble began: with the payment, or with the
// status.
func troubleSince(d store.Diagnosis) time.Time {
	if unheard(store.IncidentKind(d.Verdict)) || d.Since.IsZero() {
		return d.PaidAt
	}
	return d.Since
}

// unheard reports whether the site never reacted to the payment.
func unheard(kind store.IncidentKind) bool {
	return kind == store.IncidentKind(store.VerdictOrphaned) || kind == store.IncidentKind(store.VerdictLost)
}

// dismissalKey identifies the trouble that a session is in.
func dismissalKey(d store.Diagnosis) string {
	return string(d.Verdict) + " since " + troubleSince(d).UTC().Format(time.RFC3339)
}

// forgetPayment reports whether the payment cannot change the verdict any more.
func forgetPayment(v store.Verdict) bool {
	return slices.Contains([]store.Verdict{store.VerdictCompleted, store.VerdictUnpaid, store.VerdictAbandoned, store.VerdictNotFound}, v)
}

// nextInspection returns when time alone turns what is normal now into trouble,
// plus a millisecond; zero = never.
func nextInspection(c candidate, limits store.Thresholds) time.Time {
	d := c.diagnosis
	switch {
	case d.Verdict == store.VerdictWaiting && !d.PaidAt.IsZero():
		return d.PaidAt.Add(limits.OrphanGrace + time.Millisecond)
	case d.Verdict == store.VerdictProcessing && !d.Since.IsZero() && c.session.FileID() == "":
		return d.Since.Add(limits.OrphanGrace + time.Millisecond)
	}
	return time.Time{} // a file in progress is up to the file checker
}

// dueForRecheck reports whether Stripe is to be asked about an open case again, as
// Redis does not hold refunds. The more cases there are, the longer it takes
// until each had its turn.
func (w *Watch) dueForRecheck(c *store.Case, cases int, now time.Time) bool {
	return now.Sub(cmp.Or(c.Checked, c.Found)) >= max(recheckAfter, time.Duration(cases)*w.stripeInterval()/lookupsPerPoll)
}

// expired reports whether Redis dropped the session because of its age: what was
// alerted as an orphan a month ago is not news as a lost session.
func expired(x store.Examination) bool {
	return x.Verdict == store.VerdictLost && x.At.Sub(troubleSince(x.Diagnosis)) > store.KeyLife-expiryMargin
}

// endingOf returns how a session left the trouble it was in; "" = it did not, or
// that cannot be told yet.
func endingOf(x store.Examination, kind store.IncidentKind, repair store.Action, repaired bool) store.Ending {
	switch {
	case x.Verdict == store.VerdictUnchecked && !unheard(kind): // the state of its file is not known yet
		return ""
	case x.Job == store.JobRunning || x.Verdict == store.VerdictUnclear || x.Verdict == store.VerdictWaiting:
		return ""
	case x.Verdict == store.VerdictRefunded:
		return store.EndRefunded
	case repaired:
		return store.EndFixed
	case x.Verdict == store.VerdictUnpaid || x.Verdict == store.VerdictAbandoned:
		return store.EndUnpaid
	case x.Verdict == store.VerdictNotFound || x.Session.Layout() == store.LayoutNone:
		return store.EndGone
	case repair == store.ActionGenerate:
		return store.EndGenerated
	case repair == store.ActionFix && x.Verdict == store.VerdictCompleted:
		return store.EndShown
	case x.Session.Status() != store.StatusNone && x.Verdict != store.VerdictCorrupt:
		return store.EndLate
	}
	return store.EndOther
}
