package incident

import (
	"slices"
	"time"

	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/watchstate"
)

// AlertState says whether an alert was sent for a session. The values are public.
type AlertState string

// The states.
const (
	Alerted      AlertState = "alerted"     // a message shows it
	AlertPending AlertState = "pending"     // it is to be alerted, unless it recovers before
	NotAlerted   AlertState = "not_alerted" // for the reason given
	AlertUnknown AlertState = "unknown"     // the records could not be read
)

// Reasons that are about alerts as a whole.
const (
	AlertsOff          Disposition = "alerts_off"       // no ALERT_CHANNEL is set
	NotWatching        Disposition = "not_watching"     // no sweep has gone through lately
	NotPosted          Disposition = "not_posted"       // Slack has not taken the message yet
	JoinedAcknowledged Disposition = "acknowledged"     // it joined an acknowledged incident: no one was notified again
	JoinedSnoozed      Disposition = "snoozed"          // it joined a snoozed incident, likewise
	RecordsNotRead     Disposition = "records_not_read" // the bot's own Redis did not answer
)

// watchedWithin, or three pauses between sweeps if those are longer, is the maximum age of
// the last sweep: beyond it, monitoring counts as down.
const watchedWithin = time.Hour

// AlertStatus says whether an alert was sent for a session, and if not why.
type AlertStatus struct {
	State     AlertState
	Reason    Disposition // "" = it was alerted as usual
	At        time.Time   // of the alert, or of what the reason names: when it is due, since when; zero = not known
	By        string      // who handled, acknowledged or snoozed it
	Permalink string      // of the alert, "" = not known
}

// Recorded is what the bot's own records hold of a session and of the watch.
type Recorded struct {
	Known     Known
	Incidents []Incident // those that are not over
	State     watchstate.State
	AlertsOn  bool // alerts are on in this process
	Err       error
}

// Explain says whether an alert was sent for a session, and if not why.
func (r Rules) Explain(e diagnosis.Evidence, d diagnosis.Diagnosis, limits diagnosis.Thresholds, rec Recorded, now time.Time) AlertStatus {
	if rec.Err != nil {
		return AlertStatus{State: AlertUnknown, Reason: RecordsNotRead}
	}
	if in, c, err := CaseIn(rec.Incidents, e.Session.ID); err == nil && (c.Gone.IsZero() || !d.Verdict.InTrouble()) {
		return in.alertStatus(c, now)
	}
	reason := r.Triage(e, d, rec.Known, rec.State)
	if reason == NotInTrouble {
		return AlertStatus{State: NotAlerted, Reason: reason}
	}
	if now.Sub(rec.State.Swept) > max(watchedWithin, 3*rec.State.Pause) {
		if !rec.AlertsOn {
			return AlertStatus{State: NotAlerted, Reason: AlertsOff}
		}
		return AlertStatus{State: AlertPending, Reason: NotWatching, At: rec.State.Swept}
	}
	switch reason {
	case InTrouble, InBacklog, PaymentPending:
		return AlertStatus{State: AlertPending, Reason: reason}
	case GraceTime:
		return AlertStatus{State: AlertPending, Reason: reason, At: d.PaidAt.Add(limits.OrphanGrace)}
	case HandledElsewhere:
		return AlertStatus{State: NotAlerted, Reason: reason, At: rec.Known.Handled.At, By: rec.Known.Handled.By}
	case BacklogPublished:
		return AlertStatus{State: NotAlerted, Reason: reason, At: rec.State.Epoch}
	}
	return AlertStatus{State: NotAlerted, Reason: reason}
}

// alertStatus says how the message of the incident showed a case.
func (i *Incident) alertStatus(c Case, now time.Time) AlertStatus {
	if i.SlackMessage.TS == "" {
		return AlertStatus{State: AlertPending, Reason: NotPosted}
	}
	a := AlertStatus{State: Alerted, At: i.PostedAt, Permalink: i.Permalink}
	if c.Found.After(a.At) {
		a.At = c.Found
	}
	switch {
	case i.Snoozed != nil && i.Snoozed.At.Before(c.Found) && now.Before(i.Snoozed.Until):
		a.Reason, a.By = JoinedSnoozed, i.Snoozed.By
	case i.Acknowledged != nil && i.Acknowledged.At.Before(c.Found):
		a.Reason, a.By = JoinedAcknowledged, i.Acknowledged.By
	}
	return a
}

// CaseIn returns the incident, of these, that a session is in, or the newest one that it
// left, with its case there. ErrUnknownIncident if there is none.
func CaseIn(incidents []Incident, session string) (in Incident, found Case, err error) {
	err = ErrUnknownIncident
	for _, i := range slices.Backward(incidents) {
		n := slices.IndexFunc(i.Cases, func(c Case) bool { return c.ID == session })
		if n < 0 || i.Kind == Backlog {
			continue
		}
		if i.Cases[n].Gone.IsZero() {
			return i, i.Cases[n], nil
		}
		if err != nil {
			in, found, err = i, i.Cases[n], nil
		}
	}
	return in, found, err
}
