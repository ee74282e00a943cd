package message

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands/remedy"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

const (
	bulkShown    = 10 // sessions of a bulk plan that are shown by name
	leftOutNamed = 3  // likewise of those that are left out, for each reason
)

// The buttons of a bulk plan that make another one; their value is its id.
const (
	ActionInclude = "confirm.include" // what Stripe will still deliver
	ActionOther   = "confirm.other"   // what only the other action can repair
)

// bulkPlanBlocks shows what a bulk plan will do, at what cost, and what it leaves out.
func bulkPlanBlocks(p repair.Plan) []slack.Block {
	lines := []blockkit.Line{
		blockkit.L(blockkit.Bold(bulkQuestion(p)), blockkit.Plain(" Requested by "), humanize.Person(p.Requester)),
		blockkit.PlainLine(bulkMoneyText(p)),
	}
	if p.HasCanary() {
		lines = append(lines, canaryPlanLine(p))
	}
	lines = append(lines, blockkit.PlainLine(bulkPaceText(p)))
	for _, warning := range p.Warnings {
		lines = append(lines, blockkit.L(blockkit.Plain("⚠ "), blockkit.Bold(warning)))
	}
	var sessions []blockkit.Line
	for i, item := range p.Items {
		if i == bulkShown {
			sessions = append(sessions, blockkit.PlainLine("and "+humanize.Thousands(int64(len(p.Items)-i))+" more"))
			break
		}
		sessions = append(sessions, itemLine(item))
	}
	blocks := []slack.Block{blockkit.Paragraph(lines...), blockkit.Paragraph(sessions...)}
	if left := leftOutLines(p); len(left) > 0 {
		blocks = append(blocks, blockkit.Paragraph(left...))
	}
	terms := "Expires " + blockkit.Mrkdwn(blockkit.L(humanize.ClockTime(p.Expires, p.Created))) + ". Nothing changes before approval. Only " + theseSessions(p) + ", and each is rechecked first."
	if p.Risk != "" {
		terms += twoPresses(p)
	}
	return append(blocks, blockkit.Context(terms))
}

// theseSessions says what the plan repairs, and where the rest of it is listed.
func theseSessions(p repair.Plan) string {
	switch n := len(p.Items); {
	case n == 1:
		return "this session is repaired"
	case n > bulkShown:
		return "these " + humanize.Count(n, "session") + " are repaired (Show all lists the " + humanize.Thousands(int64(n-bulkShown)) + " not named here)"
	default:
		return "these " + humanize.Count(n, "session") + " are repaired"
	}
}

// bulkQuestion is the headline of a bulk plan.
func bulkQuestion(p repair.Plan) string {
	n := len(p.Items)
	switch shown := shownItems(p); {
	case p.Action == store.ActionReplay:
		return "Replay the webhook for " + humanize.Count(n, "session") + "?"
	case p.Action == store.ActionGenerate:
		return "Generate " + humanize.Count(n, bulkNoun(p)) + "?"
	case shown == 0:
		return "Mark " + humanize.Count(n, "session") + " as error?"
	case shown == n:
		return "Show the finished " + bulkNoun(p) + "s of " + humanize.Count(n, "session") + "?"
	default:
		return fmt.Sprintf("Fix %d sessions: show the finished %ss of %d, mark %d as error?", n, bulkNoun(p), shown, n-shown)
	}
}

// shownItems is how many items of a fix show a finished video.
func shownItems(p repair.Plan) (n int) {
	for _, item := range p.Items {
		if item.Deliver != "" {
			n++
		}
	}
	return n
}

// bulkNoun is what the items make: images only if all of them are.
func bulkNoun(p repair.Plan) string {
	if slices.ContainsFunc(p.Items, func(item repair.Plan) bool { return item.Kind != store.KindImage }) {
		return "video"
	}
	return "image"
}

// bulkMoneyText is what a bulk plan costs us, what the alternative costs, and what it
// leaves undone.
func bulkMoneyText(p repair.Plan) string {
	switch {
	case p.Action != store.ActionFix:
		text := humanize.UpperFirst(bulkCostText(p))
		if _, _, paid := p.Sums(); len(paid) > 0 {
			retried, otherwise := " (a retry can still make their "+bulkNoun(p)+"s)", ""
			if p.Risk == "" {
				retried, otherwise = "", "; if none did, approve"
			}
			text += "\nIf some of them asked for their money back: cancel, refund those in Stripe" + retried + ", and request the plan again, which leaves them out" + otherwise + "."
		}
		if p.Risk == "" {
			text += " Stripe is not retrying any of their events."
		}
		if p.Action == store.ActionReplay {
			text += "\nBefore you approve, the site must start videos for new orders again (/redis stats warns while webhook success is low); sessions for which it starts nothing are reported as failed or unclear, with what to do."
		}
		return text
	case shownItems(p) == len(p.Items):
		return "No cost."
	}
	return "No cost, no refunds, no e-mails: only the customers' pages change. A " + bulkNoun(p) + " can still be made afterwards; for whom none will be, refund in Stripe."
}

// bulkCostText compares what a bulk plan costs in all with what was paid.
func bulkCostText(p repair.Plan) string {
	cents, unknown, paid := p.Sums()
	text := remedy.CostText(cents)
	if cents > 0 {
		text = "we pay SuperDuperAI " + text
	}
	if cents > 0 && unknown > 0 {
		text += fmt.Sprintf(", plus %d of unknown cost", unknown)
	}
	return text + "; " + paidText(paid) + "."
}

