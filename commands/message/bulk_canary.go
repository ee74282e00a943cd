package message

import (
	"github.com/superduperai/sessionbot/commands/remedy"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// predictions say what is to be seen after the repair of a session.
var predictions = map[repair.Prediction]string{
	repair.PredictMade:    "its {video} is finished and the customer's page shows it",
	repair.PredictStarted: "the site starts its {video}, whose end cannot be seen without SUPERDUPERAI_TOKEN, and the customer's page is waiting for it",
	repair.PredictShown:   "the customer's page shows its {video}",
	repair.PredictError:   "the customer's page shows the error",
}

// predictionText is what is to be seen after the repair of an item.
func predictionText(p repair.Plan, item int) string {
	return humanize.WithNoun(p.Items[item].Kind, predictions[p.Predicts(item)])
}

// canaryDuration is how long a canary takes, "" = that is not known.
func canaryDuration(p repair.Plan, item int) string {
	switch predicted := p.Predicts(item); {
	case predicted == repair.PredictMade && p.Items[item].Kind == store.KindImage:
		return ""
	case predicted == repair.PredictMade:
		return "2 to 15 min"
	case predicted == repair.PredictStarted:
		return "up to a minute"
	}
	return "a few seconds"
}

// canaryPlanLine says which session goes first, and what is expected of it.
func canaryPlanLine(p repair.Plan) blockkit.Line {
	text := ""
	if takes := canaryDuration(p, 0); takes != "" {
		text = ", which takes " + takes
	}
	return blockkit.L(blockkit.Bold("First, alone, as a test (canary): "), blockkit.Code(humanize.ShortID(p.Items[0].Session)),
		blockkit.Plain(text+". Expected: "+predictionText(p, 0)+". Any other outcome pauses the plan."))
}

// canaryText says which session runs alone, what the others wait for, and what Stop would
// do, "" = they run as well.
func canaryText(job repair.Job) string {
	c := job.Bulk.Canary
	if c == nil || c.Passed || c.Item >= len(job.Plan.Items) {
		return ""
	}
	id := humanize.ShortID(job.Plan.Items[c.Item].Session)
	if !c.Ended.IsZero() {
		return "Nothing to do now: " + id + ", the test (canary), is done. The others follow once the customer's page shows that (usually within a minute). After Stop no others start, at no further cost."
	}
	text := "Nothing to do now: " + id + " goes first, alone, as a test (canary). The others follow once " + predictionText(job.Plan, c.Item)
	if takes := canaryDuration(job.Plan, c.Item); takes != "" {
		text += " (takes " + takes + ")"
	}
	text += ". After Stop no others start; this one finishes"
	if cents := job.Plan.Items[c.Item].Cents(); cents > 0 {
		text += " (we pay " + remedy.CostText(cents) + ")"
	}
	return text + "."
}

// canaryFact says that the result of the canary is as predicted.
func canaryFact(job repair.Job) []blockkit.Line {
	c := job.Bulk.Canary
	if c == nil || !c.Passed {
		return nil
	}
	return []blockkit.Line{blockkit.Fact("Test (canary)", blockkit.Code(humanize.ShortID(job.Plan.Items[c.Item].Session)),
		blockkit.Plain(" as expected: "+predictionText(job.Plan, c.Item)))}
}

// canaryPauseText says what was expected of the canary, what was found instead, and what
// to do about that.
func canaryPauseText(job repair.Job) string {
	e := job.Bulk.Last()
	item := e.Next - 1
	id := humanize.ShortID(job.Plan.Items[item].Session)
	step := "Fix that first (/session debug " + id + " shows the session)."
	switch e.Cause {
	case repair.CauseRejected, repair.CauseFileFailed:
		step = "If that is about this order only (its prompt, length or size), refund it in Stripe; if it is about all of them (balance, token, model), fix that."
	case repair.CauseNoAnswer:
		step = "Settle it: /session debug " + id + " says how."
	case repair.CausePage:
		step = "Run /session debug " + id + ", and check the site's log."
	case repair.CausePageUnseen:
		step = "Check that the site is up and that SITE_URL is right, or look at the customer's page yourself (/session debug " + id + " links it)."
	}
	return id + " went first, as a test. Expected: " + predictionText(job.Plan, item) +
		". Found: " + itemReason(repair.Item{Cause: e.Cause, Detail: e.Detail}) + ". " + step
}
