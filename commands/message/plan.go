package message

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands/remedy"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/sessions"
)

// The buttons of a plan. Their value is the plan's opaque id, followed by the
// id of the first press where it takes two; see ParsePlanValue.
const (
	ActionApprove = "confirm.approve"
	ActionCancel  = "confirm.cancel"
	ActionNotMade = "confirm.not_made"
)

// PlanBlocks shows what a plan will do, where and at what cost; cents are what a video costs
// that the plan itself does not make, by estimate, 0 = unknown.
func PlanBlocks(p repair.Plan, cents int) []slack.Block {
	if p.IsBulk() {
		return bulkPlanBlocks(p)
	}
	head, what := "Mark as error: ", blockkit.PlainLine("The customer's page will say: “"+p.FixText+"”")
	switch {
	case p.Restore != nil:
		head, what = "Restore the prompt of ", blockkit.PlainLine(humanize.WithNoun(p.Kind, "Stores the prompt below, so that the {video} can be made. It starts nothing by itself."))
	case p.Order != nil:
		head, what = humanize.WithNoun(p.Kind, "Generate {a video} for "), blockkit.PlainLine(orderText(*p.Order))
	case p.Replay != nil:
		head, what = "Replay the webhook for ", blockkit.PlainLine(replayText(p))
	case p.Deliver != "":
		head = humanize.WithNoun(p.Kind, "Show the finished {video}: ")
		what = blockkit.PlainLine(humanize.WithNoun(p.Kind, "The customer's page will show the {video} that is ready (file ") + p.Deliver + ").")
	}
	lines := []blockkit.Line{
		blockkit.L(blockkit.Bold(head), blockkit.Code(humanize.ShortID(p.Session)), blockkit.Bold("?"), blockkit.Plain(" Requested by "), humanize.Person(p.Requester)),
		planMoney(p, cents), what,
	}
	for i, warning := range p.Warnings {
		if cost := cmp.Or(2*p.Cents(), videoCents(p, cents)); i == 0 && p.Retrying && cost > 0 { // it is about what the site may make
			if p.Restore != nil {
				warning = strings.Replace(warning, "at the next retry", "at the next retry ("+remedy.CostText(cost)+")", 1)
			} else {
				warning = strings.TrimSuffix(warning, ".") + " (" + remedy.CostText(cost) + ")."
			}
		}
		lines = append(lines, blockkit.L(blockkit.Plain("⚠ "), blockkit.Bold(warning)))
	}
	lines = append(lines, blockkit.Fact("Session", blockkit.Code(p.Session)))
	var facts []blockkit.Line
	for _, w := range p.Writes {
		facts = append(facts, blockkit.Fact("Writes to Redis", blockkit.Plain(writeText(w))))
	}
	if p.Order != nil {
		facts = append(facts, blockkit.Fact("Settings", blockkit.Plain(sourcesText(*p.Order))))
	}
	if p.Replay != nil {
		facts = append(facts, replayFact(p))
	}
	facts = append(facts, blockkit.Fact("Checked", blockkit.Plain("at "), humanize.SecondsTime(p.Seen.At, p.Created),
		blockkit.Plain(fmt.Sprintf(": %s, %s, %s. Rechecked on approval.", p.Seen.Verdict, seenPayment(p.Seen), seenFile(p)))))
	terms := blockkit.L(blockkit.Plain("Expires "), humanize.ClockTime(p.Expires, p.Created), blockkit.Plain(". Nothing changes before approval."))
	if p.Risk != "" {
		terms = append(terms, blockkit.Plain(twoPresses(p)))
	}
	blocks := []slack.Block{blockkit.Paragraph(lines...)}
	if p.Restore != nil {
		blocks = append(blocks, promptBlocks(p)...)
	}
	return append(blocks, blockkit.Details("Details", blockkit.Paragraph(facts...)), blockkit.Context(blockkit.Mrkdwn(terms)))
}

// twoPresses says how a plan that carries a risk is approved.
func twoPresses(p repair.Plan) string {
	why := " Because of the warning, "
	switch at := slices.Index(p.Warnings, p.Risk); {
	case len(p.Warnings) > 1 && at == 0:
		why = " Because of the first warning, "
	case len(p.Warnings) > 1 && at == 1:
		why = " Because of the second warning, "
	}
	if p.Requester.Terminal {
		return why + "you are asked twice."
	}
	return why + "Approve must be pressed twice."
}

// ConfirmationBlocks show a plan after the first of two presses, which was that on
// Include or one on Approve.
func ConfirmationBlocks(p repair.Plan, by store.Actor, onInclude bool) []slack.Block {
	so := " pressed once; nothing has been done yet."
	if onInclude {
		so = " pressed once, choosing to include what Stripe may still deliver; nothing has been done yet."
	}
	return append(PlanBlocks(p, p.Cents()), blockkit.Paragraph(blockkit.L(humanize.Person(by), blockkit.Bold(so),
		blockkit.Plain(" To confirm, they must press “"+approveAgainLabel+"”, at least "+humanize.Duration(repair.SecondPressDelay)+" later. Anybody else has to press it twice."))))
}