func paidText(paid map[string]int64) string {
	if len(paid) == 0 {
		return "what the customers paid is not known"
	}
	return "the customers paid " + humanize.Sums(paid)
}

// bulkPaceText says how long it takes about.
func bulkPaceText(p repair.Plan) string {
	parallel, alone := max(p.Parallel, 1), 0
	pace := fmt.Sprintf("%d at a time, oldest first", parallel)
	if p.HasCanary() {
		alone, pace = 1, "Then "+pace
	}
	if p.Action == store.ActionFix || bulkNoun(p) == "image" {
		return pace + "."
	}
	if alone == 0 && len(p.Items) <= parallel {
		return pace + "; takes 2–15 min."
	}
	rounds := time.Duration(alone + (len(p.Items)-alone+parallel-1)/parallel)
	return fmt.Sprintf("%s; takes about %s to %s in all (2–15 min each).",
		pace, humanize.Duration(rounds*2*time.Minute), humanize.Duration(rounds*15*time.Minute))
}

// itemLine is one session of a bulk plan.
func itemLine(item repair.Plan) blockkit.Line {
	parts := []string{string(item.Seen.Verdict)}
	if item.Action == store.ActionFix && item.Deliver != "" {
		parts = append(parts, humanize.WithNoun(item.Kind, "shows its {video}"))
	}
	if marksError(item) {
		parts = append(parts, "will be marked as error")
	}
	payment := seenPayment(item.Seen)
	if item.Seen.Payment == store.PaymentNotRequired {
		payment = "no payment due"
	}
	parts = append(parts, payment)
	if !item.Seen.PaidAt.IsZero() {
		parts = append(parts, "waiting "+humanize.Duration(item.Created.Sub(item.Seen.PaidAt)))
	}
	return blockkit.L(blockkit.Code(humanize.ShortID(item.Session)), blockkit.Plain(" · "+strings.Join(parts, " · ")))
}

// bulkPlanActions are the buttons of a bulk plan; press is the id of the first of two
// presses.
func bulkPlanActions(p repair.Plan, press string) []slack.BlockElement {
	label, value := "Approve: "+string(p.Action)+" "+humanize.Thousands(int64(len(p.Items))), p.ID
	if cents, _, _ := p.Sums(); cents > 0 {
		label += ", " + remedy.CostText(cents)
	}
	if press != "" {
		label, value = approveAgainLabel+strings.TrimPrefix(label, "Approve"), p.ID+"."+press
	}
	approve := blockkit.Button(ActionApprove, label, value)
	approve.Style = slack.StylePrimary
	if p.Action != store.ActionFix {
		approve.Style = slack.StyleDanger
	}
	return append([]slack.BlockElement{approve, blockkit.Button(ActionCancel, "Cancel", p.ID)}, BulkChoices(p)...)
}

// BulkChoices are the buttons that make another plan of what a plan leaves out, or show
// all of it.
func BulkChoices(p repair.Plan) (buttons []slack.BlockElement) {
	if n, cents := p.Includable(); n > 0 {
		buttons = append(buttons, blockkit.Button(ActionInclude, includeLabel(n)+", "+remedy.CostText(cents)+"…", p.ID))
	}
	if n := p.CountLeftOut()[repair.LeftOtherAction]; n > 0 {
		buttons = append(buttons, blockkit.Button(ActionOther, otherLabel(p, n), p.ID))
	}
	if hasDetails(p) {
		buttons = append(buttons, blockkit.Button(ActionDetails, "Show all", p.ID))
	}
	return buttons
}

// theOthers refers to so many sessions in a button.
func theOthers(n int) string {
	if n == 1 {
		return "the one"
	}
	return "the " + humanize.Thousands(int64(n))
}

// EmptyBulkBlocks say that there is nothing to repair now, and why.
func EmptyBulkBlocks(p repair.Plan) []slack.Block {
	if len(p.LeftOut) == 0 {
		return blockkit.Message(blockkit.BoldLine("Nothing to " + string(p.Action) + " now: no open session needs it."))
	}
	return blockkit.Message(append([]blockkit.Line{blockkit.BoldLine("Nothing to " + string(p.Action) + " now; nothing was changed.")}, leftOutLines(p)...)...)
}

// TooManyText says that there are more sessions than one plan may hold.
func TooManyText(limit int, action store.Action) string {
	return fmt.Sprintf("More than %d sessions are too many for one plan (BULK_LIMIT). Narrow it down: /session bulk %s orphaned, --since 2h for recent payments, or --limit %d for the oldest %d.",
		limit, action, limit, limit)
}

// subject names what a plan repairs.
func subject(p repair.Plan) blockkit.Span {
	if p.IsBulk() {
		return blockkit.Plain("the bulk plan for " + humanize.Count(len(p.Items), "session"))
	}
	return blockkit.Code(humanize.ShortID(p.Session))
}

// PlanCommand is the command that makes such a plan.
func PlanCommand(p repair.Plan) string {
	if p.IsBulk() {
		return "/session bulk " + string(p.Action)
	}
	return "/session " + string(p.Action)
}

// OtherAction is the one that makes videos, too.
func OtherAction(action store.Action) store.Action {
	if action == store.ActionReplay {
		return store.ActionGenerate
	}
	return store.ActionReplay
}
