package alert

import (
	"time"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store/incident"
)

// clockText is how many customers an incident affects, for how long, and what they paid: 37
// customers waited 8 min on average, and paid $61.00.
func clockText(c incident.Clock) string {
	text := humanize.Count(c.Customers, "customer") + " waited " + humanize.Duration(c.InAll/time.Duration(max(c.Customers, 1)))
	if c.Customers > 1 {
		text += " on average"
	}
	if paid := humanize.Sums(c.Money); paid != "" {
		text += ", and paid " + paid
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
	switch paid := humanize.Sums(waiting.Money); {
	case waiting.Customers != all.Customers:
		text += ". With those already resolved: " + clockText(all)
	case paid != "":
		text += " (paid: " + paid + ")"
	}
	return text + "."
}
