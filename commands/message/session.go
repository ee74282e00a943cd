// Package message shows sessions, plans, jobs and bulk plans with their buttons, and says
// what an error means. It looks nothing up.
package message

import (
	"slices"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
)

// DebugButton shows what is known of a session.
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

// SessionBlocks show what is known of a session and what to do: the verdict, the facts, and
// a sentence for the customer. handled is who handled it outside, nil = nobody; account says
// whether people were alerted; cents are what its video costs, by estimate, 0 = unknown.
func SessionBlocks(x diagnosis.Examination, handled *incident.Handled, account incident.AlertAccount, siteURL string, cents int) []slack.Block {
	earlier := blockkit.Fact("Earlier repairs", repairLine(x)...)
	if handled != nil {
		earlier = append(earlier, blockkit.Plain(" · handled elsewhere by "), blockkit.User(handled.By), blockkit.Plain(" "),
			humanize.AgoTime(handled.At, x.At), blockkit.Plain(", when it was "+humanize.Words(string(handled.Verdict))))
	}
	facts := slices.Concat(
		[]blockkit.Line{blockkit.Fact("Session", blockkit.Code(x.Session.ID))},
		paymentFacts(x), customerFacts(x), redisFacts(x), site(siteURL).fileFacts(x),
		[]blockkit.Line{siteFact(x), earlier}, alertFacts(x, account))
	heading := Heading(": "+humanize.LowerFirst(x.Reason), NextStep(x, cents))
	heading[0] = append(blockkit.L(blockkit.Tag(humanize.Title(x.Verdict), verdictColour(x.Verdict))), heading[0]...)
	return []slack.Block{
		blockkit.Paragraph(heading...),
		blockkit.Paragraph(facts...),
		forCustomer(),
		blockkit.Quote(site(siteURL).customerSentence(x)),
		blockkit.Context(blockkit.Mrkdwn(blockkit.L(blockkit.Plain("Checked "), humanize.SecondsTime(x.At, x.At)))),
	}
}

// verdictColour is red for what somebody has to put right.
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

// forCustomer is above a sentence that support can send.
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
