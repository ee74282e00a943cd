package repair

import (
	"errors"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// PlanState is the state of a plan.
type PlanState string

// The states of a plan.
const (
	PlanOpen      PlanState = "open"
	PlanExpired   PlanState = "expired"
	PlanClaimed   PlanState = "claimed"
	PlanCancelled PlanState = "cancelled"
)

// SecondPressDelay is the least time between two presses of Approve: sooner is a double click.
const SecondPressDelay = 2 * time.Second

// PlanRecord is a stored plan with its state.
type PlanRecord struct {
	Plan
	State PlanState
	By    store.Actor // who claimed or cancelled it
	At    time.Time   // when
	Note  *Note       // why; nil = no note

	FirstPressBy string // who made the first of two presses, "" = no one yet
	FirstPressID string // names that press
}

// ClaimVerdict is the result of a click on a plan.
type ClaimVerdict string

// The verdicts of Claim and Cancel.
const (
	Claimed          ClaimVerdict = "claimed"       // by this click: the job is there
	Cancelled        ClaimVerdict = "cancelled"     // by this click
	JobCancelled     ClaimVerdict = "job_cancelled" // by this click: it was claimed, and its job waited
	AlreadyClaimed   ClaimVerdict = "already_claimed"
	AlreadyCancelled ClaimVerdict = "already_cancelled"
	Expired          ClaimVerdict = "expired"
	Busy             ClaimVerdict = "busy"         // another job of the session runs or is unclear
	NeedsSecondPress ClaimVerdict = "second_click" // the plan has a Risk, and one more press is needed
	Unknown          ClaimVerdict = "unknown"      // its record is gone: the plan is too old, or never existed
)

// ClaimResult is the result of a click on a plan.
type ClaimResult struct {
	Verdict ClaimVerdict
	Plan    PlanRecord     // as it was before the click; empty with Unknown
	Job     Job            // with Claimed, JobCancelled and AlreadyClaimed
	By      store.Actor    // who claimed or cancelled it, this click or an earlier one
	At      time.Time      // when
	Other   string         // with Busy: the id of the other job
	Doing   store.JobState // with Busy: running or unclear
	Press   string         // with NeedsSecondPress: names this person's press
}

// Explanation returns a clause that says why a click started nothing.
func (r ClaimResult) Explanation() string {
	switch r.Verdict {
	case AlreadyClaimed:
		return "the plan was approved already"
	case AlreadyCancelled:
		return "the plan was cancelled already"
	case Expired:
		return "the plan had expired"
	case Busy:
		return "another repair was " + string(r.Doing)
	}
	return plainWord(string(r.Verdict))
}

// Decision is who claimed or cancelled a plan, and when.
type Decision struct {
	By store.Actor
	At time.Time
}

// What is returned for records that do not exist, or have changed.
var (
	ErrUnknownPlan = errors.New("no such plan")
	ErrUnknownJob  = errors.New("no such job")
	ErrNotUnclear  = errors.New("the session has no unclear job")
	ErrOtherFile   = errors.New("the job's file is another one")
)
