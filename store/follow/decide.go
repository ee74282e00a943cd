package follow

import (
	"time"

	"github.com/superduperai/sessionbot/store/diagnosis"
)

// Act is the action that a thread needs.
type Act int

// The acts.
const (
	None Act = iota
	Post     // an answer
	Find     // the answer, which may have been posted
)

// Reason says why a thread is answered, or not. That of an answer is the end.
type Reason string

// The reasons for anything else.
const (
	NotEnded     Reason = "not_ended"
	KnownThen    Reason = "known_when_asked"
	Answered     Reason = "answered"
	BeingPosted  Reason = "being_posted"
	NotConfirmed Reason = "not_confirmed" // it is not recorded whether it was posted
	RetriedLater Reason = "retried_later"
)

// claimLife is how long a post may take, its retries included. Only then is it looked for.
const claimLife = 2 * time.Minute

// Decide returns the action that a thread needs, given how the session has ended.
func Decide(t Thread, end End, now time.Time) (Act, Reason) {
	switch a := t.Answer; {
	case t.answered():
		return None, Answered
	case a != nil && now.Sub(a.Claimed) < claimLife:
		return None, BeingPosted
	case a != nil:
		return Find, NotConfirmed
	case end == Open:
		return None, NotEnded
	case end == t.Before || final(t.Before):
		return None, KnownThen
	case now.Before(t.NextTry):
		return None, RetriedLater
	}
	return Post, Reason(end)
}

// final reports whether the end is final: a handled session may still get its video.
func final(e End) bool { return e == Ready || e == Refunded }

// Awaited reports whether a thread about a session like this is to be answered again: the
// session has not ended for good, and there is such an order.
func Awaited(v diagnosis.Verdict, end End) bool {
	return !final(end) && v != diagnosis.VerdictNotFound && v != diagnosis.VerdictAbandoned
}
