package repair

import (
	"errors"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// ErrNotDecider means that another person decided, or no one did yet.
var ErrNotDecider = errors.New("the decision is somebody else's")

// Note is what a person wrote about their decision on a plan.
type Note struct {
	By   store.Actor
	At   time.Time
	Text string
}

// Decided returns who decided about the job last, and whether a note is offered with
// that: with a cancellation, a settlement, a stop and a restore.
func (j Job) Decided() (by store.Actor, offered bool) {
	switch {
	case j.Cancelled != nil:
		return j.Cancelled.By, true
	case j.Settled != nil:
		return j.Settled.By, true
	case j.Bulk != nil && j.Bulk.Stopped():
		return j.Bulk.Last().By, true
	}
	return j.Approver, j.Plan.Action == store.ActionRestore && j.Outcome != ""
}
