package commands

import (
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
)

// The buttons of an alert; their value is the incident's opaque id.
const (
	ActionAcknowledge = "alert.ack"
	ActionSnooze      = "alert.snooze"
)

const (
	maxButtonValue = 2000 // characters, by Slack
	maxAlertText   = 3900 // runes; Slack takes under 4000
)

// Alert is what is shown of an incident: the blocks, and the text for
// notifications and screen readers.
type Alert struct {
	Blocks []slack.Block
	Text   string
}

// NewAlert shows the state of an incident. mention is the id of the person or the
// group to notify, "" = nobody.
func NewAlert(i incident.Incident, mention string, now time.Time) Alert {
	head, next := alertText(i)
	blocks := blockkit.Message(blockkit.PlainLine(next))
	if line := ownerLine(i, now); line != nil {
		blocks = append(blocks, blockkit.Paragraph(line))
	}
	if actions := alertActions(i); actions != nil {
		blocks = append(blocks, slack.NewActionBlock("", actions...))
	}
	open := i.Open()
	total := len(open)
	if i.Kind == incident.Backlog { // which holds only the newest
		total = i.Sessions
	}
	for _, c := range open[:min(len(open), incident.ShownCases)] {
		blocks = append(blocks, blockkit.Paragraph(caseLine(c, now)))
		if len(c.ID) <= maxButtonValue { // a longer key is no session of Stripe's
			blocks = append(blocks, slack.NewActionBlock("", caseActions(c)...))
		}
	}
	if more := total - incident.ShownCases; more > 0 {
		blocks = append(blocks, blockkit.Paragraph(blockkit.PlainLine("and "+count(more, "session")+" more")))
	}
	if lines := goneLines(i, now); lines != nil {
		blocks = append(blocks, blockkit.Paragraph(lines...))
	}
	return composeAlert(alertEmoji(i), head, mention, blocks)
}

// AlertReply is a message in the thread of an alert, by the reason for it.
func AlertReply(i incident.Incident, reason, mention string, now time.Time) Alert {
	open := i.Open()
	head := casesText(diagnosis.Verdict(i.Kind), open)
	if sum := sumText(incident.SumOf(open)); sum != "" {
		head += " (" + sum + ")"
	}
	prefix, next := "Growing: ", "→ See the message above."
	switch reason {
	case "reminder":
		prefix = "Still open after " + span(now.Sub(i.PostedAt)) + ": "
		next = "→ Nobody has acknowledged it: press Acknowledge above, or Snooze."
	case "reopened":
		prefix = "Open again: "
	}
	return composeAlert("", prefix+lowerFirst(head)+".", mention, blockkit.Message(blockkit.PlainLine(next)))
}

// composeAlert puts the headline, which holds no text from outside, above the blocks.
func composeAlert(emoji, head, mention string, blocks []slack.Block) Alert {
	call := mentionText(mention)
	shown := strings.TrimSpace(emoji + " *" + blockkit.Escape(head) + "* " + call)
	section := slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, shown, false, false), nil, nil)
	text := strings.TrimSpace(call + " " + blockkit.Escape(head))
	if rest := blockkit.Fallback(blocks); rest != "" {
		text = blockkit.Cut(text+"\n"+rest, maxAlertText)
	}
	return Alert{Blocks: append([]slack.Block{section}, blocks...), Text: text}
}

// mentionText notifies a person or a group, in mrkdwn.
func mentionText(id string) string {
	switch {
	case id == "":
		return ""
	case strings.HasPrefix(id, "S"):
		return "<!subteam^" + id + ">"
	}
	return "<@" + id + ">"
}

// caseLine is one session: its id, its payment, its age, what Stripe says.
func caseLine(c incident.Case, now time.Time) blockkit.Line {
	var parts []string
	switch {
	case c.Payment == store.PaymentNotRequired:
		parts = append(parts, "nothing to pay")
	case c.Amount > 0:
		parts = append(parts, money(c.Amount, c.Currency))
	}
	if !c.At.IsZero() {
		parts = append(parts, caseAge(c, now))
	}
	if c.Payment == store.PaymentUnverified {
		parts = append(parts, "payment unverified")
	}
	if text := orphanTexts[c.Event].event; text != "" {
		parts = append(parts, "Stripe: "+text)
	}
	line := blockkit.L(blockkit.Code(shortID(c.ID)), blockkit.Plain(" · "+strings.Join(parts, " · ")))
	if c.EventID != "" {
		line = append(line, blockkit.Plain(" · "), eventLink(c.Live, c.EventID, "look at it or resend it"))
	}
	return line
}

