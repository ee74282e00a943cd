package watch

import (
	"slices"
	"time"

	"github.com/superduperai/sessionbot/store/incident"
)

// Reason says why a notification is due; metrics and the log name it.
type Reason string

// The reasons for a notification.
const (
	First        Reason = "first"      // a new incident
	Joined       Reason = "joined"     // more sessions, or their details changed
	Threshold    Reason = "threshold"  // the number of sessions passed a threshold
	Reminder     Reason = "reminder"   // it is not acknowledged
	Unresolved   Reason = "unresolved" // it is acknowledged, and customers still wait
	Escalated    Reason = "escalated"  // the reminders are unanswered
	Snoozed      Reason = "snoozed"
	SnoozeEnded  Reason = "snooze_ended"
	Acknowledged Reason = "acknowledged"
	Resolved     Reason = "resolved"     // sessions recovered
	Reopened     Reason = "reopened"     // it was closed, and more sessions came
	Unverifiable Reason = "unverifiable" // Stripe does not answer
	Summary      Reason = "summary"      // of the backlog from before the watch began
	Degraded     Reason = "blind"        // the watch itself fails; the value is public

	FilesUnavailable Reason = "files_unavailable" // SuperDuperAI does not answer
	RedisEmpty       Reason = "redis_empty"       // no session although Stripe lists sales
	Digest           Reason = "digest"            // of the day before

	Nothing Reason = "nothing"
)

// Act is the kind of a notification.
type Act int

// The kinds of notifications.
const (
	None   Act = iota
	Post       // a new message
	Update     // of the message there is
	Reply      // a line in its thread
)

// Recipient is the person whom a notification mentions.
type Recipient int

// The people.
const (
	Nobody Recipient = iota
	OnCall
	Owner    // who acknowledged the incident
	Escalate // who is called if nobody answers
)

// Decision is the notification that an incident needs next.
type Decision struct {
	Reason  Reason
	Act     Act
	Mention Recipient
}

// Policy configures Decide.
type Policy struct {
	MinInterval time.Duration // between two updates of one message
	Escalates   bool          // an escalation contact is configured
}

const (
	// remindAfter is the time to the first reminder; each further one takes
	// twice as long as the one before.
	remindAfter = 15 * time.Minute
	// remindOwnerAfter is likewise from the acknowledgement on.
	remindOwnerAfter = time.Hour
	// maxDoublings keeps reminders coming at least every 32 hours.
	maxDoublings = 7
	// Window is the time after the last session within which another one joins
	// the same incident. Later ones get a new message, so that people notice.
	Window = time.Hour
)

// thresholds are the numbers of sessions at which a reply in the thread is due.
var thresholds = []int{5, 25, 100, 500, 2500, 10_000}

// thresholdReached returns the largest threshold that a number of sessions
// reaches, 0 = none.
func thresholdReached(sessions int) int {
	for _, t := range slices.Backward(thresholds) {
		if sessions >= t {
			return t
		}
	}
	return 0
}

// Decide returns the most urgent notification that an incident needs; others
// follow once that is delivered.
func Decide(i incident.Incident, now time.Time, p Policy) Decision {
	nothing := Decision{Reason: Nothing}
	switch {
	case now.Before(i.NextTry):
		return nothing
	case i.SlackMessage.TS == "":
		return decidePost(i, now)
	case i.Shown < i.Revision && (isUrgent(i) || now.Sub(i.ShownAt) >= p.MinInterval):
		return Decision{Reason: Reason(i.Change), Act: Update}
	case i.Shown < i.Revision || !i.Closed.IsZero() || !aboutSessions(i.Kind):
		return nothing // the message first: a reply leads to it
	case i.Reopened:
		return Decision{Reason: Reopened, Act: Reply, Mention: OnCall}
	case snoozed(i, now):
		return nothing
	case snoozeEnded(i, now):
		return Decision{Reason: SnoozeEnded, Act: Reply, Mention: reminderRecipient(i)}
	case thresholdReached(len(i.Cases)) > i.Threshold:
		return Decision{Reason: Threshold, Act: Reply}
	case p.Escalates && escalates(i, now):
		return Decision{Reason: Escalated, Act: Reply, Mention: Escalate}
	case now.Before(remindAt(i)):
		return nothing
	case i.Acknowledged != nil:
		return Decision{Reason: Unresolved, Act: Reply, Mention: Owner}
	}
	return Decision{Reason: Reminder, Act: Reply, Mention: OnCall}
}

