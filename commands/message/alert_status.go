package message

import (
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
)

// alertTexts say why there was no alert, or none yet.
var alertTexts = map[incident.Disposition]string{
	incident.InTrouble:         "not yet: the next check, in about a minute, will post one",
	incident.InBacklog:         "not yet: it began before monitoring started, and will be in the summary of those sessions",
	incident.PaymentPending:    "not yet: it began before monitoring started, and Stripe has not confirmed the payment",
	incident.NotPosted:         "not yet: Slack has not accepted the message; the bot keeps trying",
	incident.MarkedByRepair:    "none: a repair marked it as error, so people know about it",
	incident.PaymentUnverified: "none of its own: while payments cannot be verified, one alert about Stripe covers all sessions",
	incident.Dismissed:         "none: a check within the last hour found it in order; it is checked again",
	incident.AlertsOff:         "none: alerts are off (ALERT_CHANNEL is not set)",
	incident.RecordsNotRead:    "unknown: the bot's own records could not be read",
}

// alertFacts say whether people were alerted, of a session that is, or may get, in
// trouble.
func alertFacts(x diagnosis.Examination, a incident.AlertStatus) []blockkit.Line {
	if a.Reason == incident.NotInTrouble {
		return nil
	}
	return []blockkit.Line{blockkit.Fact("Alert", alertLine(x, a)...)}
}

func alertLine(x diagnosis.Examination, a incident.AlertStatus) blockkit.Line {
	var line blockkit.Line
	switch a.Reason {
	case "":
		line = blockkit.L(blockkit.Plain("posted "), humanize.AgoTime(a.At, x.At))
	case incident.JoinedAcknowledged:
		line = blockkit.L(blockkit.Plain("added "), humanize.AgoTime(a.At, x.At), blockkit.Plain(" to an alert that "), blockkit.User(a.By),
			blockkit.Plain(" had already acknowledged; nobody was notified again"))
	case incident.JoinedSnoozed:
		line = blockkit.L(blockkit.Plain("added "), humanize.AgoTime(a.At, x.At), blockkit.Plain(" to an alert that "), blockkit.User(a.By),
			blockkit.Plain(" had snoozed; nobody was notified again"))
	case incident.GraceTime:
		line = blockkit.L(blockkit.Plain("not yet: the webhook is not late before "), humanize.ClockTime(a.At, x.At))
	case incident.HandledElsewhere:
		line = blockkit.L(blockkit.Plain("none: marked as handled by "), blockkit.User(a.By), blockkit.Plain(" "), humanize.AgoTime(a.At, x.At))
	case incident.BacklogPublished:
		line = blockkit.L(blockkit.Plain("none of its own: it is in the summary posted at "), humanize.ClockTime(a.At, x.At),
			blockkit.Plain(" (sessions older than the start of monitoring)"))
	case incident.NotInAlertOn:
		line = blockkit.PlainLine("none: " + humanize.Words(string(x.Verdict)) + " sessions raise no alert (ALERT_ON)")
	case incident.NotWatching:
		line = blockkit.PlainLine("not yet: monitoring is down; see /readyz and the bot's log")
		if !a.At.IsZero() {
			line = append(line, blockkit.Plain(". The last complete check was "), humanize.AgoTime(a.At, x.At))
		}
	default:
		line = blockkit.PlainLine(alertTexts[a.Reason])
	}
	if a.Permalink != "" {
		line = append(line, blockkit.Plain(" · "), blockkit.Link(a.Permalink, "open the alert"))
	}
	return line
}
