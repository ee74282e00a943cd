package message

import (
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands/note"
	"github.com/superduperai/sessionbot/commands/remedy"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// Notice is an ephemeral message that is not the answer of a command: about access, the
// result of a click, or a failed read. Details may follow it.
type Notice string

// The notices.
const (
	NoticeBusy    Notice = "Busy: try again in a moment."
	NoticeTooLong Notice = "This is too long for a command; nothing was done."
	NoticeUnread  Notice = "What Slack sent could not be read; nothing was done."
	NoticeFault   Notice = "Something went wrong on our side; nothing was changed."
	// NoticeDecidingFault is for a click that may have changed something.
	NoticeDecidingFault Notice = "Something went wrong on our side. Check the message and /session history before you press again."

	NoticeReaders     Notice = "Only full members of this workspace may use this bot: no guests, nobody from a connected workspace."
	NoticeOperators   Notice = "Only operators may do this; they are listed in OPERATORS."
	NoticeNoOperators Notice = "Nobody may approve repairs yet: OPERATORS is empty. List the operators' ids there and restart the bot."
	NoticeMembers     Notice = "Only full members of this workspace may do this: no guests, nobody from a connected workspace."
	NoticeOwnPlan     Notice = "You requested this plan; another operator has to approve it. If nobody else is available, resend the event or refund in Stripe instead."

	NoticeExamining Notice = "Checking each session first, which can take up to a minute. The plan follows; nothing changes before it is approved."

	NoticePlanNowhere    Notice = "Nobody else would see a plan here, so nothing was done. Run the command in a channel that the bot is in, or set ALERT_CHANNEL."
	NoticePlanSent       Notice = "The bot cannot post in this channel, so it sent you the plan in a direct message."
	NoticePlanUnshown    Notice = "The plan could not be posted, so nothing was done."
	NoticePlanUnclear    Notice = "Slack did not confirm the post. If you do not see the plan, run the command again; nothing changes before approval."
	NoticeAlertMoved     Notice = "Your press was registered. This message is out of date: the alert has been posted again in the alert channel."
	NoticeApproved       Notice = "Your press was registered: approved. The plan's message could not be found, so the result will be posted where the bot can."
	NoticeElsewhere      Notice = "This plan is shown in another message, so nothing was done. Press its button there, in"
	NoticeAlertElsewhere Notice = "This alert is shown in another message, so nothing was done. Press its button there, in"
	NoticeStopped        Notice = "Stopped: no more will start; those already running will finish. The plan's message could not be updated now; it will be at the next change."
	NoticeResumed        Notice = "Resumed: the repairs go on. The plan's message could not be updated now; it will be at the next change."
	NoticeCancelled      Notice = "Your press was registered: cancelled. The message could not be updated and may still show its buttons."

	NoticeNoteMissed Notice = "The window took too long to open. Your decision stands: press the button again to add a note."
	NoticeNotDecider Notice = "Only the person who made this decision can add a note to it. Reply in the thread instead."
	NoticeNoteGone   Notice = "This decision is too old: its data is gone, so the note was not saved."
	NoticeNoted      Notice = "Note saved."
	NoticeNoZone     Notice = "Slack does not report your time zone, so the alert was not snoozed. Choose 1 hour or 4 hours instead."

	NoticeInformedGone Notice = "Nobody has asked about this session here recently, so nothing was recorded."

	NoticeNoView Notice = "The window took too long to open. Use the shortcut again, or type /session with the id, e-mail address or payment (pi_…)."
	NoticeMenu   Notice = "This menu entry is unknown, so nothing was done. Type /session help."

	NoticeShared       Notice = "Already shared, a moment ago."
	NoticeSharedIn     Notice = "Shared, without the customer's address, in"
	NoticeShareUnknown Notice = "The answer could not be found in Redis. Try again in a moment."
	NoticeShareOld     Notice = "This answer is older than 30 minutes. Ask again, then share."
	NoticeNotPosted    Notice = "This could not be posted in the channel:"
)

// Notices lists all of them.
var Notices = []Notice{NoticeBusy, NoticeTooLong, NoticeUnread, NoticeFault, NoticeDecidingFault,
	NoticeReaders, NoticeOperators, NoticeNoOperators, NoticeMembers, NoticeOwnPlan,
	NoticeExamining, NoticePlanNowhere, NoticePlanSent, NoticePlanUnshown, NoticePlanUnclear, NoticeElsewhere, NoticeAlertMoved, NoticeAlertElsewhere, NoticeApproved, NoticeCancelled, NoticeStopped, NoticeResumed,
	NoticeNoteMissed, NoticeNotDecider, NoticeNoteGone, NoticeNoted, NoticeNoZone, NoticeInformedGone,
	NoticeNoView, NoticeMenu, NoticeShared, NoticeSharedIn, NoticeShareUnknown, NoticeShareOld, NoticeNotPosted}

// PlanClickReply answers a click on a plan that started nothing. It stays below the
// plan's message, so it says nothing that will not hold later.
func PlanClickReply(a repair.ClaimResult, now time.Time) blockkit.Line {
	again := " Nothing was changed. Run " + PlanCommand(a.Plan.Plan) + " again."
	switch a.Verdict {
	case repair.AlreadyClaimed:
		return blockkit.L(blockkit.Plain("Already approved by "), humanize.Person(a.By), blockkit.Plain(" "), humanize.AgoTime(a.At, now),
			blockkit.Plain(". "+outcomeTexts[a.Job.Outcome]+" See the message for details."))
	case repair.AlreadyCancelled:
		return blockkit.L(blockkit.Plain("This plan was cancelled by "), humanize.Person(a.By), blockkit.Plain(" "), humanize.AgoTime(a.At, now),
			blockkit.Plain(". Nothing was changed. If it is still needed, ask "), humanize.Person(a.By), blockkit.Plain(" first, then run "+PlanCommand(a.Plan.Plan)+" again."))
	case repair.Expired:
		return blockkit.L(blockkit.Plain("This plan expired "), blockkit.Time(a.Plan.Expires, blockkit.TimeOfDay, "at "+humanize.Clock(a.Plan.Expires, now)), blockkit.Plain("."+again))
	case repair.Busy:
		if a.Doing == store.JobUnclear {
			return blockkit.PlainLine("Not done: the result of an earlier repair is unknown. Settle that one first (press Debug). Nothing was changed.")
		}
		return blockkit.PlainLine("Not done: another repair of this session was already running. Nothing was changed.")
	case repair.NeedsSecondPress: // only where the message could not say so itself
		return blockkit.PlainLine("Your press was the first of two; nothing has been done yet. If the button does not say “" + approveAgainLabel + "” within a minute, press it again.")
	}
	return blockkit.PlainLine("This plan is gone: it is too old. Nothing was changed. Run the command again.")
}

// outcomeTexts say how a job ended; of one that runs, the message says more.
var outcomeTexts = map[store.Outcome]string{
	"":                     "It was already running, so your press changed nothing.",
	store.OutcomeDone:      "It is done.",
	store.OutcomeRefused:   "It was not done.",
	store.OutcomeFailed:    "It failed.",
	store.OutcomeUnclear:   "Its outcome was unclear when you pressed.",
	store.OutcomeGaveUp:    "We stopped waiting for it.",
	store.OutcomeCancelled: "It was cancelled.",
}

// CancelledBlocks replace a cancelled plan, with the note on the cancellation or a button to
// add one.
func CancelledBlocks(p repair.Plan, by store.Actor, at time.Time, why *repair.Note) []slack.Block {
	lines := []blockkit.Line{
		blockkit.L(blockkit.Bold("Cancelled, nothing was changed: "), subject(p)),
		blockkit.Fact("Cancelled by", humanize.Person(by), blockkit.Plain(" "), humanize.ClockTime(at, at)),
	}
	blocks := blockkit.Message(append(lines, noteFact(why)...)...)
	if why == nil && !by.Terminal {
		blocks = append(blocks, slack.NewActionBlock("", note.Button(note.ActionPlan, p.ID)))
	}
	return blocks
}

// ExpiredBlocks replace a plan that was not approved in time.
func ExpiredBlocks(p repair.Plan) []slack.Block {
	command, cost := PlanCommand(p), ""
	if !p.IsBulk() {
		command += " " + humanize.ShortID(p.Session)
	}
	if cents := p.Cents(); cents > 0 {
		cost = " (we pay " + remedy.CostText(cents) + " once it is approved)"
	}
	return blockkit.Message(
		blockkit.L(blockkit.Bold("Expired, nothing was changed: "), subject(p)),
		blockkit.PlainLine("→ If it is still needed, run "+command+": it shows a new plan"+cost+"."))
}
