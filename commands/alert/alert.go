// Package alert shows incidents: what happened and what to do, the sessions with their
// menus, and the replies to clicks.
package alert

import (
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands/note"
	"github.com/superduperai/sessionbot/commands/remedy"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
)

// The buttons of an alert; their value is the incident's opaque id. ActionSnooze is a
// menu; see SnoozeOf.
const (
	ActionAcknowledge = "alert.ack"
	ActionSnooze      = "alert.snooze"
	ActionRepairAll   = "alert.repair"
)

const maxAlertText = 3900 // runes; Slack takes under 4000

// Message shows an incident: the blocks, and the text for notifications and screen
// readers.
type Message struct {
	Blocks []slack.Block
	Text   string
}

// Options are what alerts show besides their incident.
type Options struct {
	Mention    string // id of the person or the group to notify, "" = none
	Runbook    string // address of the runbook, "" = no link
	VideoCents int    // what a video costs, by estimate; 0 = unknown
}

// New shows the state of an incident.
func New(i incident.Incident, o Options, now time.Time) Message {
	head, blocks := alertBlocks(i, o, incident.ShownCases, now)
	if lines := goneLines(i, now); lines != nil {
		blocks = append(blocks, blockkit.Paragraph(lines...))
	}
	return composeAlert(alertEmoji(i), head, o.Mention, blocks)
}

// Brief shows the state of an incident in less space: without whom to notify, with at
// most so many sessions, and none of those that left.
func Brief(i incident.Incident, o Options, rows int, now time.Time) []slack.Block {
	head, blocks := alertBlocks(i, o, rows, now)
	return composeAlert(alertEmoji(i), head, "", blocks).Blocks
}

// alertBlocks are the headline of an incident, and below it what to do, the buttons, and
// the sessions that have waited longest, at most so many.
func alertBlocks(i incident.Incident, o Options, rows int, now time.Time) (head string, blocks []slack.Block) {
	head, lines := alertText(i, o.VideoCents, now)
	if line := ownerLine(i, now); line != nil {
		lines = append(lines, line)
	}
	if link := runbookLink(i, o.Runbook); link != nil {
		lines = append(lines, blockkit.Line{link})
	}
	blocks = blockkit.Message(lines...)
	if actions := alertActions(i, now); actions != nil {
		blocks = append(blocks, slack.NewActionBlock(alertBlock(i), actions...))
	}
	if i.Closed.IsZero() && len(i.Open()) > 0 {
		blocks = append(blocks, blockkit.Context(buttonsText(i, o.VideoCents, now)))
	}
	return head, append(blocks, caseRows(i, rows, now)...)
}

// buttonsText says what the buttons and menus do, and what Repair all may cost.
func buttonsText(i incident.Incident, videoCents int, now time.Time) string {
	plans, repairs := "Menu entries that end in “…”", ""
	if offersRepairAll(i) {
		plans, repairs = "Repair all… and menu entries that end in “…”", " "+repairAllText(i, videoCents, now)
	}
	text := plans + " show a plan first: nothing happens before it is approved." + repairs
	if summaries[i.Kind] == nil { // a summary has no such buttons
		if i.Acknowledged == nil {
			text += " Acknowledge: you take it, and reminders go to you."
		}
		text += " Snooze: nobody is reminded for that long."
	}
	text += " Debug shows a session, and changes nothing."
	if i.Kind != incident.Backlog {
		text += " Handled closes the session's alert, and repairs nothing."
	}
	return text
}

// repairAllText says what Repair all plans, and what that may cost.
func repairAllText(i incident.Incident, videoCents int, now time.Time) string {
	if allUndelivered(i) {
		return "Repair all… shows the videos (no cost)."
	}
	made := repairable(i)
	retried := stillDelivered(made, now)
	n := len(made) - retried
	if n == 0 {
		return "Stripe is still retrying all of them, so Repair all… shows an empty plan, with a button to include them after all (it then plans replays, or generations if no replay is possible)."
	}
	cost, left := "its plan says the cost", ""
	if videoCents > 0 {
		cost = remedy.CostText(n*videoCents) + " for " + humanize.Count(n, "video")
	}
	if retried > 0 {
		left = "; what Stripe is still retrying (" + humanize.Thousands(int64(retried)) + ") is left out unless you include it"
	}
	return "Repair all… plans replays, or generations if no replay is possible (" + cost + ")" + left + "."
}

