package message

import (
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// predictions say what is to be seen after the repair of a session.
var predictions = map[repair.Prediction]string{
	repair.PredictMade:    "its {video} is finished and the customer's page shows it",
	repair.PredictStarted: "the site starts its {video}, whose end cannot be seen without SUPERDUPERAI_TOKEN, and the customer's page waits for it",
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

// canaryPlanLine says which session goes first, and what is predicted of it.
func canaryPlanLine(p repair.Plan) blockkit.Line {
	text := " goes first, alone"
	if takes := canaryDuration(p, 0); takes != "" {
		text += ", which takes " + takes
	}
	return blockkit.L(blockkit.Bold("Canary: "), blockkit.Code(humanize.ShortID(p.Items[0].Session)),
		blockkit.Plain(text+". Predicted: "+predictionText(p, 0)+". Any other outcome pauses the plan."))
}

// canaryText says which session runs alone and what the others wait for, "" = they run
// as well.
func canaryText(job repair.Job) string {
	c := job.Bulk.Canary
	if c == nil || c.Passed || c.Item >= len(job.Plan.Items) {
		return ""
	}
	id := "Canary: " + humanize.ShortID(job.Plan.Items[c.Item].Session)
	if !c.Ended.IsZero() {
		return id + " is done. The others follow once the customer's page shows that."
	}
	text := id + " goes first, alone. The others follow once " + predictionText(job.Plan, c.Item)
	if takes := canaryDuration(job.Plan, c.Item); takes != "" {
		text += " (takes " + takes + ")"
	}
	return text + "."
}

// canaryFact says that the result of the canary is as predicted.
func canaryFact(job repair.Job) []blockkit.Line {
	c := job.Bulk.Canary
	if c == nil || !c.Passed {
		return nil
	}
	return []blockkit.Line{blockkit.Fact("Canary", blockkit.Code(humanize.ShortID(job.Plan.Items[c.Item].Session)),
		blockkit.Plain(" as predicted: "+predictionText(job.Plan, c.Item)))}
}

// canaryPauseText says what was predicted of the canary, and what was seen.
func canaryPauseText(job repair.Job) string {
	e := job.Bulk.Last()
	item := e.Next - 1
	return humanize.ShortID(job.Plan.Items[item].Session) + " went first. Predicted: " + predictionText(job.Plan, item) +
		". Seen: " + itemReason(repair.Item{Cause: e.Cause, Detail: e.Detail}) + "."
}
