package commands

import (
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/incident"
)

// The buttons of an alert; their value is the incident's opaque id.
const (
	ActionAcknowledge = "alert.ack"
	ActionSnooze      = "alert.snooze"
	ActionRepairAll   = "alert.repair"
)

const maxAlertText = 3900 // runes; Slack takes under 4000

// Alert is what is shown of an incident: the blocks, and the text for
// notifications and screen readers.
type Alert struct {
	Blocks []slack.Block
	Text   string
}

// AlertOptions are what alerts show besides their incident.
type AlertOptions struct {
	Mention    string // id of the person or the group to notify, "" = nobody
	Runbook    string // address of the runbook, "" = no link
	VideoCents int    // what a video costs, by estimate; 0 = unknown
}

// NewAlert shows the state of an incident.
func NewAlert(i incident.Incident, o AlertOptions, now time.Time) Alert {
	head, lines := alertText(i, o.VideoCents, now)
	if line := ownerLine(i, now); line != nil {
		lines = append(lines, line)
	}
	if link := runbookLink(i, o.Runbook); link != nil {
		lines = append(lines, blockkit.L(link))
	}
	blocks := blockkit.Message(lines...)
	if actions := alertActions(i); actions != nil {
		blocks = append(blocks, slack.NewActionBlock("", actions...))
	}
	blocks = append(blocks, caseRows(i, now)...)
	if lines := goneLines(i, now); lines != nil {
		blocks = append(blocks, blockkit.Paragraph(lines...))
	}
	return composeAlert(alertEmoji(i), head, o.Mention, blocks)
}

// AlertReply is a message in the thread of an alert, by the reason for it.
func AlertReply(i incident.Incident, reason, mention string, now time.Time) Alert {
	head := troubleText(i, i.Open())
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

// ownerLine names who acknowledged or snoozed the incident, nil = nobody.
func ownerLine(i incident.Incident, now time.Time) blockkit.Line {
	var line blockkit.Line
	if a := i.Acknowledged; a != nil {
		line = append(line, blockkit.Plain("Acknowledged by "), blockkit.User(a.By), blockkit.Plain(" "), clockTime(a.At, now))
	}
	if s := i.Snoozed; s != nil && i.Closed.IsZero() {
		if line != nil {
			line = append(line, blockkit.Plain(" · "))
		}
		line = append(line, blockkit.Plain("Snoozed until "), clockTime(s.Until, now), blockkit.Plain(" by "), blockkit.User(s.By))
	}
	return line
}

// alertActions are the buttons of the whole incident.
func alertActions(i incident.Incident) []slack.BlockElement {
	if !i.Closed.IsZero() || summaries[i.Kind] != nil {
		return nil // there are no reminders of a summary
	}
	var actions []slack.BlockElement
	if repairableCases(i) > 1 {
		actions = append(actions, blockkit.Button(ActionRepairAll, "Repair all…", i.ID))
	}
	if i.Acknowledged == nil {
		acknowledge := blockkit.Button(ActionAcknowledge, "Acknowledge", i.ID)
		acknowledge.Style = slack.StylePrimary
		actions = append(actions, acknowledge)
	}
	return append(actions, blockkit.Button(ActionSnooze, "Snooze 1 h", i.ID))
}

// repairableCases counts the sessions that can be repaired now: a video is shown, or
// made.
func repairableCases(i incident.Incident) int {
	n := 0
	for _, c := range i.Cases {
		makes := slices.Contains(c.Allowed, store.ActionReplay) || slices.Contains(c.Allowed, store.ActionGenerate)
		if c.Gone.IsZero() && c.Repair == nil && (makes || shows(c)) {
			n++
		}
	}
	return n
}

const alertForgotten = "This alert is too old: nothing is known of it any more."

// AlertClickReply answers a click that changed nothing, or whose incident is gone.
func AlertClickReply(i incident.Incident, now time.Time) blockkit.Line {
	switch {
	case i.ID == "":
		return blockkit.PlainLine(alertForgotten)
	case !i.Closed.IsZero():
		return blockkit.L(blockkit.Plain("Resolved already, "), agoTime(i.Closed, now), blockkit.Plain(". There is nothing to do."))
	case i.Acknowledged != nil:
		return blockkit.L(blockkit.Plain("Acknowledged already, "), agoTime(i.Acknowledged.At, now), blockkit.Plain(", by "), blockkit.User(i.Acknowledged.By), blockkit.Plain("."))
	}
	return blockkit.PlainLine("Nothing was changed.")
}
