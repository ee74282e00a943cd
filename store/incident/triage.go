package incident

import (
	"slices"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/watchstate"
)

// Disposition says why a session is alerted or not. The log, the metrics and debug name
// it, so the values are public.
type Disposition string

// The dispositions.
const (
	InTrouble         Disposition = "in_trouble"         // it is to be examined, and then alerted
	NotInTrouble      Disposition = "not_in_trouble"     // its verdict needs no action
	GraceTime         Disposition = "grace_time"         // it was paid just now: the webhook may still come
	NotInAlertOn      Disposition = "not_in_alert_on"    // its verdict is not in ALERT_ON
	MarkedByRepair    Disposition = "marked_by_repair"   // by a repair that a person approved
	HandledElsewhere  Disposition = "handled"            // elsewhere, in the same trouble, by an operator
	InBacklog         Disposition = "in_backlog"         // from before the watch: one case of the summary
	BacklogPublished  Disposition = "backlog_published"  // from before the watch, and covered by the summary
	PaymentUnverified Disposition = "payment_unverified" // one incident is about all of them, if Stripe is away or of the other mode
	PaymentPending    Disposition = "payment_pending"    // from before the watch, and its payment is not known yet
	Dismissed         Disposition = "dismissed"          // examined lately in the same trouble, and found in order

	// Of sessions that were inspected or examined.
	AwaitsSweep    Disposition = "awaits_sweep"   // Redis may be empty; the next sweep finds out
	AwaitsPayment  Disposition = "awaits_payment" // by a delayed method: it is looked up at Stripe once in a while
	RepairRunning  Disposition = "repair_running" // it is inspected again when that ends
	NotSettled     Disposition = "not_settled"    // inconclusive; inspected again soon
	NotConfirmed   Disposition = "not_confirmed"  // the examination found it in order
	EndingUnknown  Disposition = "ending_unknown" // it is in an incident, and how it leaves is not known yet
	SessionExpired Disposition = "expired"        // lost because of its age: Redis drops its keys after 30 days
	NotExamined    Disposition = "not_examined"   // Redis did not answer, or the like; inspected again soon
)

// Rules say which sessions are alerted.
type Rules struct {
	AlertOn  []diagnosis.Verdict
	FixTexts []string // the error texts that repairs of ours write
	Stripe   bool     // payments can be verified
}

// Alerts reports whether a session like this is alerted.
func (r Rules) Alerts(s store.Session, v diagnosis.Verdict) bool {
	return slices.Contains(r.AlertOn, v) && !IsMarkedByRepair(s, v, r.FixTexts)
}

// Triage decides whether a session outside any incident is examined, which may then be
// alerted, and if not, why it is not alerted.
func (r Rules) Triage(e diagnosis.Evidence, d diagnosis.Diagnosis, k Known, state watchstate.State) Disposition {
	old := TroubleSince(d).Before(state.Epoch)
	switch {
	case IsMarkedByRepair(e.Session, d.Verdict, r.FixTexts):
		return MarkedByRepair
	case !slices.Contains(r.AlertOn, d.Verdict):
		return notAlerted(d.Verdict)
	case k.Handled.Covers(d.Verdict):
		return HandledElsewhere
	case old && state.BacklogNotified:
		return BacklogPublished
	case d.Verdict == diagnosis.VerdictOrphaned && e.Payment.State == store.PaymentUnverified && r.Stripe:
		return PaymentUnverified
	case old && e.Payment.Why == store.StripeNoAnswer:
		return PaymentPending
	case old:
		return InBacklog
	case k.Dismissed == TroubleKey(d):
		return Dismissed
	}
	return InTrouble
}

// notAlerted says why a verdict that ALERT_ON does not name is not alerted.
func notAlerted(v diagnosis.Verdict) Disposition {
	switch {
	case v == diagnosis.VerdictWaiting:
		return GraceTime
	case v.InTrouble():
		return NotInAlertOn
	}
	return NotInTrouble
}

// TroubleSince returns when the trouble of a session began: with the payment, or with
// the status.
func TroubleSince(d diagnosis.Diagnosis) time.Time {
	if d.Verdict == diagnosis.VerdictOrphaned || d.Verdict == diagnosis.VerdictLost || d.Since.IsZero() {
		return d.PaidAt
	}
	return d.Since
}

// TroubleKey identifies the trouble that a session is in, for Dismiss.
func TroubleKey(d diagnosis.Diagnosis) string {
	return string(d.Verdict) + " since " + TroubleSince(d).UTC().Format(time.RFC3339)
}

// IsMarkedByRepair reports whether a repair of ours marked the session as error, by the
// texts that repairs write. A video that was finished since still counts as new trouble.
func IsMarkedByRepair(s store.Session, v diagnosis.Verdict, texts []string) bool {
	text := s.Current().Error
	return v == diagnosis.VerdictFailed && text != nil && slices.Contains(texts, *text)
}
