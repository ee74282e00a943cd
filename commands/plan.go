package commands

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/sessions"
)

// The buttons of a plan. Their value is the plan's opaque id, followed by the
// nonce of the first click where it takes two; see ParsePlanValue.
const (
	ActionApprove = "confirm.approve"
	ActionCancel  = "confirm.cancel"
	ActionNotMade = "confirm.not_made"
)

// PlanBlocks shows what a plan will do, where and at what cost.
func PlanBlocks(p repair.Plan) []slack.Block {
	if p.IsBulk() {
		return bulkPlanBlocks(p)
	}
	head, what := "Mark as error: ", "The customer's page will say: “"+p.FixText+"”"
	switch {
	case p.Order != nil:
		head, what = withNoun(p.Kind, "Generate {a video} for "), orderText(*p.Order)
	case p.Deliver != "":
		head = withNoun(p.Kind, "Show the finished {video}: ")
		what = withNoun(p.Kind, "Costs nothing. The customer's page will show the {video} that is ready (file ") + p.Deliver + ")."
	}
	lines := []blockkit.Line{
		blockkit.L(blockkit.Bold(head), blockkit.Code(shortID(p.Session)), blockkit.Bold("?"), blockkit.Plain(" asked by "), person(p.Requester)),
		blockkit.PlainLine(what),
	}
	for i, warning := range p.Warnings {
		line := blockkit.L(blockkit.Plain("⚠ "), blockkit.Bold(warning))
		if i == 0 && p.Retrying && p.EventID != "" {
			line = append(line, blockkit.Plain(" "), eventLink(p.Live, p.EventID, "Look at it or resend it"))
		}
		lines = append(lines, line)
	}
	facts := []blockkit.Line{blockkit.Fact("Session", blockkit.Code(p.Session))}
	for _, w := range p.Writes {
		facts = append(facts, blockkit.Fact("Writes "+w.Kind+":…", blockkit.Plain(writeText(w))))
	}
	if p.Order != nil {
		facts = append(facts, blockkit.Fact("Taken from", blockkit.Plain(sourcesText(*p.Order))))
	}
	facts = append(facts, blockkit.Fact("Seen", blockkit.Plain(fmt.Sprintf(
		"%s, payment %s, file %s, at %s. Looked at again when it is approved.",
		p.Seen.Verdict, seenPayment(p.Seen), humanize(string(p.Seen.FileState)), p.Seen.At.UTC().Format("15:04:05 UTC")))))
	terms := "Expires " + p.Expires.UTC().Format("15:04 UTC") + ". Until it is approved nothing is changed."
	if p.Risk != "" {
		terms += " It takes a second press, because of the warning."
	}
	return []slack.Block{blockkit.Paragraph(lines...), blockkit.Paragraph(facts...), blockkit.Context(terms)}
}

// ConfirmationBlocks show a plan after the first of two clicks on Approve.
func ConfirmationBlocks(p repair.Plan, by store.Actor) []slack.Block {
	return append(PlanBlocks(p), blockkit.Paragraph(blockkit.L(blockkit.Bold("Pressed once by "), person(by),
		blockkit.Bold(", and nothing is done yet."), blockkit.Plain(" It counts when they press the changed button; whoever else presses it starts with a first press."))))
}

// PlanActions are the plan's buttons; nonce is that of the first of two clicks.
func PlanActions(p repair.Plan, nonce string) []slack.BlockElement {
	if p.IsBulk() {
		return bulkPlanActions(p, nonce)
	}
	label, question, style := "Approve: mark as error", "The session is marked as error.", slack.StylePrimary
	switch {
	case p.Order != nil:
		label, question = "Approve: generate"+costSuffix(*p.Order), withNoun(p.Kind, "One {video} is asked for")+costSuffix(*p.Order)+"."
		style = slack.StyleDanger
	case p.Deliver != "":
		label, question = withNoun(p.Kind, "Approve: show the {video}"), withNoun(p.Kind, "The finished {video} is shown to the customer.")
	}
	value := p.ID
	switch {
	case nonce != "":
		label, value = secondPress, p.ID+"."+nonce
		question += " " + p.Risk
	case p.Risk != "":
		question = "This is the first of two presses: nothing is done yet. " + p.Risk
	}
	approve := blockkit.Button(ActionApprove, label, value)
	approve.Style = style
	blockkit.Confirm(approve, "Are you sure?", question, "Approve", "Back")
	return []slack.BlockElement{approve, blockkit.Button(ActionCancel, "Cancel", p.ID)}
}

