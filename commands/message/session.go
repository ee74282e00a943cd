// Package message renders sessions, plans, jobs and bulk plans with their buttons, and
// explains errors. It looks nothing up.
package message

import (
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands/remedy"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/repair"
)

// DebugButton opens debug of a session.
func DebugButton(label, id string) *slack.ButtonBlockElement {
	return blockkit.Button("session.debug", label, id)
}

// SessionActions offer the repairs that the state allows, in the order of the advice.
func SessionActions(x diagnosis.Examination, cents int) []slack.BlockElement {
	var actions []slack.BlockElement
	if x.JobErr == nil {
		s := situationOf(x, cents)
		if x.Job != store.JobNone { // it has to end, or to be settled, first
			s.Allowed = slices.DeleteFunc(slices.Clone(s.Allowed), func(a store.Action) bool { return a == store.ActionRestore })
		}
		actions = s.Buttons(x.Session.ID)
	}
	if x.Verdict == diagnosis.VerdictUnclear && x.Job == store.JobUnclear {
		actions = append(actions, notMadeButton(x.Repair.ID, x.Session.Kind()))
	}
	return append(actions, DebugButton("Refresh", x.Session.ID))
}

// RefusalActions are SessionActions below a refusal, where Debug shows the rest.
func RefusalActions(x diagnosis.Examination, cents int) []slack.BlockElement {
	actions := SessionActions(x, cents)
	return append(actions[:len(actions)-1], DebugButton("Debug", x.Session.ID))
}

// DebugHint says that Debug is safe to press.
const DebugHint = "Debug shows the session, and changes nothing."

// PlanHint says that the buttons with a plan are safe to press, nil = there are none.
func PlanHint(x diagnosis.Examination, actions []slack.BlockElement) []slack.Block {
	var labels []string
	for _, action := range actions {
		if button, ok := action.(*slack.ButtonBlockElement); ok && strings.HasSuffix(button.Text.Text, "…") {
			labels = append(labels, button.Text.Text)
		}
	}
	if labels == nil {
		return nil
	}
	text := "Buttons ending in “…” show a plan first: nothing changes before it is approved."
	if len(labels) > 1 && slices.Contains(labels, remedy.MarkLabel) { // else it is what is advised
		text += " “" + remedy.MarkLabel + "” changes what the customer's page says: it refunds nothing"
		if x.Event.State == store.EventUnknown || !repair.RetriesUntil(x.Event, x.At).IsZero() {
			text += ", and stops none of Stripe's retries"
		}
		text += "."
	}
	return []slack.Block{blockkit.Context(text)}
}

// SessionBlocks show the diagnosis of a session and the next step: the verdict, the facts, and
// a sentence for the customer. handled is who handled it outside, nil = no one; alertStatus says
// whether people were alerted; cents are what its video costs, by estimate, 0 = unknown.
func SessionBlocks(x diagnosis.Examination, handled *incident.Handled, alertStatus incident.AlertStatus, siteURL string, cents int) []slack.Block {
	earlier := blockkit.Fact("Earlier repairs", repairLine(x)...)
	if handled != nil {
		earlier = append(earlier, blockkit.Plain(" · handled elsewhere by "), blockkit.User(handled.By), blockkit.Plain(" "),
			humanize.AgoTime(handled.At, x.At), blockkit.Plain(", when it was "+humanize.Words(string(handled.Verdict))))
	}
	facts := slices.Concat(
		[]blockkit.Line{blockkit.Fact("Session", blockkit.Code(x.Session.ID))},
		paymentFacts(x), customerFacts(x), redisFacts(x), site(siteURL).fileFacts(x),
		[]blockkit.Line{site(siteURL).siteFact(x), earlier}, alertFacts(x, alertStatus))
	next := NextStep(x, cents)
	if x.Verdict.InTrouble() && handled != nil {
		next = append(blockkit.L(blockkit.Plain("Ask "), blockkit.User(handled.By), blockkit.Plain(" before you spend anything: they marked this session as handled at "), humanize.ClockTime(handled.At, x.At),
			blockkit.Plain(humanize.WithNoun(x.Session.Kind(), " (it was "+humanize.Words(string(handled.Verdict))+" then). If they refunded it or made the {video}: nothing else to do. Otherwise:\n"))), next...)
	}
	sentence := site(siteURL).customerSentence(x)
	if x.Verdict.InTrouble() && handled != nil && x.Deliver == "" { // they may have been refunded
		sentence = lookingIntoIt
	}
	heading := Heading(": "+humanize.LowerFirst(x.Reason), next)
	heading[0] = append(blockkit.L(blockkit.Tag(humanize.Title(x.Verdict), verdictColour(x.Verdict))), heading[0]...)
	return []slack.Block{
		blockkit.Paragraph(heading...),
		blockkit.Paragraph(facts...),
		forCustomer(),
		blockkit.Quote(sentence),
		blockkit.Context(blockkit.Mrkdwn(blockkit.L(blockkit.Plain("Checked "), humanize.SecondsTime(x.At, x.At)))),
	}
}

// verdictColour is red for sessions in trouble.
func verdictColour(v diagnosis.Verdict) slack.RichTextTagColor {
	switch {
	case v == diagnosis.VerdictUnclear:
		return slack.RichTextTagColorYellow
	case v.InTrouble():
		return slack.RichTextTagColorRed
	case v == diagnosis.VerdictCompleted:
		return slack.RichTextTagColorGreen
	case v == diagnosis.VerdictWaiting || v == diagnosis.VerdictProcessing:
		return slack.RichTextTagColorBlue
	}
	return slack.RichTextTagColorGray
}

// forCustomer labels a sentence that support can send.
func forCustomer() slack.Block {
	return blockkit.Paragraph(blockkit.L(blockkit.Bold("For the customer"), blockkit.Plain(" (to copy: the bot sends nothing)")))
}

// customerFacts name the customer, if Stripe does.
func customerFacts(x diagnosis.Examination) []blockkit.Line {
	if x.Payment.Email == "" {
		return nil
	}
	return []blockkit.Line{blockkit.Fact("Customer", blockkit.Plain(blockkit.Cut(blockkit.OneLine(x.Payment.Email), 254)))}
}

// Headline is the verdict of an answer and what to do next, "" = nothing.
func Headline(head, next string) []blockkit.Line {
	if next == "" {
		return Heading(head, nil)
	}
	return Heading(head, blockkit.PlainLine(next))
}

// Heading is Headline with links and times in what to do next.
func Heading(head string, next blockkit.Line) []blockkit.Line {
	lines := []blockkit.Line{blockkit.BoldLine(head)}
	if len(next) > 0 {
		lines = append(lines, append(blockkit.L(blockkit.Plain("→ ")), next...))
	}
	return lines
}
