package message

import (
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands/note"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// Notice is an ephemeral message that is not the answer of a command: who may ask,
// what a click did, what could not be read. Details may follow it.
type Notice string

// The notices.
const (
	NoticeBusy    Notice = "Busy: try again in a moment."
	NoticeTooLong Notice = "This is too long for a command; nothing was done."
	NoticeUnread  Notice = "What Slack sent could not be read; nothing was done."
	NoticeFault   Notice = "Something went wrong on our side; nothing was changed."
	// NoticeDecidingFault is for a click that may have changed something.
	NoticeDecidingFault Notice = "Something went wrong on our side. Look at the message and at /session history before you press again."

	NoticeReaders     Notice = "Only full members of this workspace may ask: no guests, and nobody from a connected workspace."
	NoticeOperators   Notice = "Only operators may do this; they are listed in OPERATORS."
	NoticeNoOperators Notice = "Nobody may approve repairs yet: OPERATORS is empty. Whoever runs this bot can list operators there."
	NoticeMembers     Notice = "Only full members of this workspace may do this: no guests, and nobody from a connected workspace."
	NoticeOwnPlan     Notice = "You asked for this plan; another operator has to approve it."

	NoticeExamining Notice = "Received. Each session is checked first, which can take up to a minute; the answer follows. Nothing is changed before somebody approves the plan."

	NoticePlanNowhere    Notice = "Nobody else would see a plan here, so nothing will be done. Run the command in a channel that I am a member of, or have ALERT_CHANNEL set."
	NoticePlanSent       Notice = "I cannot post in this channel, so I sent you the plan in a direct message."
	NoticePlanUnshown    Notice = "The plan could not be shown, so nothing will be done."
	NoticePlanUnclear    Notice = "Slack did not say whether it shows the plan. Where it does not, run the command again; nothing is done before somebody approves."
	NoticeAlertMoved     Notice = "Your press counted. This message shows an old state: the alert is posted anew, in the alert channel."
	NoticeApproved       Notice = "Your click counted: approved. Where the plan is shown is not known, so its end will be posted where I can."
	NoticeElsewhere      Notice = "This plan is shown in another message, so nothing was done. Press its button there, in"
	NoticeAlertElsewhere Notice = "This alert is shown in another message, so nothing was done. Press its button there, in"
	NoticeSteered        Notice = "Your click counted. The message could not be changed, and may still show an old state."
	NoticeCancelled      Notice = "Your click counted: cancelled. The message could not be changed, and may still show its buttons."

	NoticeNoteMissed Notice = "Slack opens a window within three seconds only, and this one came too late. The decision stands: press the button again to add a note."
	NoticeNotDecider Notice = "Only whoever made this decision may add a note to it. Reply in the thread instead."
	NoticeNoteGone   Notice = "This decision is too old: nothing is known of it any more, so the note was not saved."
	NoticeNoted      Notice = "The note is saved."
	NoticeNoZone     Notice = "Slack does not say in which time zone you are, so the alert is not snoozed. Choose 1 hour or 4 hours instead."

	NoticeInformedGone Notice = "Nobody was answered about this session here lately, so nothing was recorded."

	NoticeNoView Notice = "Slack opens a window within three seconds only, and this one came too late. Use the shortcut again, or type /session with the id, e-mail address or payment (pi_…)."
	NoticeMenu   Notice = "This menu entry is not known here, so nothing was done. Type /session help."

	NoticeShared       Notice = "Shared already, a moment ago."
	NoticeSharedIn     Notice = "Shared, without the customer's address, in"
	NoticeShareUnknown Notice = "Redis does not tell what this answer was about. Try again in a moment."
	NoticeShareOld     Notice = "This answer is older than 30 minutes. Ask again, then share."
	NoticeNotPosted    Notice = "This could not be posted in the channel:"
)

// Notices lists all of them.
var Notices = []Notice{NoticeBusy, NoticeTooLong, NoticeUnread, NoticeFault, NoticeDecidingFault,
	NoticeReaders, NoticeOperators, NoticeNoOperators, NoticeMembers, NoticeOwnPlan,
	NoticeExamining, NoticePlanNowhere, NoticePlanSent, NoticePlanUnshown, NoticePlanUnclear, NoticeElsewhere, NoticeAlertMoved, NoticeAlertElsewhere, NoticeApproved, NoticeCancelled, NoticeSteered,
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
		return blockkit.L(blockkit.Plain("This plan was cancelled by "), humanize.Person(a.By), blockkit.Plain(" "), humanize.AgoTime(a.At, now), blockkit.Plain("."+again))
	case repair.Expired:
		return blockkit.L(blockkit.Plain("This plan expired "), blockkit.Time(a.Plan.Expires, blockkit.TimeOfDay, "at "+humanize.Clock(a.Plan.Expires, now)), blockkit.Plain("."+again))
	case repair.Busy:
		if a.Doing == store.JobUnclear {
			return blockkit.PlainLine("Not done: an earlier repair of this session is unclear. Settle that one first. Nothing was changed.")
		}
		return blockkit.PlainLine("Not done: another repair of this session was running. Nothing was changed.")
	case repair.NeedsSecondClick: // only where the message could not say so itself
		return blockkit.PlainLine("Your press was the first of two. Slack may not have changed the button: if it does not say “" + secondPress + "” in a minute, press it again.")
	}
	return blockkit.PlainLine("This plan is gone. Nothing was changed. Run the command again.")
}

// outcomeTexts say how a job ended; of one that runs, the message says more.
var outcomeTexts = map[store.Outcome]string{
	"":                     "It was running when you pressed.",
	store.OutcomeDone:      "It is done.",
	store.OutcomeRefused:   "It was not done.",
	store.OutcomeFailed:    "It failed.",
	store.OutcomeUnclear:   "Its outcome was unclear when you pressed.",
	store.OutcomeGaveUp:    "We stopped waiting for it.",
	store.OutcomeCancelled: "It was cancelled.",
}

// CancelledBlocks take the place of a cancelled plan, with the note on that or, where
// there is none, the offer of one.
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

// ExpiredBlocks take the place of a plan that nobody approved in time.
func ExpiredBlocks(p repair.Plan) []slack.Block {
	return blockkit.Message(
		blockkit.L(blockkit.Bold("Expired, nothing was changed: "), subject(p)),
		blockkit.PlainLine("→ Run "+PlanCommand(p)+" again."))
}
