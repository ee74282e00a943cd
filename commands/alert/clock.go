package alert

import (
	"time"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store/incident"
)

// clockText is how many customers an incident affects, for how long, and what they paid: 37
// customers, 311 customer-minutes, $61.00 paid.
func clockText(c incident.Clock) string {
	return humanize.Count(c.Customers, "customer") + ", " + costText(c)
}

// costText is clockText without the customers.
func costText(c incident.Clock) string {
	text := humanize.Thousands(c.Minutes()) + " customer-minute"
	if c.Minutes() != 1 {
		text += "s"
	}
	if paid := humanize.Sums(c.Money); paid != "" {
		text += ", " + paid + " paid"
	}
	return text
}

// clockLine is clockText of all sessions that an incident had: until now where it is
// open, which the message goes on to show.
func clockLine(i incident.Incident, now time.Time) blockkit.Line {
	text := clockText(incident.ClockOf(i.Cases, now))
	if !i.Closed.IsZero() {
		return blockkit.PlainLine(text + ".")
	}
	return blockkit.L(blockkit.Plain("So far: "+text+", as of "), humanize.ClockTime(now, now), blockkit.Plain("."))
}

// waitingText is how many customers have waited how long, for a line that comes later
// than the alert.
func waitingText(i incident.Incident, now time.Time) string {
	waiting, all := incident.ClockOf(i.Open(), now), incident.ClockOf(i.Cases, now)
	text := humanize.Count(waiting.Customers, "customer") + " have been waiting, the longest for " + humanize.Duration(waiting.Longest)
	if waiting.Customers == 1 {
		text = "1 customer has been waiting for " + humanize.Duration(waiting.Longest)
	}
	if waiting.Customers == all.Customers {
		return text + " (" + costText(all) + " so far)."
	}
	return text + ". Including those already resolved: " + clockText(all) + "."
}
