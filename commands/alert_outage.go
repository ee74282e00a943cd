package commands

import (
	"time"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store/rdb"
)

// OutageAlert reports that the bot's own Redis cannot be used since a time, or could
// not until another one.
func OutageAlert(since, until time.Time, why error, o AlertOptions) Alert {
	if !until.IsZero() {
		return composeAlert(":white_check_mark:", "Redis is available again after "+span(until.Sub(since))+".", "",
			blockkit.Message(blockkit.PlainLine(noAction("it was unavailable from "+clock(since, until)+" to "+clock(until, until)+
				". Nobody watched then; what happened meanwhile is looked at."))))
	}
	cause := "Redis answers with a fault of its own"
	if kind := rdb.Trouble(why); kind != nil {
		cause = kind.Error()
	}
	lines := []blockkit.Line{blockkit.PlainLine("→ Run sessionbot doctor: it names the remedy. Until then no session in trouble is noticed, " +
		"and no repair is started or goes on.")}
	if link := runbookSpan(o.Runbook, outageSection); link != nil {
		lines = append(lines, blockkit.L(link))
	}
	return composeAlert(":rotating_light:", "Redis has been unavailable since "+clock(since, since)+": "+cause+".", o.Mention, blockkit.Message(lines...))
}