// reminderRecipient returns the person whom a reminder mentions.
func reminderRecipient(i incident.Incident) Recipient {
	if i.Acknowledged != nil {
		return Owner
	}
	return OnCall
}

// decidePost posts an incident even if it was closed before, then without a mention. A
// message that replaces one of an acknowledged or snoozed incident mentions no one either.
func decidePost(i incident.Incident, now time.Time) Decision {
	d := Decision{Reason: First, Act: Post}
	if Calls(i) && i.Acknowledged == nil && (i.Reopened || !snoozed(i, now)) {
		d.Mention = OnCall
	}
	if !aboutSessions(i.Kind) {
		d.Reason = otherKinds[i.Kind]
	}
	if !i.Closed.IsZero() && i.Kind != incident.Backlog {
		d.Reason = Resolved
	}
	return d
}

// Calls reports whether the message of an incident mentions the person on call:
// while it is open, if it has sessions, if Redis holds none, or if sweeps or
// inspections fail. Whatever else fails only delays what a sweep finds.
func Calls(i incident.Incident) bool {
	urgent := aboutSessions(i.Kind) || i.Kind == incident.NoSessions ||
		i.Kind == incident.Degraded && incident.Unwatched(i.Parts)
	return urgent && i.Closed.IsZero()
}

// otherKinds are the kinds of incidents without sessions, with the reason for the
// notification that shows one.
var otherKinds = map[incident.Kind]Reason{
	incident.Backlog: Summary, incident.PaymentsUnverified: Unverifiable, incident.Degraded: Degraded,
	incident.FilesUnchecked: FilesUnavailable, incident.NoSessions: RedisEmpty, incident.Digest: Digest,
}

// aboutSessions reports whether incidents of a kind hold sessions in trouble, and so are
// worth a reminder.
func aboutSessions(kind incident.Kind) bool { return otherKinds[kind] == "" }

// isUrgent reports whether a person is waiting to see the change.
func isUrgent(i incident.Incident) bool {
	return Reason(i.Change) == Acknowledged || Reason(i.Change) == Snoozed || i.Reopened || !i.Closed.IsZero()
}

func snoozed(i incident.Incident, now time.Time) bool {
	return i.Snoozed != nil && now.Before(i.Snoozed.Until)
}

// markDelivered updates an incident after a notification was delivered, which
// showed the revision.
func markDelivered(i *incident.Incident, d Decision, revision int64, now time.Time) {
	i.Tries, i.NextTry = 0, time.Time{}
	if d.Act != Update { // the outcome of a reply may be unknown still
		i.Posting = ""
	}
	switch {
	case d.Act == Post:
		i.Shown, i.ShownAt, i.PostedAt = revision, now, now
		i.Threshold, i.Reopened = thresholdReached(len(i.Cases)), false
	case d.Act == Update:
		i.Shown, i.ShownAt = revision, now
	case d.Reason == Reopened:
		i.Reopened, i.RemindedAt = false, i.PostingAt
	case d.Reason == Threshold:
		i.Threshold = thresholdReached(len(i.Cases))
	case d.Reason == Escalated:
		i.EscalatedAt = now
	case d.Reason == Reminder, d.Reason == Unresolved, d.Reason == SnoozeEnded:
		markReminded(i, d.Reason, now)
	}
}
