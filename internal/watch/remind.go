package watch

import (
	"slices"
	"time"

	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
)

// answerWithin is how long people have to answer a reminder before it counts as
// unanswered.
const answerWithin = 15 * time.Minute

// remindAt returns when the next reminder is due: of the person who acknowledged the incident,
// else of the person on call.
func remindAt(i incident.Incident) time.Time {
	last := later(i.PostedAt, i.RemindedAt)
	if a := i.Acknowledged; a != nil {
		return later(last, a.At).Add(remindOwnerAfter << min(i.OwnerReminders, maxDoublings))
	}
	return last.Add(remindAfter << min(i.Reminders, maxDoublings))
}

// snoozeEnded reports whether a snooze ended and no reminder was sent since.
func snoozeEnded(i incident.Incident, now time.Time) bool {
	return i.Snoozed != nil && !now.Before(i.Snoozed.Until) && i.RemindedAt.Before(i.Snoozed.Until)
}

// escalates reports whether the last two reminders are unanswered, and the incident was not
// escalated before: since the first of them there was no click, reply in the thread or
// repair.
func escalates(i incident.Incident, now time.Time) bool {
	first, second := i.RemindedBefore, i.RemindedAt
	return i.EscalatedAt.IsZero() && !first.IsZero() && first.After(lastActive(i)) && now.Sub(second) >= answerWithin
}

// lastActive returns the time of the last known activity on an incident.
func lastActive(i incident.Incident) time.Time {
	last := i.ActiveAt
	for _, a := range []*incident.Acknowledgement{i.Acknowledged, i.Snoozed} {
		if a != nil {
			last = later(last, a.At)
		}
	}
	return last
}

// repairedAt returns when a session was last repaired, or handled elsewhere, according to the
// change of its case; zero = it was not.
func repairedAt(before, after *incident.Case, now time.Time) time.Time {
	ended := after.Ending != before.Ending && slices.Contains(endingsByPeople, after.Ending)
	failed := after.Verdict != before.Verdict && after.Verdict == diagnosis.VerdictFailed
	switch {
	case after.Repair != nil && !after.Repair.Same(before.Repair):
		return after.Repair.Since
	case before.Repair == nil && (ended || failed): // it was too short to be seen
		return now
	}
	return time.Time{}
}

var endingsByPeople = []incident.Ending{incident.EndGenerated, incident.EndReplayed, incident.EndFixed, incident.EndShown, incident.EndHandled}

// markReminded updates an incident after a reminder, which the end of a snooze is, too.
func markReminded(i *incident.Incident, why Reason, now time.Time) {
	if i.Reminders+i.OwnerReminders > 0 { // else the last line was no reminder
		i.RemindedBefore = i.RemindedAt
	}
	i.RemindedAt = i.PostingAt // who answers at once does so before now
	if i.Acknowledged != nil {
		i.OwnerReminders++
	} else {
		i.Reminders++
	}
	if why == SnoozeEnded && !snoozed(*i, now) { // nor was it snoozed again meanwhile
		i.Snoozed = nil
		i.Changed(string(SnoozeEnded))
	}
}
