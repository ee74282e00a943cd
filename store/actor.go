package store

// JobState is the state of a job for the diagnosis.
type JobState string

// The states of a job.
const (
	JobNone    JobState = ""
	JobRunning JobState = "running"
	JobUnclear JobState = "unclear"
)

// Action is a repair.
type Action string

// The repairs.
const (
	ActionFix      Action = "fix"
	ActionGenerate Action = "generate"
	ActionReplay   Action = "replay"  // send Stripe's event to the site once more
	ActionRestore  Action = "restore" // write a recovered prompt
)

// Actor is a person who requests or decides something.
type Actor struct {
	ID       string `json:"id"`                 // Slack's user id, or the operating system's user name
	Terminal bool   `json:"terminal,omitempty"` // in a terminal, so ID is a user name
}

// Message is the Slack message of a plan; empty in a terminal.
type Message struct{ Channel, TS string }

// Outcome is how a job ended; "" = it is running.
type Outcome string

// The outcomes.
const (
	OutcomeDone    Outcome = "done"
	OutcomeRefused Outcome = "refused" // the state had changed, nothing was written
	OutcomeFailed  Outcome = "failed"  // it could not be carried out
	OutcomeUnclear Outcome = "unclear" // the request's answer is not known: a person settles it
	OutcomeGaveUp  Outcome = "gave_up" // the file was not finished within the time for it
	// OutcomeCancelled: a person cancelled it before anything was sent.
	OutcomeCancelled Outcome = "cancelled"
)
