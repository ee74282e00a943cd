package message

import (
	"strings"

	"github.com/superduperai/sessionbot/commands/remedy"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store/repair"
)

// leftOutSteps say which sessions are left out, after their number, and what to do.
var leftOutSteps = map[repair.LeftOutReason]string{
	repair.LeftRetrying:    "that Stripe is still retrying: wait (costs least), or resend {it} in Stripe (the retries go on, and can make a second one)",
	repair.LeftOtherAction: "that only {other} can repair: {plan other}",
	repair.LeftUnclear:     "whose earlier repair has an unknown result: settle {it} first (/session debug says how)",
	repair.LeftUnreadable:  "stored in a format that the site cannot read: run {generate} for {it} instead",
	repair.LeftSecondPress: "with {a warning}: repair {it} {singly}",
	repair.LeftNotAllowed:  "that {action} cannot help: debug {it}, which says what can",
	repair.LeftUnseen:      "that could not be read from Redis: request a new plan later",
	repair.LeftEventUnseen: "that Stripe may be retrying (the event could not be read): check there first, as the site may still start {it}",
	repair.LeftUnverified:  "whose payment Stripe did not confirm: check STRIPE_SECRET_KEY, or request a new plan later",
}

// leftOutAlone are those that need nothing, after their number.
var leftOutAlone = map[repair.LeftOutReason]string{
	repair.LeftRunning:   "already being made",
	repair.LeftCompleted: "already completed",
	repair.LeftRefunded:  "refunded",
	repair.LeftHandled:   "marked as handled by a colleague",
	repair.LeftMarked:    "marked as error by an earlier repair",
}

// leftOutOne say the same of one session.
var leftOutOne = map[repair.LeftOutReason]string{
	repair.LeftRetrying:    "Stripe is still retrying it: wait, or resend it in Stripe",
	repair.LeftOtherAction: "only {other} can repair it",
	repair.LeftUnclear:     "the result of an earlier repair is unknown: settle that first",
	repair.LeftSecondPress: "it has a warning of its own: repair it by itself",
	repair.LeftNotAllowed:  "{action} cannot repair it",
	repair.LeftUnseen:      "it could not be read from Redis: request a new plan later",
	repair.LeftEventUnseen: "its event could not be read from Stripe: the site may still start it",
	repair.LeftUnreadable:  "the site cannot read it: generate instead",
	repair.LeftUnverified:  "Stripe did not confirm its payment",
}

// leftOutText says why one session is left out.
func leftOutText(p repair.Plan, reason repair.LeftOutReason) string {
	if text := leftOutAlone[reason]; text != "" {
		return text
	}
	return leftOutWords(p, 1).Replace(leftOutOne[reason])
}

// leftOutWords returns the replacer of the placeholders in the texts above, for n sessions.
func leftOutWords(p repair.Plan, n int) *strings.Replacer {
	it, warning, singly, generate, other := "them", "warnings of their own", "one by one", "/session bulk generate", string(OtherAction(p.Action))
	if n == 1 {
		it, warning, singly, generate = "it", "a warning of its own", "by itself", "/session generate"
	}
	planOther := "press “" + otherLabel(p, n) + "”, which shows a plan of its own with its cost"
	if p.Requester.Terminal { // where no button is below: it asks, unless the answer was given beforehand
		planOther = "run /session bulk " + other
	}
	return strings.NewReplacer("{action}", string(p.Action), "{other}", other, "{plan other}", planOther,
		"{it}", it, "{generate}", generate, "{a warning}", warning, "{singly}", singly)
}

// otherLabel is the button that plans the other action for so many sessions.
func otherLabel(p repair.Plan, n int) string {
	return humanize.UpperFirst(string(OtherAction(p.Action))) + " " + theOthers(n) + "…"
}

// includeLabel is the button that includes so many sessions, without their cost.
func includeLabel(n int) string { return "Include " + theOthers(n) + " Stripe may deliver" }

// includeLine says what that button does, and what it can cost.
func includeLine(p repair.Plan) blockkit.Line {
	n, cents := p.Includable()
	counts := p.CountLeftOut()
	retrying, may := counts[repair.LeftRetrying], counts[repair.LeftEventUnseen]
	which := theOthers(retrying) + " that Stripe is retrying"
	switch {
	case retrying == 0:
		which = theOthers(may) + " that Stripe may be retrying"
	case may > 0:
		which += " and " + theOthers(may) + " that it may be retrying"
	}
	plan, cost := "a plan with ", "the cost is unknown"
	if len(p.Items) > 0 {
		plan = "this plan again, and adds "
	}
	if cents > 0 {
		cost = remedy.CostText(cents) + " more, or up to " + remedy.CostText(2*cents) + " more if retries make second ones"
	}
	return blockkit.PlainLine("“" + includeLabel(n) + "…” shows " + plan + which + ": " + cost + ".")
}

// beyondLimit says how many sessions have to wait for another plan.
func beyondLimit(n int) blockkit.Line {
	return blockkit.PlainLine(humanize.Thousands(int64(n)) + " more are over the limit of one plan: request it again afterwards.")
}

// leftOutLines say how many sessions are left out, why, and which: first those with
// which something is to be done.
func leftOutLines(p repair.Plan) (lines []blockkit.Line) {
	counts := p.CountLeftOut()
	var alone []string
	for _, reason := range repair.LeftOutReasons {
		n := counts[reason]
		switch count := humanize.Thousands(int64(n)) + " "; {
		case n == 0:
		case leftOutAlone[reason] != "":
			alone = append(alone, count+leftOutAlone[reason])
		default:
			line := blockkit.L(blockkit.Bold("Left out: "), blockkit.Plain(count+leftOutWords(p, n).Replace(leftOutSteps[reason])))
			lines = append(lines, append(line, someSessions(p.LeftOutFor(reason))...))
		}
	}
	if n, _ := p.Includable(); n > 0 && !p.Requester.Terminal { // which asks about them
		lines = append(lines, includeLine(p))
	}
	if p.Rest > 0 {
		lines = append(lines, beyondLimit(p.Rest))
	}
	if alone != nil {
		lines = append(lines, blockkit.L(blockkit.Bold("Left out, nothing to do: "), blockkit.Plain(strings.Join(alone, ", ")+".")))
	}
	return lines
}

// someSessions names the first few sessions.
func someSessions(ids []string) blockkit.Line {
	line := blockkit.L(blockkit.Plain(" ("))
	for i, id := range ids[:min(len(ids), leftOutNamed)] {
		if i > 0 {
			line = append(line, blockkit.Plain(", "))
		}
		line = append(line, blockkit.Code(humanize.ShortID(id)))
	}
	if len(ids) > leftOutNamed {
		line = append(line, blockkit.Plain(" …"))
	}
	return append(line, blockkit.Plain(")"))
}