// composeAlert puts the headline, which holds no text from outside, above the blocks.
func composeAlert(emoji, head, mention string, blocks []slack.Block) Message {
	call := mentionText(mention)
	shown := strings.TrimSpace(emoji + " *" + blockkit.Escape(head) + "* " + call)
	section := slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, shown, false, false), nil, nil)
	text := strings.TrimSpace(call + " " + blockkit.Escape(head))
	if rest := blockkit.Fallback(blocks); rest != "" {
		text = blockkit.Cut(text+"\n"+rest, maxAlertText)
	}
	return Message{Blocks: append([]slack.Block{section}, blocks...), Text: text}
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

// ownerLine names who acknowledged or snoozed the incident, nil = no one.
func ownerLine(i incident.Incident, now time.Time) blockkit.Line {
	var line blockkit.Line
	if a := i.Acknowledged; a != nil {
		line = append(line, blockkit.Plain("Acknowledged by "), blockkit.User(a.By), blockkit.Plain(" "), humanize.ClockTime(a.At, now))
	}
	if s := i.Snoozed; snoozed(i, now) {
		if line != nil {
			line = append(line, blockkit.Plain(" · "))
		}
		line = append(line, blockkit.Plain("Snoozed until "), humanize.ClockTime(s.Until, now), blockkit.Plain(" by "), blockkit.User(s.By))
		line = append(append(line, note.Spans(s.Note)...), blockkit.Plain(" · to change that, choose again in Snooze"))
	}
	return line
}

// alertActions are the buttons of the whole incident.
func alertActions(i incident.Incident, now time.Time) []slack.BlockElement {
	if !i.Closed.IsZero() || summaries[i.Kind] != nil {
		return nil // there are no reminders of a summary
	}
	var actions []slack.BlockElement
	if offersRepairAll(i) {
		actions = append(actions, blockkit.Button(ActionRepairAll, "Repair all…", i.ID))
	}
	if i.Acknowledged == nil {
		acknowledge := blockkit.Button(ActionAcknowledge, "Acknowledge", i.ID)
		acknowledge.Style = slack.StylePrimary
		actions = append(actions, acknowledge)
	}
	actions = append(actions, snoozeMenu())
	if snoozed(i, now) && i.Snoozed.Note == "" {
		actions = append(actions, note.Button(note.ActionAlert, i.ID))
	}
	return actions
}

// offersRepairAll reports whether there are several sessions to repair at once.
func offersRepairAll(i incident.Incident) bool {
	return len(repairable(i)) > 1 && summaries[i.Kind] == nil
}

// repairable returns the sessions that Repair all takes: it shows the videos of undelivered
// ones, and has those of others made.
func repairable(i incident.Incident) []incident.Case {
	can := makes
	if allUndelivered(i) {
		can = shows
	}
	return slices.DeleteFunc(i.Open(), func(c incident.Case) bool { return c.Repair != nil || !can(c) })
}

func allUndelivered(i incident.Incident) bool {
	return !slices.ContainsFunc(i.Open(), func(c incident.Case) bool { return c.Verdict != diagnosis.VerdictUndelivered })
}

// makes reports whether a session's video can be made.
func makes(c incident.Case) bool {
	return slices.Contains(c.Allowed, store.ActionReplay) || slices.Contains(c.Allowed, store.ActionGenerate)
}

// Forgotten says that the incident of an alert is not on record any more.
const Forgotten = "This alert is too old: its data is gone. Nothing was changed; /session list shows what is in trouble now."

// ClickReply answers a click that changed nothing, or whose incident is gone.
func ClickReply(i incident.Incident, now time.Time) blockkit.Line {
	switch {
	case i.ID == "":
		return blockkit.PlainLine(Forgotten)
	case !i.Closed.IsZero():
		return blockkit.L(blockkit.Plain("Already resolved, "), humanize.AgoTime(i.Closed, now), blockkit.Plain(". There is nothing to do."))
	case i.Acknowledged != nil:
		return blockkit.L(blockkit.Plain("Already acknowledged, "), humanize.AgoTime(i.Acknowledged.At, now), blockkit.Plain(", by "), blockkit.User(i.Acknowledged.By), blockkit.Plain("."))
	}
	return blockkit.PlainLine("Nothing was changed.")
}

// ActionList lists the sessions of an incident, whose id is the button's value, or the
// next page of a list.
const ActionList = "session.list"
