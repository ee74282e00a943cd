package message

import (
	"fmt"
	"slices"
	"strings"

	"github.com/superduperai/sessionbot/commands/remedy"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// bulkSums counts the sessions by state.
func bulkSums(job repair.Job) string {
	n := job.Bulk.Counts()
	return doneText(job, n.Done) + nonZero(", %d failed", n.Failed) + nonZero(", %d unclear", n.Unclear) + nonZero(", %d skipped", n.Skipped) +
		nonZero(", %d running", n.Running) + nonZero(", %d not started", n.Left)
}

// doneText describes the repairs that are done.
func doneText(job repair.Job, done int) string {
	noun := bulkNoun(job.Plan)
	if job.Plan.Action != store.ActionFix {
		if slices.ContainsFunc(job.Bulk.Items, func(i repair.Item) bool { return i.State == repair.ItemDone && i.Cause == repair.CauseNoToken }) {
			return humanize.Count(done, noun) + " started (not tracked without SUPERDUPERAI_TOKEN)"
		}
		return humanize.Count(done, noun) + " ready"
	}
	if last := job.Bulk.Last(); last != nil && last.Canary && (last.Cause == repair.CausePage || last.Cause == repair.CausePageUnseen) {
		return humanize.Count(done, "session") + " changed, not confirmed on the customer's page"
	}
	switch shown := done - markedItems(job); shown {
	case 0:
		return humanize.Count(done, "session") + " marked as error"
	case done:
		return humanize.Count(done, noun) + " shown"
	default:
		return fmt.Sprintf("%s fixed (%s shown, %d marked as error)", humanize.Count(done, "session"), humanize.Count(shown, noun), done-shown)
	}
}

// markedItems is how many items a fix marked as error.
func markedItems(job repair.Job) (n int) {
	for i, item := range job.Bulk.Items {
		if item.State == repair.ItemDone && marksError(job.Plan.Items[i]) {
			n++
		}
	}
	return n
}

// itemsCost is what the items in a state cost, by estimate; 0 = nothing, or unknown.
func itemsCost(job repair.Job, state repair.ItemState) (cents int) {
	for i, item := range job.Bulk.Items {
		if item.State == state {
			cents += job.Plan.Items[i].Cents()
		}
	}
	return cents
}

// leftCost is what the sessions cost that were not started, in brackets; "" = unknown.
func leftCost(job repair.Job, all string) string {
	switch cents := itemsCost(job, repair.ItemWaiting); {
	case job.Plan.Action == store.ActionFix:
		return " (no cost)"
	case cents > 0:
		return " (" + remedy.CostText(cents) + all + ")"
	}
	return ""
}

// runningText says that a plan needs nobody while it runs, and what Stop would do.
func runningText(job repair.Job) string {
	if job.Approver.Terminal { // which has no buttons
		return ""
	}
	text := "Nothing to do until it ends."
	if job.Bulk.Counts().Left == 0 {
		return text
	}
	text += " After Stop no others start, but those running finish"
	if cents := itemsCost(job, repair.ItemRunning); cents > 0 {
		text += " (we pay " + remedy.CostText(cents) + " for these)"
	}
	return text + "."
}

// stays says that nothing is undone, and what was spent.
func stays(job repair.Job) string {
	if job.Plan.Action == store.ActionFix {
		return "What is done stays as it is."
	}
	n, text := job.Bulk.Counts(), "Finished "+bulkNoun(job.Plan)+"s stay."
	if cents := itemsCost(job, repair.ItemDone); cents > 0 {
		text += " Spent so far: " + remedy.CostText(cents) + " for the " + humanize.Thousands(int64(n.Done)) + " ready"
		if running := itemsCost(job, repair.ItemRunning); running > 0 {
			text += ", " + remedy.CostText(running) + " for those running"
		}
		if n.Unclear > 0 {
			text += "; what is unclear may have cost us money, too"
		}
		text += "."
	}
	return text
}

// finishedText is what is left to do once nothing runs any more, "" = nothing.
func finishedText(job repair.Job) string {
	n, again := job.Bulk.Counts(), PlanCommand(job.Plan)+" again"
	var steps []string
	say := func(when bool, text string) {
		if when {
			steps = append(steps, text)
		}
	}
	fixes := job.Plan.Action == store.ActionFix
	say(fixes && markedItems(job) > 0, "Write to the customers whose sessions were marked as error: nothing was refunded.")
	say(!fixes && n.Unclear > 0, "First settle what is unclear (/session debug "+firstUnclear(job)+" says how): we may have been charged for it.")
	say(fixes && n.Unclear > 0, "First debug what is unclear: /session debug "+firstUnclear(job)+".")
	retry := "run " + again + ": it shows a plan first, and retries what failed"
	switch {
	case fixes:
		retry += " (no cost)"
	case itemsCost(job, repair.ItemFailed) > 0:
		retry += " (we pay " + remedy.CostText(itemsCost(job, repair.ItemFailed)) + ")"
	}
	if !fixes && n.Unclear > 0 {
		retry += ", and leaves out what is unclear"
	}
	say(n.Failed > 0 && fixes, "Debug what failed, then "+retry+".")
	say(n.Failed > 0 && !fixes, "Debug what failed: after an internal error or a time-out a "+bulkNoun(job.Plan)+" may exist. If the reason is the order's prompt, length or size, refund it in Stripe; otherwise fix the reason, then "+retry+".")
	say(n.Failed+n.Unclear > 0 && n.Skipped > 0, "What was skipped had changed meanwhile: nothing to do.")
	return strings.Join(steps, " ")
}

// firstUnclear names the first session with an unclear result.
func firstUnclear(job repair.Job) string {
	first := slices.IndexFunc(job.Bulk.Items, func(i repair.Item) bool { return i.State == repair.ItemUnclear })
	return humanize.ShortID(job.Plan.Items[max(first, 0)].Session)
}

// pauseText says why a plan was paused, what to do, and what Resume and Stop do.
func pauseText(job repair.Job) string {
	e := job.Bulk.Last()
	why := "Three sessions in a row failed, and the others would fail the same way: " + itemReason(repair.Item{Cause: e.Cause, Detail: e.Detail}) + ". Fix that first."
	resumes := "it goes on with the rest"
	switch {
	case e.Canary:
		why, resumes = canaryPauseText(job), "the bot first tries one more session alone (and pauses again if that fails), then the others"
	case e.Cause == repair.CauseIdle:
		why = "It made no progress for more than ten minutes, for example because the bot or Redis was down. Check first that both are up."
	case e.Cause == repair.CauseLate:
		why = "Three sessions in a row could not be started in time; nothing was sent or charged for them. Check the bot's log and Redis first."
	}
	then := " Then "
	if e.Cause == repair.CausePageUnseen {
		then = " If it is as expected, "
	}
	if job.Approver.Terminal { // which has no buttons
		return why + then + "run " + PlanCommand(job.Plan) + " again."
	}
	failed, left := "", humanize.Thousands(int64(job.Bulk.Counts().Left))
	if job.Bulk.Counts().Failed > 0 {
		failed = " Failed sessions are not retried: at the end, run " + PlanCommand(job.Plan) + " again for those not refunded."
	}
	return why + then + "press Resume: " + resumes + leftCost(job, " for the "+left) + "." + failed + " Stop: what is not started stays as it is (no further cost). If nobody presses Resume or Stop, the plan ends after a day."
}
