package repair

import (
	"cmp"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// canaryOver is how many sessions a bulk plan may repair without a canary.
const canaryOver = 10

// HasCanary reports whether a bulk plan is so large that one session goes first, alone:
// the others follow once its result is as predicted.
func (p Plan) HasCanary() bool { return len(p.Items) > canaryOver }

// Prediction is what is to be seen after the repair of one session.
type Prediction string

// The predictions.
const (
	PredictMade    Prediction = "made"    // a file that is finished, and that the customer's page shows
	PredictStarted Prediction = "started" // a file on the customer's page; whether it is finished cannot be seen
	PredictShown   Prediction = "shown"   // the finished file on the customer's page
	PredictError   Prediction = "error"   // the error on the customer's page
)

// Predicts returns what is to be seen after the repair of an item of a bulk plan.
func (p Plan) Predicts(i int) Prediction {
	switch {
	case p.Action == store.ActionReplay && p.Unfollowed:
		return PredictStarted
	case MakesVideo(p.Action):
		return PredictMade
	case p.Items[i].Deliver != "":
		return PredictShown
	}
	return PredictError
}

// Canary is the session of a large bulk plan that is repaired alone.
type Canary struct {
	Item   int       // its number; once the plan is paused because of it, that of the next one
	Ended  time.Time // when its repair had ended well; zero = it has not
	Passed bool      // its result is as predicted: the others follow
}

// CanaryObservation is what was observed of a canary.
type CanaryObservation struct {
	Item   Item
	FileID string      // of its repair
	Page   *store.Site // what the customer's page shows; nil = the site did not answer
	Late   bool        // the page has had its time to show it
}

// CanaryDecision is what an observation of the canary means for the other sessions.
type CanaryDecision string

// The decisions.
const (
	CanaryWait  CanaryDecision = "wait"
	CanaryGo    CanaryDecision = "go"
	CanaryPause CanaryDecision = "pause"
)

// JudgeCanary decides whether the other sessions follow, and if the plan pauses instead,
// why.
func JudgeCanary(predicted Prediction, s CanaryObservation) (decision CanaryDecision, why Item) {
	switch {
	case s.Item.State == ItemWaiting, s.Item.State == ItemRunning:
		return CanaryWait, Item{}
	case s.Item.State != ItemDone, s.Item.Cause != "" && predicted != PredictStarted:
		return CanaryPause, Item{Cause: cmp.Or(s.Item.Cause, CauseChanged), Detail: s.Item.Detail}
	case s.Page != nil && shows(*s.Page, predicted, s.FileID):
		return CanaryGo, Item{}
	case !s.Late:
		return CanaryWait, Item{}
	case s.Page == nil:
		return CanaryPause, Item{Cause: CausePageUnseen}
	}
	return CanaryPause, Item{Cause: CausePage, Detail: []string{pageText(*s.Page)}}
}

func shows(page store.Site, predicted Prediction, fileID string) bool {
	if predicted == PredictError {
		return page.Found && store.Status(page.Status) == store.StatusError
	}
	return fileID != "" && page.Sees(fileID)
}

// pageText says in a sentence what the page shows instead, without the status itself
// where it is none of the site's: anybody can set it.
func pageText(page store.Site) string {
	switch status := store.Status(page.Status); {
	case !page.Found:
		return "The site knows no such session."
	case status == store.StatusError:
		return "The customer's page shows an error."
	case status == store.StatusPending:
		return "The customer's page still waits: the status is pending."
	case status != store.StatusProcessing && status != store.StatusCompleted:
		return "The customer's page says “File Not Found”."
	case page.FileID != "":
		return "The customer's page shows another file."
	}
	return "The customer's page shows no file."
}
