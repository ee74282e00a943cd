package alert

import (
	"time"

	"github.com/superduperai/sessionbot/commands/note"
	"github.com/superduperai/sessionbot/commands/remedy"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store/incident"
)

// Reply is a message in the thread of an alert, by the reason for it.
func Reply(i incident.Incident, reason string, o Options, now time.Time) Message {
	prefix := ""
	lines := []blockkit.Line{blockkit.PlainLine("→ Follow the advice in the alert above: " + pluralText{"it is up to date.", "it is up to date, and lists all of them."}.of(len(i.Open())))}
	waits := false // people are reminded
	switch reason {
	case "threshold":
		prefix = "Growing: "
	case "reopened":
		prefix = "Open again: "
	case "reminder":
		prefix, waits = "Still open after "+humanize.Duration(now.Sub(i.PostedAt))+": ", true
	case "unresolved":
		prefix, waits = "Still open, "+humanize.Duration(now.Sub(i.Acknowledged.At))+" after it was acknowledged: ", true
	case "snooze_ended":
		prefix, waits = "The snooze has ended: ", true
	case "escalated":
		prefix, waits = "Two reminders went unanswered: ", true
		if a := i.Acknowledged; a != nil {
			prefix = "Still open, " + humanize.Duration(now.Sub(a.At)) + " after it was acknowledged, and after two reminders: "
		}
	}
	if waits {
		advice := reminderAdvice(i, now)
		if s := i.Snoozed; reason == "snooze_ended" && s != nil {
			who := append(blockkit.L(blockkit.Plain("→ "), blockkit.User(s.By), blockkit.Plain(" snoozed it")), note.Spans(s.Note)...)
			if advice[0] = blockkit.Plain(". Ask them what they found. In the alert above, repair what is left (a plan with its cost comes first), or refund it in Stripe and choose Handled in its menu; if that has to wait, choose Snooze. Acknowledged by "); i.Acknowledged == nil {
				advice[0] = blockkit.Plain(". Ask them what they found. If they do not answer, press Acknowledge in the alert above, and follow the advice there.")
			}
			advice = append(who, advice...)
		}
		cost := ""
		if o.VideoCents > 0 && !allUndelivered(i) {
			cost = " A video costs us " + remedy.CostText(o.VideoCents) + "."
		}
		lines = []blockkit.Line{advice, blockkit.PlainLine(waitingText(i, now) + cost)}
	}
	return composeAlert("", prefix+humanize.LowerFirst(troubleText(i, i.Open()))+".", o.Mention, blockkit.Message(lines...))
}

// reminderAdvice is the next step for an incident that is still open.
func reminderAdvice(i incident.Incident, now time.Time) blockkit.Line {
	a := i.Acknowledged
	if a == nil {
		return blockkit.PlainLine("→ Nobody has acknowledged it. In the alert above, press Acknowledge and follow the advice; if nobody can act on it now, choose Snooze.")
	}
	return blockkit.L(blockkit.Plain("→ In the alert above, repair what is left (a plan with its cost comes first), or refund it in Stripe and choose Handled in its menu; if that has to wait, choose Snooze. Acknowledged by "),
		blockkit.User(a.By), blockkit.Plain(" "), humanize.AgoTime(a.At, now), blockkit.Plain("."))
}
