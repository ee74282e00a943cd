package alert

import (
	"net/url"
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

// caseRows are the sessions of an incident that have waited longest, one row each, at
// most so many, and how many more there are.
func caseRows(i incident.Incident, atMost int, now time.Time) []slack.Block {
	open := i.Open()
	shown := open[:min(len(open), atMost)]
	common, _ := commonEvent(open)
	var rows []slack.Block
	for _, c := range shown {
		text := slack.NewTextBlockObject(slack.MarkdownType, blockkit.Mrkdwn(caseLine(i.Kind, c, common, now)), false, false)
		row := slack.NewSectionBlock(text, nil, nil)
		if menu := caseMenu(c, i.Kind); menu != nil {
			row.Accessory = slack.NewAccessory(menu)
		}
		rows = append(rows, row)
	}
	more := len(open) - len(shown)
	if i.Kind == incident.Backlog { // which holds only the oldest
		more = i.Sessions - len(shown)
	}
	if more <= 0 {
		return rows
	}
	text := "and " + humanize.Thousands(int64(more)) + " more"
	repairing := 0
	for _, c := range open[len(shown):] {
		if c.Repair != nil {
			repairing++
		}
	}
	if repairing > 0 {
		text += ", " + humanize.Thousands(int64(repairing)) + " of them being repaired"
	}
	return append(rows, blockkit.Row(text, blockkit.Button(ActionList, "Show all", i.ID)))
}

// caseLine is one session: its id, its payment, its age, and the repair that is under
// way or else what Stripe says, unless that is what most have in common.
func caseLine(kind incident.Kind, c incident.Case, common store.EventState, now time.Time) blockkit.Line {
	line := blockkit.L(blockkit.Code(strings.ReplaceAll(humanize.ShortID(c.ID), "`", "'")))
	add := func(spans ...blockkit.Span) { line = append(append(line, blockkit.Plain(" · ")), spans...) }
	switch page := paymentPage(c); {
	case c.Payment == store.PaymentNotRequired:
		add(blockkit.Plain("no payment due"))
	case c.Amount > 0 && page != "":
		add(blockkit.Link(page, humanize.Money(c.Amount, c.Currency)))
	case c.Amount > 0:
		add(blockkit.Plain(humanize.Money(c.Amount, c.Currency)))
	}
	if c.Repair != nil {
		add(repairingSpans(c, now)...)
		return line
	}
	verdict, failed := c.Verdict, repairFailed(kind, c)
	if failed { // it still waits for what it waited for before
		verdict = diagnosis.Verdict(kind)
	}
	if !c.At.IsZero() {
		add(caseAge(verdict, c, now)...)
	}
	if c.Payment == store.PaymentUnverified {
		add(blockkit.Plain("payment unverified"))
	}
	if failed {
		add(blockkit.Plain("the last repair failed"))
		return line
	}
	if promptRestored(kind, c) {
		add(blockkit.Plain("prompt restored"))
	}
	text := "event"
	if known := orphanTexts[c.Event].event; known != "" && c.Event != common {
		text = known
	}
	switch page := eventPage(c); {
	case page != "":
		add(blockkit.Link(page, text))
	case text != "event":
		add(blockkit.Plain(text))
	}
	return line
}

// repairFailed reports whether a session stays in its incident because a repair failed.
func repairFailed(kind incident.Kind, c incident.Case) bool {
	return c.Verdict == diagnosis.VerdictFailed && kind != incident.Kind(diagnosis.VerdictFailed) && kind != incident.Backlog
}

// paymentPage is the page of a payment in Stripe's dashboard, "" = not known.
func paymentPage(c incident.Case) string {
	if c.IntentID == "" {
		return ""
	}
	return remedy.StripePage(c.Live, "payments/"+url.PathEscape(c.IntentID))
}

// eventPage is the page of the payment's event, "" = there is none.
func eventPage(c incident.Case) string {
	if c.EventID == "" {
		return ""
	}
	return remedy.StripePage(c.Live, "events/"+url.PathEscape(c.EventID))
}

// repairingSpans are the repair of a session, and who approved it.
func repairingSpans(c incident.Case, now time.Time) []blockkit.Span {
	r := c.Repair
	doing := "being made"
	switch {
	case r.Unclear:
		doing = "result of the repair unknown"
	case r.Action == store.ActionRestore:
		doing = "its prompt is being restored"
	case r.Action == store.ActionFix && shows(c):
		doing = "being shown"
	case r.Action == store.ActionFix:
		doing = "being marked as error"
	}
	return []blockkit.Span{blockkit.Plain(doing + ", approved by "), humanize.Person(r.By), blockkit.Plain(" "), humanize.AgoOnly(r.Since, now)}
}

// caseAge is how long the session has been in its state.
func caseAge(verdict diagnosis.Verdict, c incident.Case, now time.Time) []blockkit.Span {
	began := "paid "
	switch {
	case verdict == diagnosis.VerdictFailed:
		began = "failed "
	case verdict == diagnosis.VerdictStalled:
		began = "started "
	case verdict != diagnosis.VerdictOrphaned && verdict != diagnosis.VerdictLost:
		return []blockkit.Span{blockkit.Plain("since "), humanize.ClockTime(c.At, now)}
	case c.Payment == store.PaymentUnverified:
		began = "stored "
	case c.Payment == store.PaymentNotRequired:
		began = "ordered "
	}
	return []blockkit.Span{blockkit.Plain(began), humanize.AgoOnly(c.At, now)}
}

// goneLines are the sessions that left the incident, the last first.
func goneLines(i incident.Incident, now time.Time) []blockkit.Line {
	gone := i.Gone()
	var lines []blockkit.Line
	for _, c := range gone[:min(len(gone), incident.ShownCases)] {
		line := blockkit.L(blockkit.Struck(humanize.ShortID(c.ID)), blockkit.Plain(" · "+endingText(i.Kind, c.Ending)+" "))
		if c.HandledBy != "" {
			line = append(line, blockkit.Plain("by "), blockkit.User(c.HandledBy), blockkit.Plain(" "))
		}
		line = append(line, humanize.ClockTime(c.Gone, now))
		lines = append(lines, append(line, note.Spans(c.Note)...))
	}
	if more := len(gone) - incident.ShownCases; more > 0 {
		lines = append(lines, blockkit.PlainLine("and "+humanize.Thousands(int64(more))+" more that were resolved"))
	}
	return lines
}
