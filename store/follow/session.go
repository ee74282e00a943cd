// Package follow keeps in which threads people asked about a session, and decides when
// one of them is answered.
package follow

import (
	"errors"
	"slices"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// End is how a session ended for its customer.
type End string

// The ends.
const (
	Open     End = ""         // the customer still waits
	Handled  End = "handled"  // an operator put it right elsewhere
	Refunded End = "refunded" // in full
	Ready    End = "ready"    // there is a finished file
)

// EndOf returns how a session ended; handled is whether its trouble was handled elsewhere.
func EndOf(e diagnosis.Evidence, d diagnosis.Diagnosis, handled bool) End {
	switch {
	case FileOf(e, d) != "":
		return Ready
	case d.Verdict == diagnosis.VerdictRefunded:
		return Refunded
	case handled:
		return Handled
	}
	return Open
}

// FileOf returns the finished file that the customer gets, "" = there is none.
func FileOf(e diagnosis.Evidence, d diagnosis.Diagnosis) string {
	if d.Deliver == "" && d.Verdict == diagnosis.VerdictCompleted && e.File.State == store.FileCompleted {
		return e.Session.FileID()
	}
	return d.Deliver
}

// Session is a session that people asked about.
type Session struct {
	ID       string    `json:"session"`
	Threads  []Thread  `json:"threads"`
	Informed *Informed `json:"informed,omitempty"`
}

// Thread is a thread in which a session was asked about.
type Thread struct {
	Message store.Message `json:"message"` // that the thread is of
	By      string        `json:"by"`      // who asked
	At      time.Time     `json:"at"`
	Before  End           `json:"before,omitempty"` // that they were shown
	Answer  *Answer       `json:"answer,omitempty"` // nil = it has none
	Tries   int           `json:"tries,omitempty"`  // that failed
	NextTry time.Time     `json:"next_try,omitzero"`
}

// Answer says in a thread how a session ended. It is recorded before it is posted.
type Answer struct {
	End       End           `json:"end"`
	Kind      store.Kind    `json:"kind,omitempty"`
	File      string        `json:"file,omitempty"` // that is ready
	HandledBy string        `json:"handled_by,omitempty"`
	Mark      string        `json:"mark"` // by which it is found again
	Claimed   time.Time     `json:"claimed"`
	Posted    time.Time     `json:"posted,omitzero"` // zero = that is not known
	Message   store.Message `json:"answer"`          // empty = it could not be posted anywhere
	Permalink string        `json:"permalink,omitempty"`
}

// Informed is who informed the customer, and of which end.
type Informed struct {
	By  string    `json:"by"`
	At  time.Time `json:"at"`
	End End       `json:"end"`
}

// maxThreads is how many threads of a session are followed.
const maxThreads = 20

// ErrFull means that too many threads wait for the same session.
var ErrFull = errors.New("too many threads ask about this session")

// ErrUnknown means that no thread was answered about a session, or not lately.
var ErrUnknown = errors.New("no thread was answered about this session")

// Ask adds a thread, and reports whether it was not followed already. One that was
// answered is followed again.
func (s *Session) Ask(t Thread) (bool, error) {
	n := slices.IndexFunc(s.Threads, func(o Thread) bool { return o.Message == t.Message })
	if n < 0 && len(s.Threads) >= maxThreads {
		if n = slices.IndexFunc(s.Threads, Thread.answered); n < 0 {
			return false, ErrFull
		}
	}
	switch {
	case n < 0:
		s.Threads = append(s.Threads, t)
	case !s.Threads[n].answered():
		return false, nil
	default:
		s.Threads[n] = t
	}
	return true, nil
}

func (t Thread) answered() bool { return t.Answer != nil && !t.Answer.Posted.IsZero() }

// Waits reports whether a thread of the session was not answered yet.
func (s Session) Waits() bool {
	return slices.ContainsFunc(s.Threads, func(t Thread) bool { return !t.answered() })
}

// Uninformed returns the last answer, if it is not recorded that the customer was
// informed of it; else nil.
func (s Session) Uninformed() *Answer {
	var last *Answer
	for _, t := range s.Threads {
		if t.answered() && (last == nil || t.Answer.Posted.After(last.Posted)) {
			last = t.Answer
		}
	}
	if last == nil || s.Informed != nil && s.Informed.End == last.End {
		return nil
	}
	return last
}

// Inform records who informed the customer of the last answer, and reports whether no
// one was recorded before.
func (s *Session) Inform(by string, now time.Time) bool {
	last := s.Uninformed()
	if last == nil {
		return false
	}
	s.Informed = &Informed{By: by, At: now, End: last.End}
	return true
}

// InformedOf returns who informed the customer of an answer, nil = no one.
func (s Session) InformedOf(a Answer) *Informed {
	if s.Informed == nil || s.Informed.End != a.End {
		return nil
	}
	return s.Informed
}