// PlanActions are the plan's buttons; press is the id of the first of two. The
// plan is the confirmation: no dialog asks once more.
func PlanActions(p repair.Plan, press string) []slack.BlockElement {
	if p.IsBulk() {
		return bulkPlanActions(p, press)
	}
	label, value, style := "Approve: mark as error", p.ID, slack.StylePrimary
	switch {
	case p.Restore != nil:
		label = "Approve: restore the prompt"
	case p.Order != nil:
		label, style = "Approve: generate, "+remedy.CostText(p.Cents()), slack.StyleDanger
	case p.Replay != nil:
		label, style = "Approve: replay, "+remedy.CostText(p.Cents()), slack.StyleDanger
	case p.Deliver != "":
		label = humanize.WithNoun(p.Kind, "Approve: show the {video}")
	}
	if press != "" {
		label, value = approveAgainLabel, p.ID+"."+press
		if p.Order != nil || p.Replay != nil {
			label += ", " + remedy.CostText(p.Cents())
		}
	}
	approve := blockkit.Button(ActionApprove, label, value)
	approve.Style = style
	return []slack.BlockElement{approve, blockkit.Button(ActionCancel, "Cancel", p.ID)}
}

// approveAgainLabel begins the label of Approve after the first of two presses.
const approveAgainLabel = "Approve anyway"

// ParsePlanValue splits the value of a plan's button into the plan's id and the
// id of the first press, "" = none.
func ParsePlanValue(value string) (planID, press string) {
	planID, press, _ = strings.Cut(value, ".")
	return planID, press
}

func seenPayment(s repair.Snapshot) string {
	amount := humanize.Money(s.Amount, s.Currency)
	switch {
	case s.Payment == store.PaymentPaid && s.Amount > 0:
		return "paid " + amount
	case s.Payment == store.PaymentPartiallyRefunded:
		return "paid " + amount + ", part of which was refunded"
	}
	return "payment " + humanize.Words(string(s.Payment))
}

// seenFile is the state of the file for which a plan was made.
func seenFile(p repair.Plan) string {
	switch {
	case p.Deliver != "":
		return "a finished file"
	case p.Seen.FileState == store.FileNone || p.Seen.FileState == "":
		return "no file"
	}
	return "file " + cmp.Or(fileStateTexts[p.Seen.FileState], humanize.Words(string(p.Seen.FileState)))
}

func orderText(o repair.Order) string {
	what := fmt.Sprintf("%s, %d s", o.Model, o.Seconds)
	if o.Image {
		what = "an image by " + o.Model
	}
	return fmt.Sprintf("Sends one request to SuperDuperAI: %s, %d×%d.", what, o.Width, o.Height)
}

func sourcesText(o repair.Order) string {
	parts := []string{fmt.Sprintf("the customer's prompt (%s)", humanize.Count(o.PromptChars, "character"))}
	if !o.Image {
		parts = append(parts, sourceText("length", o.SecondsFrom))
	}
	parts = append(parts, sourceText("size", o.SizeFrom))
	if o.SessionModel != "" && o.SessionModel != o.Model {
		parts = append(parts, fmt.Sprintf("model %s (the session names %s, which the bot does not use)", o.Model, blockkit.Cut(blockkit.OneLine(o.SessionModel), 80)))
	}
	return strings.Join(parts, " · ")
}

// sourceText says whether a setting is the customer's.
func sourceText(setting string, s repair.Source) string {
	if s == repair.FromSession || s == repair.FromPrompt {
		return setting + " as ordered"
	}
	return "default " + setting
}

// writeText shows a key's members before and after.
func writeText(w sessions.KeyWrite) string {
	key := w.Kind
	switch {
	case w.Create:
		key += " (new)"
	case w.Replaced:
		key += " (cannot be read: replaced, after a copy is saved under sessionbot:saved:)"
	case w.Unreadable:
		key += " (cannot be read: changed, after a copy is saved under sessionbot:saved:)"
	}
	var parts []string
	for _, c := range w.Changes {
		parts = append(parts, changeText(c))
	}
	if len(w.LaterMembers) > 0 {
		parts = append(parts, "after the start: "+strings.Join(w.LaterMembers, ", "))
	}
	return key + ": " + strings.Join(parts, " · ")
}

// changeText is what becomes of one member.
func changeText(c sessions.Change) string {
	before := ""
	switch {
	case c.NotString:
		before = " (unreadable)"
	case c.Before != nil && c.After != nil && *c.Before == *c.After:
		return c.Name + " stays " + memberText(c.After)
	case c.Before != nil && c.After != nil:
		before = " from " + memberText(c.Before)
	}
	if c.After == nil {
		return "remove " + c.Name + before
	}
	return "set " + c.Name + before + " to " + memberText(c.After)
}

func memberText(value *string) string {
	return "“" + blockkit.Cut(strings.ReplaceAll(blockkit.Clean(*value), "\n", " "), 60) + "”"
}
