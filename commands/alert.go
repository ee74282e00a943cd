package commands

import (
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
)

// The buttons of an alert; their value is the incident's opaque id.
const (
	ActionAcknowledge = "alert.ack"
	ActionSnooze      = "alert.snooze"
)

// longestValue is what Slack allows a button to carry.
const longestValue = 2000

// Alert is what is shown of an incident: the blocks, and the text for
// notifications and screen readers.
type Alert struct {
	Blocks []slack.Block
	Text   string
}

// AlertOf shows an incident as it stands. mention is the id of the person or the
// group to be called, "" = nobody.
func AlertOf(i store.Incident, mention string, now time.Time) Alert {
	head, next := alertText(i)
	blocks := []slack.Block{blockkit.Paragraph(lines(next)...)}
	if line := pressLine(i, now); line != nil {
		blocks = append(blocks, blockkit.Paragraph(line))
	}
	if actions := alertActions(i); actions != nil {
		blocks = append(blocks, slack.NewActionBlock("", actions...))
	}
	open := i.Open()
	all := len(open)
	if i.Kind == store.IncidentHistory { // which holds the newest alone
		all = i.Sessions
	}
	for _, c := range open[:min(len(open), store.ShownCases)] {
		blocks = append(blocks, blockkit.Paragraph(caseLine(c, now)))
		if len(c.ID) <= longestValue { // else it is no session of Stripe's
			blocks = append(blocks, slack.NewActionBlock("", caseActions(c)...))
		}
	}
	if more := all - store.ShownCases; more > 0 {
		blocks = append(blocks, blockkit.Paragraph(blockkit.L(blockkit.Plain("and "+count(more, "session")+" more"))))
	}
	if left := leftLines(i, now); left != nil {
		blocks = append(blocks, blockkit.Paragraph(left...))
	}
	return withHead(alertEmoji(i), head, mention, blocks)
}

// withHead puts the headline and the mention above the blocks. The headline
// holds nothing but what is said here and figures.
func withHead(emoji, head, mention string, blocks []slack.Block) Alert {
	call := mentionOf(mention)
	shown := strings.TrimSpace(emoji + " *" + blockkit.Escape(head) + "* " + call)
	text := strings.TrimSpace(call + " " + blockkit.Escape(head))
	section := slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, shown, false, false), nil, nil)
	if rest := blockkit.Fallback(blocks); rest != "" {
		text = blockkit.Cut(text+"\n"+rest, 3900)
	}
	return Alert{Blocks: append([]slack.Block{section}, blocks...), Text: text}
}

// mentionOf calls a person or a group, in mrkdwn.
func mentionOf(id string) string {
	switch {
	case id == "":
		return ""
	case strings.HasPrefix(id, "S"):
		return "<!subteam^" + id + ">"
	}
	return "<@" + id + ">"
}

func lines(texts []string) []blockkit.Line {
	var all []blockkit.Line
	for _, text := range texts {
		all = append(all, blockkit.L(blockkit.Plain(text)))
	}
	return all
}

// caseLine is one session: its id, its payment, its age, what Stripe says.
func caseLine(c store.Case, now time.Time) blockkit.Line {
	line := blockkit.L(blockkit.Code(shortID(c.ID)), blockkit.Plain(" · "+caseText(c, now)))
	if c.EventID != "" {
		line = append(line, blockkit.Plain(" · "), eventLink(c.Live, c.EventID, "look at it or resend it"))
	}
	return line
}

func caseText(c store.Case, now time.Time) string {
	var parts []string
	if amount := caseMoney(c); amount != "" {
		parts = append(parts, amount)
	}
	if !c.At.IsZero() {
		parts = append(parts, caseAge(c, now))
	}
	if c.Payment == store.PaymentUnverified {
		parts = append(parts, "payment unverified")
	}
	if text := caseEvent(c.Event); text != "" {
		parts = append(parts, "Stripe: "+text)
	}
	return strings.Join(parts, " · ")
}

