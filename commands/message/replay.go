package message

import (
	"strings"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// replayText says what a replay does.
func replayText(p repair.Plan) string {
	return humanize.WithNoun(p.Kind, "The bot sends Stripe's event to the site; the site then makes the {video}.")
}

// replayFact names the event, and until when a replay is possible.
func replayFact(p repair.Plan) blockkit.Line {
	return blockkit.Fact("Stripe event", eventLink(p.Live, p.Replay.EventID, p.Replay.EventID),
		blockkit.Plain(" · can be replayed until "), humanize.ClockTime(p.Replay.Until, p.Created))
}

// replayVerdict is the verdict on a replay where it differs from that on a
// generation, "" = it does not.
func replayVerdict(p repair.Progress) (head, next string) {
	job, cause := p.Job, CauseText(p.Job.Cause)
	switch {
	case job.Outcome == store.OutcomeUnclear:
		return "Unclear: the event was sent to the site for {id}, but whether it started {a video} is unknown.", settleAdvice(job)
	case job.Outcome == store.OutcomeCancelled:
		return "Cancelled: nothing was sent for {id}.", cancelledWhileWaiting + "{still paid}. " + stillWanted
	case job.Outcome == store.OutcomeGaveUp && job.Cause == repair.CauseNoToken:
		return "Started, but not tracked: the site is making the {video} for {id}.",
			"Check the customer's page in 15 minutes. If there is no {video}, press Debug: it says what to do. Do not start another until then. To have {video}s tracked until they finish, set SUPERDUPERAI_TOKEN and restart the bot."
	case job.Outcome != store.OutcomeFailed:
		return "", ""
	}
	switch job.Cause {
	case repair.CauseOverwritten:
		return "Made, but hidden: the {video} for {id} is finished, and the customer's page does not show it.",
			"Do not replay or generate again. Press Debug, then show the {video} on the customer's page (no cost)."
	case repair.CauseSiteFailed:
		if text := strings.ToLower(p.SiteText); strings.Contains(text, "timeout") || strings.Contains(text, "timed out") {
			return "Failed: the site stopped waiting for SuperDuperAI for {id}, and {a video} may exist anyway.", lookFor + foundAnyway + "\nNot found: run {generate} ({pay})."
		}
		return "Failed: the site received the event and reported an error for {id}.", cause
	case repair.CauseIgnored:
		return "Failed: the site accepted the replayed event, but shows no {video} for {id}.", cause
	case repair.CauseBlocked:
		return "Failed: the event for {id} was refused on its way to the site, so nothing was started.", cause
	case repair.CauseFileFailed, repair.CauseNotMade:
		return "", ""
	}
	return "Failed: the site did not accept the event for {id}, so nothing was started.", cause
}

// replayStep is how far a running replay got.
func replayStep(job repair.Job) string {
	switch job.Step {
	case repair.StepSending:
		return "sent to the site; no answer yet, waiting for the session to change"
	case repair.StepSent:
		return "the site received the event; waiting for it to start"
	}
	return "starting"
}
