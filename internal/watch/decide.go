package watch

import (
	"slices"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// Reason says why something is told, or not; metrics and the log name it.
type Reason string

// The reasons.
const (
	First        Reason = "first"        // a new incident
	Joined       Reason = "joined"       // more sessions
	Threshold    Reason = "threshold"    // so many sessions that a line is due
	Reminder     Reason = "reminder"     // nobody acknowledged it
	Snoozed      Reason = "snoozed"      // somebody silenced it
	Acknowledged Reason = "acknowledged" // somebody looks after it
	Resolved     Reason = "resolved"     // sessions were put right, or all of them
	Reopened     Reason = "reopened"     // it was closed, and more came
	Unverifiable Reason = "unverifiable" // Stripe is silent
	Summary      Reason = "summary"      // of what was before the watch began
	Blind        Reason = "blind"        // the watch itself fails

	FilesUnavailable Reason = "files_unavailable" // SuperDuperAI does not say how files stand
	RedisEmpty       Reason = "redis_empty"       // no session although Stripe lists sales

	Nothing Reason = "nothing"
)

// Act is what is done for a reason.
type Act int

// The acts.
const (
	None   Act = iota
	Post       // a new message
	Update     // of the message there is
	Reply      // a line in its thread
)

// Decision is what is to be told next of an incident. Mention tells whether the
// one on call is called.
type Decision struct {
	Reason  Reason
	Act     Act
	Mention bool
}

const (
	// remindAfter is the time to the first reminder; each further one takes
	// twice as long as the one before.
	remindAfter = 15 * time.Minute
	// maxDoublings keeps reminders coming at least every 32 hours.
	maxDoublings = 7
	// Window is the time after the last session within which another one joins
	// the same message. Later ones deserve a message that is seen.
	Window = time.Hour
)

// thresholds are the numbers of sessions at which a line is due.
var thresholds = []int{5, 25, 100, 500, 2500, 10_000}

// passed is the largest threshold that so many sessions reach, 0 = none.
func passed(sessions int) int {
	largest := 0
	for _, t := range thresholds {
		if sessions >= t {
			largest = t
		}
	}
	return largest
}

// Decide says what is to be told of an incident now: the most urgent thing,
// others follow when that is done. Updates of one message are at least pace apart.
func Decide(i store.Incident, now time.Time, pace time.Duration) Decision {
	nothing := Decision{Reason: Nothing}
	switch {
	case now.Before(i.NextTry):
		return nothing
	case i.Place.TS == "":
		return decidePost(i, now)
	case i.Shown < i.Revision && (hasty(i) || now.Sub(i.ShownAt) >= pace):
		return Decision{Reason: Reason(i.Change), Act: Update}
	case i.Shown < i.Revision || !i.Closed.IsZero() || !callsOut(i.Kind):
		return nothing // the message first: a line in its thread leads to it
	case i.Reopened:
		return Decision{Reason: Reopened, Act: Reply, Mention: true}
	case snoozed(i, now):
		return nothing
	case passed(len(i.Cases)) > i.Threshold:
		return Decision{Reason: Threshold, Act: Reply}
	case i.Acknowledged == nil && !now.Before(remindAt(i)):
		return Decision{Reason: Reminder, Act: Reply, Mention: true}
	}
	return nothing
}

// decidePost: what was closed before it could be told is told all the same, but
// calls nobody. Nor does what is posted anew after somebody acknowledged it, or
// while it is silenced.
func decidePost(i store.Incident, now time.Time) Decision {
	d := Decision{Reason: First, Act: Post, Mention: Calls(i) && i.Acknowledged == nil && (i.Reopened || !snoozed(i, now))}
	switch {
	case i.Kind == store.IncidentHistory:
		d.Reason = Summary
	case !i.Closed.IsZero():
		d.Reason = Resolved
	case i.Kind == store.IncidentUnverified:
		d.Reason = Unverifiable
	case i.Kind == store.IncidentBlind:
		d.Reason = Blind
	case i.Kind == store.IncidentFiles:
		d.Reason = FilesUnavailable
	case i.Kind == store.IncidentEmpty:
		d.Reason = RedisEmpty
	}
	return d
}

// Calls tells whether an incident, as it stands, calls the one on call.
func Calls(i store.Incident) bool {
	if i.Kind == store.IncidentBlind && slices.Contains(i.Parts, store.PartSweep) {
		return i.Closed.IsZero() // without sweeps nothing is found for sure; all else only makes it quicker
	}
	if i.Kind == store.IncidentEmpty { // customers' sessions are elsewhere, or gone
		return i.Closed.IsZero()
	}
	return callsOut(i.Kind) && i.Closed.IsZero()
}

// callsOut tells whether people are reminded of incidents of this kind: of
// those that are about sessions.
func callsOut(kind store.IncidentKind) bool {
	return !slices.Contains([]store.IncidentKind{
		store.IncidentUnverified, store.IncidentHistory, store.IncidentBlind, store.IncidentFiles, store.IncidentEmpty,
	}, kind)
}

// hasty tells whether somebody waits to see the change.
func hasty(i store.Incident) bool {
	return Reason(i.Change) == Acknowledged || Reason(i.Change) == Snoozed || i.Reopened || !i.Closed.IsZero()
}

func snoozed(i store.Incident, now time.Time) bool {
	return i.Snoozed != nil && now.Before(i.Snoozed.Until)
}

// remindAt is when the next reminder is due, if nobody acknowledges: after a
// snooze at its end.
func remindAt(i store.Incident) time.Time {
	last := i.PostedAt
	if i.RemindedAt.After(last) {
		last = i.RemindedAt
	}
	if i.Snoozed != nil && i.Snoozed.Until.After(last) {
		return i.Snoozed.Until
	}
	return last.Add(remindAfter << min(i.Reminders, maxDoublings))
}

// told is the incident after the decision was carried out. The revision is the
// one that was shown.
func told(i *store.Incident, d Decision, revision int64, now time.Time) {
	i.Tries, i.NextTry = 0, time.Time{}
	if d.Act != Update { // a line in the thread may be open still
		i.Posting = ""
	}
	switch d.Act {
	case Post:
		i.Shown, i.ShownAt, i.PostedAt = revision, now, now
		i.Threshold, i.Reopened = passed(len(i.Cases)), false
	case Update:
		i.Shown, i.ShownAt = revision, now
	case Reply:
		switch d.Reason {
		case Reopened:
			i.Reopened, i.RemindedAt = false, now
		case Threshold:
			i.Threshold = passed(len(i.Cases))
		case Reminder:
			i.Reminders, i.RemindedAt = i.Reminders+1, now
		}
	}
}