// caseAge is how long the session has been in its state.
func caseAge(c incident.Case, now time.Time) string {
	lasting := "for " + span(now.Sub(c.At)) + " (since " + clock(c.At, now) + ")"
	switch {
	case c.Verdict == diagnosis.VerdictFailed:
		return "failed " + ago(c.At, now)
	case c.Verdict == diagnosis.VerdictStalled:
		return "in the making " + lasting
	case c.Verdict != diagnosis.VerdictOrphaned && c.Verdict != diagnosis.VerdictLost:
		return lasting
	case c.Payment == store.PaymentUnverified:
		return "stored " + ago(c.At, now)
	case c.Payment == store.PaymentNotRequired:
		return "ordered " + ago(c.At, now)
	}
	return "paid " + ago(c.At, now)
}

// caseActions are a session's buttons: the repairs that its last examination allowed.
func caseActions(c incident.Case) []slack.BlockElement {
	buttons := []slack.BlockElement{debugButton("Debug", c.ID)}
	if slices.Contains(c.Allowed, store.ActionGenerate) {
		buttons = append(buttons, blockkit.Button("session.generate", "Generate…", c.ID))
	}
	if slices.Contains(c.Allowed, store.ActionFix) {
		label := "Mark as error…"
		if c.Shows {
			label = "Show the video…"
		}
		buttons = append(buttons, blockkit.Button("session.fix", label, c.ID))
	}
	return buttons
}

// goneLines are the sessions that left the incident, the last first.
func goneLines(i incident.Incident, now time.Time) []blockkit.Line {
	gone := i.Gone()
	var lines []blockkit.Line
	for _, c := range gone[:min(len(gone), incident.ShownCases)] {
		lines = append(lines, blockkit.L(blockkit.Struck(shortID(c.ID)), blockkit.Plain(" · "+endingText(i.Kind, c.Ending)+" "+clock(c.Gone, now))))
	}
	if more := len(gone) - incident.ShownCases; more > 0 {
		lines = append(lines, blockkit.PlainLine("and "+count(more, "session")+" more that left"))
	}
	return lines
}

// ownerLine names who acknowledged or snoozed the incident, nil = nobody.
func ownerLine(i incident.Incident, now time.Time) blockkit.Line {
	var line blockkit.Line
	if a := i.Acknowledged; a != nil {
		line = append(line, blockkit.Plain("Acknowledged by "), blockkit.User(a.By), blockkit.Plain(" "+clock(a.At, now)))
	}
	if s := i.Snoozed; s != nil && i.Closed.IsZero() {
		if line != nil {
			line = append(line, blockkit.Plain(" · "))
		}
		line = append(line, blockkit.Plain("Snoozed until "+clock(s.Until, now)+" by "), blockkit.User(s.By))
	}
	return line
}

// alertActions are the buttons of the whole incident.
func alertActions(i incident.Incident) []slack.BlockElement {
	if !i.Closed.IsZero() || summaries[i.Kind] != nil {
		return nil // there are no reminders of a summary
	}
	snooze := blockkit.Button(ActionSnooze, "Snooze 1 h", i.ID)
	if i.Acknowledged != nil {
		return []slack.BlockElement{snooze}
	}
	acknowledge := blockkit.Button(ActionAcknowledge, "Acknowledge", i.ID)
	acknowledge.Style = slack.StylePrimary
	return []slack.BlockElement{acknowledge, snooze}
}

const alertForgotten = "This alert is too old: nothing is known of it any more."

// AlertClickReply answers a click that changed nothing, or whose incident is gone.
func AlertClickReply(i incident.Incident, now time.Time) blockkit.Line {
	switch {
	case i.ID == "":
		return blockkit.PlainLine(alertForgotten)
	case !i.Closed.IsZero():
		return blockkit.PlainLine("Resolved already, " + ago(i.Closed, now) + ". There is nothing to do.")
	case i.Acknowledged != nil:
		return blockkit.L(blockkit.Plain("Acknowledged already, "+ago(i.Acknowledged.At, now)+", by "), blockkit.User(i.Acknowledged.By), blockkit.Plain("."))
	}
	return blockkit.PlainLine("Nothing was changed.")
}
