package diagnosis

import (
	"slices"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// FileRecord is the bot's own record of a session's files.
type FileRecord struct {
	File     store.File // the one that it names, as last seen
	Finished []string   // all that were seen finished, the last one last
}

// NamedFile is a file that a key or the site names.
type NamedFile struct {
	ID    string
	State store.FileState
}

// Evidence is what a diagnosis is based on.
type Evidence struct {
	Session     store.Session
	RedisSilent bool // Redis gave no answer: Session is empty
	Payment     store.Payment
	File        store.File
	APIProven   bool        // the API knew the file of a later session: one it does not know is gone
	Finished    []string    // files seen finished, whether the session names them or not; the last one last
	Others      []NamedFile // files named besides the current one
	Site        *store.Site // nil = not asked, or no answer
	Event       store.Event
	SiteLayout  store.Layout // of the keys that the site reads; LayoutNone = not known
	Job         store.JobState
}

// Thresholds are the times after which a state is a fault.
type Thresholds struct {
	OrphanGrace time.Duration // after payment, in which a missing webhook is normal
	StallAfter  time.Duration // over which processing without a finished file is a fault
}

// Complete returns the evidence with its defaults: times in the future are removed, a
// payment without a state is unverified, and a named file without one is unknown.
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
