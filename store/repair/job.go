package repair

import (
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/sessions"
)

// Step is how far a job got. Each is recorded before what follows it is begun.
type Step string

// The steps, in their order.
const (
	StepRecorded Step = "recorded" // claimed, nothing done yet
	StepChecked  Step = "checked"  // the diagnosis was run again and nothing had changed
	StepWritten  Step = "written"  // the fix, or the claim of a generation, is in the session
	StepSending  Step = "sending"  // the request is about to be sent, or was
	StepSent     Step = "sent"     // it was answered: the file's id is known, or the site took the event
	StepFiled    Step = "filed"    // the file's id is in the session
	StepFinished Step = "finished" // its result is in the session
)

// Cause is why a job did not end well.
type Cause string

// The causes.
const (
	CauseChanged      Cause = "changed"      // the state differs from that of the plan
	CauseLate         Cause = "late"         // it could not be begun in time
	CauseIdle         Cause = "idle"         // of a bulk plan's pause: no process executed it
	CauseNoToken      Cause = "no_token"     // SUPERDUPERAI_TOKEN is not set
	CauseUnauthorised Cause = "unauthorised" // the token was refused
	CauseBalance      Cause = "balance"      // SuperDuperAI's account has no balance left for it
	CauseForbidden    Cause = "forbidden"    // the account may not use the model, such as a VIP one
	CauseRejected     Cause = "rejected"     // SuperDuperAI does not take the request
	CauseRateLimited  Cause = "rate_limited" // too many requests
	CauseUnavailable  Cause = "unavailable"  // SuperDuperAI could not be reached, nothing was sent
	CauseServerFault  Cause = "server_fault" // SuperDuperAI answered with an internal error
	CauseCertificate  Cause = "certificate"  // its certificate does not fit its host
	CauseUnwritten    Cause = "unwritten"    // Redis takes no writes: the session does not say what was made
	CauseCommand      Cause = "command"      // Redis does not have, or not allow, a command that it needs
	CauseFileFailed   Cause = "file_failed"  // it was started, and could not be made
	CauseNotMade      Cause = "not_made"     // a person found that nothing was made
	CauseOverwritten  Cause = "overwritten"  // another process, most likely the site's, wrote the session since
	CauseNoAnswer     Cause = "no_answer"    // the request was sent, its answer is not known
	CauseTooLong      Cause = "too_long"     // the file was not finished in time

	CauseNoSecret    Cause = "no_secret"   // STRIPE_WEBHOOK_SECRET is not set
	CauseNoStripeKey Cause = "no_key"      // STRIPE_SECRET_KEY is not set, or refused
	CauseNoEvent     Cause = "no_event"    // Stripe does not hold the event any more
	CauseSignature   Cause = "signature"   // the site does not accept our signature
	CauseClock       Cause = "clock"       // likewise: the clocks differ too much
	CauseBlocked     Cause = "blocked"     // something in front of the site's webhook, such as a firewall, refused the event
	CauseNoWebhook   Cause = "no_webhook"  // there is no webhook at SITE_WEBHOOK_URL
	CauseUnreachable Cause = "unreachable" // the site could not be reached, nothing was sent
	CauseSiteFailed  Cause = "site_failed" // the site took the event, and wrote an error
	CauseIgnored     Cause = "unheeded"    // the site took the event, and wrote nothing

	CausePage       Cause = "page"        // of a bulk plan's pause: the customer's page does not show what was predicted
	CausePageUnseen Cause = "page_unseen" // likewise: the site did not say what the customer's page shows
)

// Progress is the state of a job as people are shown it.
type Progress struct {
	Job     Job
	Reply   Reply // whether its end, or its pause, is also to be posted
	File    store.File
	Site    *store.Site // nil = not asked: that is done at the end
	SiteErr error
	// SiteText is the error that the site wrote. It is not kept with the job: it may
	// quote the prompt.
	SiteText string
	// SiteTexts are likewise those about the sessions of a bulk plan, by session.
	SiteTexts map[string]string
	// Next are the repairs that a fresh diagnosis allows once a prompt was restored.
	Next []store.Action
	At   time.Time
}

// Reply says whether the end of a job is also to be posted in the thread: editing a
// message notifies no one.
type Reply string

// The replies.
const (
	ReplyNone  Reply = ""      // only the message is brought up to date
	ReplyFirst Reply = "first" // it was not posted before
	ReplyMaybe Reply = "maybe" // an earlier attempt may have posted it
)

// Job is a claimed plan being carried out. JSON names in tags are those of earlier versions.
type Job struct {
	ID             string // the plan's
	Plan           Plan
	Approver       store.Actor
	Claimed        time.Time
	Step           Step
	Outcome        store.Outcome
	Cause          Cause             // why it did not end well; "" = it did, or it runs
	Detail         []string          // of the cause: sentences or fields, without prompt and e-mail
	FileID         string            // of the requested file
	Digests        map[string]string // by kind of key: what was last seen or written there
	Sending        time.Time         // when the request was about to be sent
	Sent           time.Time         // when it was answered
	Finished       time.Time
	Overwritten    bool             `json:"Foreign"` // the session was written after us: it does not hold what we wrote, or would have
	Wrote          *sessions.Update // what was written last, to be rechecked
	Settled        *Settlement      // the outcome of an unclear request, by a person
	Waiting        bool             // no replica has its record yet, so that nothing may be sent
	Cancelled      *Decision        // a person cancelled it while it waited
	Bulk           *Bulk            `json:",omitempty"` // how far a bulk plan got; nil = it is none
	Note           *Note            `json:"-"`          // of the person who decided last, as loaded; nil = none
	ClaimAudited   bool             `json:"OnRecord"`   // its claim, or what a person said since, is in the audit trail
	OutcomeAudited bool             `json:"Audited"`    // its end is in the audit trail
	Notified       bool             `json:"Told"`       // its end is in the message
}

// Settlement is what a person found out about an unclear request.
type Settlement struct {
	By     store.Actor
	Where  string // channel, or Terminal
	At     time.Time
	FileID string // "" = it was not made
	Detail string // a sentence for the audit trail
}

// Cancellable reports whether the job waits for a replica: nothing was sent, nor is
// about to be.
func (j Job) Cancellable() bool {
	return j.Waiting && (j.Step == StepWritten || j.Step == StepChecked) && j.Outcome == "" && j.Cancelled == nil
}
