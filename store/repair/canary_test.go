package repair

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
)

// TestJudgeCanary: the others follow if what was predicted is seen, and for no other
// reason.
func TestJudgeCanary(t *testing.T) {
	t.Parallel()
	const file, other = "6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0001", "6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0002"
	page := func(status store.Status, file string) *store.Site {
		return &store.Site{Found: true, Status: string(status), FileID: file}
	}
	done, noToken := Item{State: ItemDone}, Item{State: ItemDone, Cause: CauseNoToken}
	rejected := Item{State: ItemFailed, Cause: CauseRejected, Detail: []string{"too long"}}
	shows := func(detail string) Item { return Item{Cause: CausePage, Detail: []string{detail}} }
	for _, c := range []struct {
		name      string
		predicted Prediction
		seen      CanaryObservation
		want      CanaryDecision
		why       Item
	}{
		{"not begun", PredictMade, CanaryObservation{}, CanaryWait, Item{}},
		{"being made", PredictMade, CanaryObservation{Item: Item{State: ItemRunning}, Page: page("processing", file), FileID: file, Late: true}, CanaryWait, Item{}},
		{"refused", PredictMade, CanaryObservation{Item: rejected}, CanaryPause, Item{Cause: CauseRejected, Detail: []string{"too long"}}},
		{"unclear", PredictMade, CanaryObservation{Item: Item{State: ItemUnclear, Cause: CauseNoAnswer}}, CanaryPause, Item{Cause: CauseNoAnswer}},
		{"changed meanwhile", PredictError, CanaryObservation{Item: Item{State: ItemSkipped, Cause: CauseChanged}}, CanaryPause, Item{Cause: CauseChanged}},
		{"being repaired by somebody else", PredictMade, CanaryObservation{Item: Item{State: ItemSkipped, Detail: []string{"busy"}}}, CanaryPause, Item{Cause: CauseChanged, Detail: []string{"busy"}}},
		{"made and shown", PredictMade, CanaryObservation{Item: done, FileID: file, Page: page("completed", file)}, CanaryGo, Item{}},
		{"made by the site and shown", PredictMade, CanaryObservation{Item: done, FileID: file, Page: page("processing", file)}, CanaryGo, Item{}},
		{"shown late", PredictMade, CanaryObservation{Item: done, FileID: file, Page: page("completed", file), Late: true}, CanaryGo, Item{}},
		{"not shown yet", PredictMade, CanaryObservation{Item: done, FileID: file, Page: page("pending", "")}, CanaryWait, Item{}},
		{"the site does not answer yet", PredictMade, CanaryObservation{Item: done, FileID: file}, CanaryWait, Item{}},
		{"the site does not answer", PredictMade, CanaryObservation{Item: done, FileID: file, Late: true}, CanaryPause, Item{Cause: CausePageUnseen}},
		{"pending", PredictMade, CanaryObservation{Item: done, FileID: file, Page: page("pending", file), Late: true}, CanaryPause, shows("The customer's page still waits: the status is pending.")},
		{"an error", PredictMade, CanaryObservation{Item: done, FileID: file, Page: page("error", file), Late: true}, CanaryPause, shows("The customer's page shows an error.")},
		{"another file", PredictMade, CanaryObservation{Item: done, FileID: file, Page: page("completed", other), Late: true}, CanaryPause, shows("The customer's page shows another file.")},
		{"no file", PredictMade, CanaryObservation{Item: done, FileID: file, Page: page("completed", ""), Late: true}, CanaryPause, shows("The customer's page shows no file.")},
		{"no status", PredictMade, CanaryObservation{Item: done, FileID: file, Page: page("", file), Late: true}, CanaryPause, shows("The customer's page says “File Not Found”.")},
		{"somebody else's words", PredictMade, CanaryObservation{Item: done, FileID: file, Page: page("ann@example.com", file), Late: true}, CanaryPause, shows("The customer's page says “File Not Found”.")},
		{"unknown to the site", PredictMade, CanaryObservation{Item: done, FileID: file, Page: &store.Site{Status: "pending"}, Late: true}, CanaryPause, shows("The site knows no such session.")},
		{"no file was named", PredictMade, CanaryObservation{Item: done, Page: page("completed", ""), Late: true}, CanaryPause, shows("The customer's page shows no file.")},
		{"the end cannot be seen, as predicted", PredictStarted, CanaryObservation{Item: noToken, FileID: file, Page: page("processing", file)}, CanaryGo, Item{}},
		{"the end cannot be seen any more", PredictMade, CanaryObservation{Item: noToken, FileID: file, Page: page("processing", file)}, CanaryPause, Item{Cause: CauseNoToken}},
		{"the token was taken away before anything was started", PredictStarted, CanaryObservation{Item: Item{State: ItemFailed, Cause: CauseNoToken}}, CanaryPause, Item{Cause: CauseNoToken}},
		{"the finished file is shown", PredictShown, CanaryObservation{Item: done, FileID: file, Page: page("completed", file)}, CanaryGo, Item{}},
		{"still the error over it", PredictShown, CanaryObservation{Item: done, FileID: file, Page: page("error", file), Late: true}, CanaryPause, shows("The customer's page shows an error.")},
		{"the error is shown", PredictError, CanaryObservation{Item: done, Page: page("error", "")}, CanaryGo, Item{}},
		{"a file instead of the error", PredictError, CanaryObservation{Item: done, Page: page("processing", file), Late: true}, CanaryPause, shows("The customer's page shows another file.")},
		{"no error", PredictError, CanaryObservation{Item: done, Page: page("pending", ""), Late: true}, CanaryPause, shows("The customer's page still waits: the status is pending.")},
	} {
		got, why := JudgeCanary(c.predicted, c.seen)
		if diff := cmp.Diff(c.why, why); got != c.want || diff != "" {
			t.Errorf("%s: %s, want %s; why (-want +got):\n%s", c.name, got, c.want, diff)
		}
	}
}