// secondPress is the label of Approve after the first of two clicks.
const secondPress = "Approve anyway"

// ParsePlanValue splits the value of a plan's button into the plan's id and the
// nonce of the first click, "" = none.
func ParsePlanValue(value string) (planID, nonce string) {
	planID, nonce, _ = strings.Cut(value, ".")
	return planID, nonce
}

func seenPayment(s repair.Snapshot) string {
	amount := money(s.Amount, s.Currency)
	switch {
	case s.Payment == store.PaymentPaid && s.Amount > 0:
		return "paid " + amount
	case s.Payment == store.PaymentPartiallyRefunded:
		return "paid " + amount + ", of which a part was refunded"
	}
	return humanize(string(s.Payment))
}

func costSuffix(o repair.Order) string {
	if o.Cents == 0 {
		return ", cost unknown"
	}
	return ", about " + strings.TrimSuffix(money(int64(o.Cents), "usd"), ".00")
}

func orderText(o repair.Order) string {
	what := fmt.Sprintf("%s, %d s", o.Model, o.Seconds)
	if o.Image {
		what = "an image by " + o.Model
	}
	return fmt.Sprintf("Sends one request to SuperDuperAI: %s, %d×%d%s.", what, o.Width, o.Height, costSuffix(o))
}

func sourcesText(o repair.Order) string {
	parts := []string{fmt.Sprintf("prompt (%s): %s", count(o.PromptChars, "character"), sourceText(o.PromptFrom))}
	if !o.Image {
		parts = append(parts, "seconds: "+sourceText(o.SecondsFrom))
	}
	parts = append(parts, "size: "+sourceText(o.SizeFrom))
	if o.SessionModel != "" && o.SessionModel != o.Model {
		parts = append(parts, "the session itself names the model "+blockkit.Cut(blockkit.OneLine(o.SessionModel), 80))
	}
	return strings.Join(parts, " · ")
}

func sourceText(s repair.Source) string {
	texts := map[repair.Source]string{repair.FromSession: "the session", repair.FromPrompt: "the prompt key"}
	return cmp.Or(texts[s], "the default")
}

// writeText shows a key's members before and after.
func writeText(w sessions.KeyWrite) string {
	var parts []string
	switch {
	case w.Create:
		parts = append(parts, "(missing)")
	case w.Replaced:
		parts = append(parts, "(not readable at all: saved first, then replaced as a whole)")
	case w.Unreadable:
		parts = append(parts, "(cannot be read, saved first)")
	}
	for _, c := range w.Changes {
		before := memberText(c.Before)
		if c.Odd {
			before = "(unreadable)"
		}
		parts = append(parts, c.Name+" "+before+" → "+memberText(c.After))
	}
	if len(w.LaterMembers) > 0 {
		parts = append(parts, "then "+strings.Join(w.LaterMembers, ", "))
	}
	return strings.Join(parts, " · ")
}

func memberText(value *string) string {
	if value == nil {
		return "–"
	}
	return "“" + blockkit.Cut(blockkit.OneLine(*value), 60) + "”"
}

// person names an actor.
func person(a store.Actor) blockkit.Span {
	if a.Terminal {
		return blockkit.Plain(blockkit.OneLine(a.ID) + " (terminal)")
	}
	return blockkit.User(a.ID)
}
