package diagnosis

import (
	"slices"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// FileRecord is what the bot's own records hold of a session's files.
type FileRecord struct {
	File     store.File // the one that it names, as it was seen last
	Finished []string   // all that were seen finished for it, the last seen last
}

// NamedFile is a file that is named somewhere.
type NamedFile struct {
	ID    string
	State store.FileState
}

// Evidence is all that the diagnosis goes by.
type Evidence struct {
	Session     store.Session
	RedisSilent bool // Redis gave no answer, or an error: Session says nothing
	Payment     store.Payment
	File        store.File
	APIProven   bool        // the API knew the file of a later session: one that it does not know is gone
	Finished    []string    // files known to be finished for the session, be they named by it or not; the last seen last
	Others      []NamedFile // what was seen of files that the session names beside the one that counts
	Site        *store.Site // nil = it was not asked, or did not answer
	Event       store.Event
	Reads       store.Layout // of the keys that the site reads; LayoutNone = not known
	Job         store.JobState
}

// Thresholds are the times at which normal turns into a fault.
type Thresholds struct {
	OrphanGrace time.Duration // after payment, in which a missing webhook is normal
	StallAfter  time.Duration // over which processing without a finished file is a fault
}

// Complete is the evidence with nothing left open: times that lie in the
// future count as absent, a payment of which nothing is said is unverified,
// and a file that Redis names but of which nothing is said is unknown.
func (e Evidence) Complete(now time.Time) Evidence {
	e.Session = e.Session.AsOf(now)
	for _, at := range []*time.Time{&e.Payment.PaidAt, &e.Payment.ChargedAt, &e.Payment.Created} {
		if at.After(now) {
			*at = time.Time{}
		}
	}
	if e.Payment.State == "" {
		e.Payment.State, e.Payment.Why = store.PaymentUnverified, store.StripeNoAnswer
	}
	switch named := e.Session.FileID() != ""; {
	case !named:
		e.File.State = store.FileNone
	case e.File.State == "" || e.File.State == store.FileNone:
		e.File.State = store.FileUnknown
	}
	for _, other := range e.Others {
		if other.State == store.FileCompleted {
			e.Finished = append(slices.Clip(e.Finished), other.ID)
		}
	}
	if slices.ContainsFunc(e.Finished, func(id string) bool { return strings.EqualFold(id, e.Session.FileID()) }) {
		e.File.State = store.FileCompleted
	}
	return e
}
