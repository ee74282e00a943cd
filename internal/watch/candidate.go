package watch

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/sweep"
	"github.com/superduperai/sessionbot/store/watchstate"
)

const (
	recheckAfter = 10 * time.Minute // the least time between two lookups of one open case at Stripe
	expiryMargin = 24 * time.Hour   // a session counts as expired this long before its keys expire
)

// candidate is a session that may be, or is, in trouble.
type candidate struct {
	sweep.Observation
	paid      *store.Paid       // from Stripe's lists; nil = not listed
	dismissed string            // the incident.TroubleKey of its last examination, if that found no need to alert it
	handled   *incident.Handled // elsewhere, by an operator; nil = no one
	open      *incident.Case    // in an incident; nil = it is in none
	askStripe bool              // about its payment, once it is examined
	checked   time.Time         // when that was done

	repair       *incident.Repair // of a session in an incident, that is under way or unclear
	repairFailed bool             // the last one, since the session joined the incident
}

// suffix returns the end of a session's id, for the log: the whole id opens the customer's
// page.
func suffix(id string) string { return id[max(0, len(id)-8):] }

// logSkipped logs and counts why a session is not alerted.
func (w *Watch) logSkipped(ctx context.Context, c candidate, reason incident.Disposition) {
	w.Log.LogAttrs(ctx, slog.LevelDebug, "session not alerted", slog.String("session_suffix", suffix(c.Session.ID)),
		slog.String("verdict", string(c.Verdict)), slog.String("reason", string(reason)))
	if reason != incident.NotInTrouble {
		w.Metrics.Skipped(string(reason))
	}
}

// rules are those of the configuration.
func (w *Watch) rules() incident.Rules {
	return incident.Rules{AlertOn: w.AlertOn, FixTexts: w.FixTexts, Stripe: w.Stripe != nil}
}

// triage decides whether a session outside any incident is examined; see Rules.Triage.
func (w *Watch) triage(c candidate, state watchstate.State) incident.Disposition {
	return w.rules().Triage(c.Evidence, c.Diagnosis, incident.Known{Dismissed: c.dismissed, Handled: c.handled}, state)
}

// alertable reports whether a session like this is alerted.
func (w *Watch) alertable(o sweep.Observation) bool { return w.rules().Alerts(o.Session, o.Verdict) }

// markedByRepair reports whether a repair of ours marked the session as error.
func (w *Watch) markedByRepair(o sweep.Observation) bool {
	return incident.IsMarkedByRepair(o.Session, o.Verdict, w.FixTexts)
}

// notStarted reports whether the site never reacted to the payment.
func notStarted(v diagnosis.Verdict) bool {
	return v == diagnosis.VerdictOrphaned || v == diagnosis.VerdictLost
}

// paymentFinal reports whether the payment cannot change the verdict any more.
func paymentFinal(v diagnosis.Verdict) bool {
	return slices.Contains([]diagnosis.Verdict{diagnosis.VerdictCompleted, diagnosis.VerdictUnpaid, diagnosis.VerdictAbandoned, diagnosis.VerdictNotFound}, v)
}

// nextInspection returns when time alone turns what is normal now into trouble,
// plus a millisecond; zero = never.
func nextInspection(o sweep.Observation, limits diagnosis.Thresholds) time.Time {
	switch {
	case o.Verdict == diagnosis.VerdictWaiting && !o.PaidAt.IsZero():
		return o.PaidAt.Add(limits.OrphanGrace + time.Millisecond)
	case o.Verdict == diagnosis.VerdictProcessing && !o.Since.IsZero() && o.Session.FileID() == "":
		return o.Since.Add(limits.OrphanGrace + time.Millisecond)
	}
	return time.Time{} // a file in progress is up to the file checker
}

// dueForRecheck reports whether the payment of an open case is to be looked up
// again, as only Stripe has refunds. The more cases there are, the longer the
// interval.
func (w *Watch) dueForRecheck(c *incident.Case, cases int, now time.Time) bool {
	return now.Sub(cmp.Or(c.Checked, c.Found)) >= max(recheckAfter, time.Duration(cases)*w.stripeInterval()/lookupsPerPoll)
}

// expired reports whether Redis dropped the session because of its age: what was
// alerted as an orphan a month ago is not news as a lost session.
func expired(d diagnosis.Diagnosis, now time.Time) bool {
	return d.Verdict == diagnosis.VerdictLost && now.Sub(incident.TroubleSince(d)) > store.KeyLife-expiryMargin
}

// endingOf returns how a session left the verdict that it had in its incident; "" =
// it did not, or that is not known yet. One whose repair failed is still to be put
// right.
func (c *candidate) endingOf(repair store.Action, marked bool) incident.Ending {
	switch v := c.Verdict; {
	case v == diagnosis.VerdictUnchecked && !notStarted(c.open.Verdict): // the state of its file is not known yet
		return ""
	case c.Job == store.JobRunning || v == diagnosis.VerdictUnclear || v == diagnosis.VerdictWaiting:
		return ""
	case v == diagnosis.VerdictRefunded:
		return incident.EndRefunded
	case marked:
		return incident.EndFixed
	case v == diagnosis.VerdictFailed && c.repairFailed:
		return ""
	case v == diagnosis.VerdictUnpaid || v == diagnosis.VerdictAbandoned:
		return incident.EndUnpaid
	case v == diagnosis.VerdictNotFound || c.Session.Layout() == store.LayoutNone:
		return incident.EndGone
	case repair == store.ActionGenerate:
		return incident.EndGenerated
	case repair == store.ActionReplay:
		return incident.EndReplayed
	case repair == store.ActionFix && v == diagnosis.VerdictCompleted:
		return incident.EndShown
	case c.Session.Status() != store.StatusNone && v != diagnosis.VerdictCorrupt:
		return incident.EndLate
	}
	return incident.EndOther
}
