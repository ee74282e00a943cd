package commands

import (
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

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