// TestPredicts: each repair has its prediction.
func TestPredicts(t *testing.T) {
	t.Parallel()
	items := []Plan{{}, {Deliver: "6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0001"}}
	for _, c := range []struct {
		plan Plan
		want []Prediction // of the two
	}{
		{Plan{Action: store.ActionGenerate}, []Prediction{PredictMade, PredictMade}},
		{Plan{Action: store.ActionReplay}, []Prediction{PredictMade, PredictMade}},
		{Plan{Action: store.ActionReplay, Unfollowed: true}, []Prediction{PredictStarted, PredictStarted}},
		{Plan{Action: store.ActionFix}, []Prediction{PredictError, PredictShown}},
	} {
		c.plan.Items = items
		if got := []Prediction{c.plan.Predicts(0), c.plan.Predicts(1)}; !slices.Equal(got, c.want) {
			t.Errorf("%s, %t: %v, want %v", c.plan.Action, c.plan.Unfollowed, got, c.want)
		}
	}
}

// TestCanaryGoesFirst: only a plan of more than ten sessions has one. It is begun alone,
// however many may run, and once it was the reason for a pause the next session is.
func TestCanaryGoesFirst(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int{1: 1, 10: 3, 11: 1, 50: 1} {
		if got := len(NewBulk(Plan{Items: make([]Plan, n)}).Next(3)); got != want {
			t.Errorf("of %d, %d are begun", n, got)
		}
	}
	b := NewBulk(Plan{Items: make([]Plan, 11)})
	next := func(what string, want ...int) {
		t.Helper()
		if got := b.Next(3); !slices.Equal(got, want) {
			t.Errorf("%s: %v are begun, want %v", what, got, want)
		}
	}
	b.Items[0].State = ItemRunning
	next("while it runs")
	b.Items[0].State = ItemDone
	next("before it is judged")
	b.Decide(BulkEvent{Event: audit.Paused, Cause: CauseIdle})
	b.Decide(BulkEvent{Event: audit.Resumed})
	next("paused for another reason: it is judged then")
	b.Decide(BulkEvent{Event: audit.Paused, Cause: CausePage, Canary: true})
	next("while it is paused")
	b.Decide(BulkEvent{Event: audit.Resumed})
	next("resumed", 1)
	b.Items[1].State = ItemDone
	b.Canary.Passed = true
	next("as predicted", 2, 3, 4)
}
