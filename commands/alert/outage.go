package alert

import (
	"time"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store/rdb"
)

// Outage reports that the bot's own Redis cannot be used since a time, or could
// not until another one.
func Outage(since, until time.Time, why error, o Options) Message {
	if !until.IsZero() {
		return composeAlert(":white_check_mark:", "Redis is available again after "+humanize.Duration(until.Sub(since))+".", "",
			blockkit.Message(blockkit.PlainLine(noAction("it was unavailable from "+humanize.Clock(since, until)+" to "+humanize.Clock(until, until)+
				". Monitoring was down meanwhile; the gap is being checked."))))
	}
	cause := "Redis answers with an internal error"
	if kind := rdb.Kind(why); kind != nil {
		cause = kind.Error()
	}
	lines := []blockkit.Line{blockkit.PlainLine("→ Run sessionbot doctor on the bot's host: it names the cause and what to do. Until Redis is back, no session in trouble is noticed, " +
		"and repairs are on hold.")}
	if link := runbookSpan(o.Runbook, outageSection); link != nil {
		lines = append(lines, blockkit.L(link))
	}
	return composeAlert(":rotating_light:", "Redis has been unavailable since "+humanize.Clock(since, since)+": "+cause+".", o.Mention, blockkit.Message(lines...))
}
