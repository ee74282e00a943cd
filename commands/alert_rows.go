package commands

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
)

// caseRows are the sessions of an incident that have waited longest, one row each,
// and how many more there are.
func caseRows(i incident.Incident, now time.Time) []slack.Block {
	open := i.Open()
	shown := open[:min(len(open), incident.ShownCases)]
	common, _ := commonEvent(open)
	var rows []slack.Block
	for _, c := range shown {
		text := slack.NewTextBlockObject(slack.MarkdownType, blockkit.Clean(caseText(i.Kind, c, common, now)), false, false)
		row := slack.NewSectionBlock(text, nil, nil)
		if menu := caseMenu(c, i.Kind); menu != nil {
			row.Accessory = slack.NewAccessory(menu)
		}
		rows = append(rows, row)
	}
	if i.Kind == incident.Backlog { // which holds no others
		if more := i.Sessions - len(shown); more > 0 {
			rows = append(rows, blockkit.Paragraph(blockkit.PlainLine("and "+thousands(int64(more))+" more: type /session list")))
		}
		return rows
	}
	if more := open[len(shown):]; len(more) > 0 {
		text := "and " + thousands(int64(len(more))) + " more"
		if n := len(slices.DeleteFunc(slices.Clone(more), func(c incident.Case) bool { return c.Repair == nil })); n > 0 {
			text += ", " + thousands(int64(n)) + " of them being repaired"
		}
		rows = append(rows, blockkit.Row(text, blockkit.Button(ActionShowAll, "Show all", i.ID)))
	}
	return rows
}

// caseText is one session, in mrkdwn: its id, its payment, its age, and the repair
// that is under way or else what Stripe says, unless that is what most have in common.
func caseText(kind incident.Kind, c incident.Case, common store.EventState, now time.Time) string {
	parts := []string{"`" + blockkit.Escape(strings.ReplaceAll(shortID(c.ID), "`", "'")) + "`"}
	switch {
	case c.Payment == store.PaymentNotRequired:
		parts = append(parts, "nothing to pay")
	case c.Amount > 0 && c.IntentID != "":
		parts = append(parts, mrkdwnLink(stripePage(c.Live, "payments/"+url.PathEscape(c.IntentID)), money(c.Amount, c.Currency)))
	case c.Amount > 0:
		parts = append(parts, blockkit.Escape(money(c.Amount, c.Currency)))
	}
	if c.Repair != nil {
		return strings.Join(append(parts, repairingText(c, now)), " · ")
	}
	verdict, failed := c.Verdict, repairFailed(kind, c)
	if failed { // it still waits for what it waited for before
		verdict = diagnosis.Verdict(kind)
	}
	if !c.At.IsZero() {
		parts = append(parts, caseAge(verdict, c, now))
	}
	if c.Payment == store.PaymentUnverified {
		parts = append(parts, "payment unverified")
	}
	if failed {
		return strings.Join(append(parts, "the last repair failed"), " · ")
	}
	if text := orphanTexts[c.Event].event; text != "" && c.Event != common {
		parts = append(parts, "Stripe: "+text)
	}
	if c.EventID != "" {
		parts = append(parts, mrkdwnLink(stripePage(c.Live, "events/"+url.PathEscape(c.EventID)), "event in Stripe"))
	}
	return strings.Join(parts, " · ")
}

// repairFailed reports whether a session stays in its incident because a repair failed.
func repairFailed(kind incident.Kind, c incident.Case) bool {
	return c.Verdict == diagnosis.VerdictFailed && kind != incident.Kind(diagnosis.VerdictFailed) && kind != incident.Backlog
}

func mrkdwnLink(address, label string) string {
	return "<" + blockkit.Escape(address) + "|" + blockkit.Escape(strings.ReplaceAll(label, "|", "¦")) + ">"
}

// repairingText is the repair of a session, and who approved it.
func repairingText(c incident.Case, now time.Time) string {
	r := c.Repair
	doing := "being made"
	switch {
	case r.Unclear:
		doing = "it is unclear whether it is being made"
	case r.Action == store.ActionFix && shows(c):
		doing = "being shown"
	case r.Action == store.ActionFix:
		doing = "being marked as error"
	}
	by := "<@" + blockkit.Escape(r.By.ID) + ">"
	if r.By.Terminal {
		by = blockkit.Escape(blockkit.OneLine(r.By.ID)) + " (terminal)"
	}
	return doing + ", approved by " + by + " " + mrkdwnAgo(r.Since, now)
}

// caseAge is how long the session has been in its state.
func caseAge(verdict diagnosis.Verdict, c incident.Case, now time.Time) string {
	since := mrkdwnAgo(c.At, now)
	switch {
	case verdict == diagnosis.VerdictFailed:
		return "failed " + since
	case verdict == diagnosis.VerdictStalled:
		return "started " + since
	case verdict != diagnosis.VerdictOrphaned && verdict != diagnosis.VerdictLost:
		return "since " + blockkit.MrkdwnDate(c.At, "{date_short_pretty} {time}", clock(c.At, now))
	case c.Payment == store.PaymentUnverified:
		return "stored " + since
	case c.Payment == store.PaymentNotRequired:
		return "ordered " + since
	}
	return "paid " + since
}

func mrkdwnAgo(at, now time.Time) string { return blockkit.MrkdwnDate(at, "{ago}", ago(at, now)) }

// goneLines are the sessions that left the incident, the last first.
func goneLines(i incident.Incident, now time.Time) []blockkit.Line {
	gone := i.Gone()
	var lines []blockkit.Line
	for _, c := range gone[:min(len(gone), incident.ShownCases)] {
		line := blockkit.L(blockkit.Struck(shortID(c.ID)), blockkit.Plain(" · "+endingText(i.Kind, c.Ending)+" "))
		if c.HandledBy != "" {
			line = append(line, blockkit.Plain("by "), blockkit.User(c.HandledBy), blockkit.Plain(" "))
		}
		lines = append(lines, append(line, blockkit.Plain(clock(c.Gone, now))))
	}
	if more := len(gone) - incident.ShownCases; more > 0 {
		lines = append(lines, blockkit.PlainLine("and "+thousands(int64(more))+" more that left"))
	}
	return lines
}
