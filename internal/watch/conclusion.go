package watch

import (
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
)

// paymentInterval is the time between two lookups of a delayed payment: it takes days.
const paymentInterval = time.Hour

// awaitsPayment reports whether the customer pays by a delayed method, such as a debit,
// and nothing was started yet. That it succeeded may be known from a lookup alone:
// Stripe may have made no event, or not let the key list it, and its sessions are listed
// by when they began.
func (c *candidate) awaitsPayment() bool {
	if c.Verdict != diagnosis.VerdictUnpaid || c.paid == nil || !c.paid.Delayed() {
		return false
	}
	return !c.paid.Payment.OtherSale || c.Session.Layout() != store.LayoutNone
}

// conclusion says why an examined session that is in no incident is not alerted, and
// when it is to be inspected again, 0 = not before it changes. What may pass without a
// change of the session, such as a repair, silences it no longer than it lasts.
func (c *candidate) conclusion(soon time.Duration, now time.Time) (reason incident.Disposition, again time.Duration) {
	if expired(c.Diagnosis, now) {
		return incident.SessionExpired, 0
	}
	switch c.Verdict {
	case diagnosis.VerdictUnpaid:
		if c.Payment.Failed {
			return incident.NotConfirmed, 0
		}
		return incident.AwaitsPayment, paymentInterval
	case diagnosis.VerdictProcessing, diagnosis.VerdictUnclear:
		if c.Job == store.JobRunning {
			return incident.RepairRunning, soon
		}
		return incident.NotSettled, soon
	case diagnosis.VerdictWaiting, diagnosis.VerdictUnchecked:
		return incident.NotSettled, soon
	}
	return incident.NotConfirmed, 0
}
