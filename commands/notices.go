package commands

import (
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// Aside is an ephemeral message, for one person's eyes, that is not the answer of
// a command: who may ask, what a click did, what could not be read. Details, such
// as whom to ask or Slack's error, may follow it.
type Aside string

// The asides.
const (
	AsideBusy    Aside = "Busy: try again in a moment."
	AsideTooLong Aside = "This is too long for a command; nothing was done."
	AsideUnread  Aside = "What Slack sent could not be read; nothing was done."
	AsideFault   Aside = "Something went wrong on our side; nothing was changed."
	// AsideDecidingFault is for a click that may have changed something.
	AsideDecidingFault Aside = "Something went wrong on our side. Look at the message and at /session history before you press again."

	AsideReaders     Aside = "Only full members of this workspace may ask: no guests, and nobody from a connected workspace."
	AsideOperators   Aside = "Only operators may do this; they are listed in OPERATORS."
	AsideNoOperators Aside = "Nobody may approve repairs yet: OPERATORS is empty. Whoever runs this bot can list operators there."
	AsideMembers     Aside = "Only full members of this workspace may do this: no guests, and nobody from a connected workspace."
	AsideOwnPlan     Aside = "You asked for this plan; another operator has to approve it."

	AsidePlanSent    Aside = "I cannot post in this channel, so I sent you the plan in a direct message."
	AsidePlanUnshown Aside = "The plan could not be shown, so nothing will be done."
	AsidePlanUnclear Aside = "Slack did not say whether it shows the plan. Where it does not, run the command again; nothing is done before somebody approves."
	AsideAlertMoved  Aside = "Your press counted. This message shows an old state: the alert is posted anew, in the alert channel."
	AsideApproved    Aside = "Your click counted: approved. The message could not be changed, and may show its buttons still."
	AsideElsewhere   Aside = "This plan is shown in another message, so nothing was done. Press its button there, in"
	AsideCancelled   Aside = "Your click counted: cancelled. The message could not be changed, and may show its buttons still."

	AsideShared       Aside = "Shared already, a moment ago."
	AsideShareUnknown Aside = "Redis does not tell what this answer was about. Try again in a moment."
	AsideShareOld     Aside = "This answer is older than 30 minutes. Ask again, then share."
	AsideNotPosted    Aside = "This could not be posted in the channel:"
)

// Asides lists all of them.
var Asides = []Aside{AsideBusy, AsideTooLong, AsideUnread, AsideFault, AsideDecidingFault,
	AsideReaders, AsideOperators, AsideNoOperators, AsideMembers, AsideOwnPlan,
	AsidePlanSent, AsidePlanUnshown, AsidePlanUnclear, AsideElsewhere, AsideAlertMoved, AsideApproved, AsideCancelled,
	AsideShared, AsideShareUnknown, AsideShareOld, AsideNotPosted}

// WhyNot says in a clause why a click started nothing, for the audit trail.
func WhyNot(a repair.ClaimResult) string {
	switch a.Verdict {
	case repair.AlreadyClaimed:
		return "the plan was approved already"
	case repair.AlreadyCancelled:
		return "the plan was cancelled already"
	case repair.Expired:
		return "the plan had expired"
	case repair.Busy:
		return "another repair was " + string(a.Doing)
	}
	return words(string(a.Verdict))
}

// ClaimLine answers a click that starts nothing.
func ClaimLine(a repair.ClaimResult, now time.Time) blockkit.Line {
	again := " Nothing was changed. Run /session " + string(a.Plan.Action) + " again."
	switch a.Verdict {
	case repair.AlreadyClaimed:
		return blockkit.L(blockkit.Plain("Approved already, "+ago(a.At, now)+", by "), person(a.By),
			blockkit.Plain(": "+outcomeTexts[a.Job.Outcome]+". The message shows more."))
	case repair.AlreadyCancelled:
		return blockkit.L(blockkit.Plain("This plan was cancelled "+ago(a.At, now)+" by "), person(a.By), blockkit.Plain("."+again))
	case repair.Expired:
		return blockkit.PlainLine("This plan expired at " + a.Plan.Expires.UTC().Format("15:04 UTC") + "." + again)
	case repair.Busy:
		if a.Doing == store.JobUnclear {
			return blockkit.PlainLine("Not done: an earlier generation for this session is unclear. Settle that one first. Nothing was changed.")
		}
		return blockkit.PlainLine("Not done: another repair of this session is running. Nothing was changed.")
	case repair.NeedsSecondClick:
		return blockkit.L(blockkit.Bold("That was your first press; nothing is done yet. "),
			blockkit.Plain(a.Plan.Risk+" To go on all the same, wait a moment and press “"+secondPress+"” in the plan's message."))
	}
	return blockkit.PlainLine("This plan is gone. Nothing was changed. Run the command again.")
}

var outcomeTexts = map[store.Outcome]string{
	"":                     "it is running",
	store.OutcomeDone:      "it is done",
	store.OutcomeRefused:   "it was not done",
	store.OutcomeFailed:    "it failed",
	store.OutcomeUnclear:   "its outcome is unclear",
	store.OutcomeGaveUp:    "it was given up",
	store.OutcomeCancelled: "it was cancelled",
}

// CancelledBlocks take the place of a cancelled plan.
func CancelledBlocks(p repair.Plan, by store.Actor, at time.Time) []slack.Block {
	return blockkit.Message(
		blockkit.L(blockkit.Bold("Cancelled, nothing was changed: "), blockkit.Code(shortID(p.Session))),
		blockkit.Fact("Cancelled by", person(by), blockkit.Plain(" "+at.UTC().Format("15:04 UTC"))))
}

// ExpiredBlocks take the place of a plan that nobody approved in time.
func ExpiredBlocks(p repair.Plan) []slack.Block {
	return blockkit.Message(
		blockkit.L(blockkit.Bold("Expired, nothing was changed: "), blockkit.Code(shortID(p.Session))),
		blockkit.PlainLine("→ Run /session "+string(p.Action)+" again."))
}