// caseAge is since when the session stands so.
func caseAge(c store.Case, now time.Time) string {
	switch {
	case c.Verdict == store.VerdictFailed:
		return "failed " + ago(c.At, now)
	case c.Verdict == store.VerdictStalled:
		return "in the making for " + span(now.Sub(c.At)) + " (since " + clock(c.At, now) + ")"
	case c.Verdict != store.VerdictOrphaned && c.Verdict != store.VerdictLost:
		return "for " + span(now.Sub(c.At)) + " (since " + clock(c.At, now) + ")"
	case c.Payment == store.PaymentUnverified:
		return "stored " + ago(c.At, now)
	case c.Payment == store.PaymentNotRequired:
		return "ordered " + ago(c.At, now)
	}
	return "paid " + ago(c.At, now)
}

func caseMoney(c store.Case) string {
	switch {
	case c.Payment == store.PaymentNotRequired:
		return "nothing to pay"
	case c.Amount > 0:
		return money(c.Amount, c.Currency)
	}
	return ""
}

// caseActions are a session's buttons: what may be done, as far as was seen, with
// what helps the customer first.
func caseActions(c store.Case) []slack.BlockElement {
	buttons := []slack.BlockElement{debugButton("Debug", c.ID)}
	if slices.Contains(c.Allowed, store.ActionGenerate) {
		buttons = append(buttons, blockkit.Button("session.generate", "Generate…", c.ID))
	}
	switch {
	case !slices.Contains(c.Allowed, store.ActionFix):
	case c.Shows:
		buttons = append(buttons, blockkit.Button("session.fix", "Show the video…", c.ID))
	default:
		buttons = append(buttons, blockkit.Button("session.fix", "Mark as error…", c.ID))
	}
	return buttons
}

// leftLines are the sessions that left, struck through, the last first.
func leftLines(i store.Incident, now time.Time) []blockkit.Line {
	gone := i.Gone()
	var all []blockkit.Line
	for _, c := range gone[:min(len(gone), store.ShownCases)] {
		all = append(all, blockkit.L(blockkit.Struck(shortID(c.ID)), blockkit.Plain(" · "+endingText(i.Kind, c.Ending)+" "+clock(c.Gone, now))))
	}
	if more := len(gone) - store.ShownCases; more > 0 {
		all = append(all, blockkit.L(blockkit.Plain("and "+count(more, "session")+" more that left")))
	}
	return all
}

// pressLine tells who looks after the incident.
func pressLine(i store.Incident, now time.Time) blockkit.Line {
	var line blockkit.Line
	if a := i.Acknowledged; a != nil {
		line = append(line, blockkit.Plain("Acknowledged by "), blockkit.User(a.By), blockkit.Plain(" "+clock(a.At, now)))
	}
	if z := i.Snoozed; z != nil && i.Closed.IsZero() {
		if line != nil {
			line = append(line, blockkit.Plain(" · "))
		}
		line = append(line, blockkit.Plain("Snoozed until "+clock(z.Until, now)+" by "), blockkit.User(z.By))
	}
	return line
}

// alertActions are the buttons of the whole incident.
func alertActions(i store.Incident) []slack.BlockElement {
	if !i.Closed.IsZero() {
		return nil
	}
	switch i.Kind {
	case store.IncidentHistory, store.IncidentUnverified, store.IncidentBlind, store.IncidentFiles, store.IncidentEmpty:
		return nil // about a neighbour, of which nobody is reminded
	}
	snooze := blockkit.Button(ActionSnooze, "Snooze 1 h", i.ID)
	if i.Acknowledged != nil {
		return []slack.BlockElement{snooze}
	}
	acknowledge := blockkit.Button(ActionAcknowledge, "Acknowledge", i.ID)
	acknowledge.Style = slack.StylePrimary
	return []slack.BlockElement{acknowledge, snooze}
}

// PressedLine answers a press that changed nothing, or whose incident is gone.
func PressedLine(i store.Incident, now time.Time) blockkit.Line {
	switch {
	case i.ID == "":
		return blockkit.L(blockkit.Plain("This alert is too old: nothing is known of it any more."))
	case !i.Closed.IsZero():
		return blockkit.L(blockkit.Plain("Resolved already, " + ago(i.Closed, now) + ". There is nothing to do."))
	case i.Acknowledged != nil:
		return blockkit.L(blockkit.Plain("Acknowledged already, "+ago(i.Acknowledged.At, now)+", by "), blockkit.User(i.Acknowledged.By), blockkit.Plain("."))
	}
	return blockkit.L(blockkit.Plain("Nothing was changed."))
}
