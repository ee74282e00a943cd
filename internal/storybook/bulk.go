package storybook

import (
	"context"
	"fmt"
	"time"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/repair"
)

// bulkPlan repairs n sessions, and leaves out one for each reason.
func bulkPlan(action store.Action, n int) repair.Plan {
	p := repair.Plan{ID: "B7Q2", Action: action, Requester: store.Actor{ID: "U0SUPPORT"}, Created: noon, Expires: noon.Add(10 * time.Minute), Parallel: 3}
	for i := range n {
		item := repair.Plan{Action: action, Session: bulkSession(i), Created: noon, Bulk: p.ID,
			Seen: repair.Snapshot{Verdict: diagnosis.VerdictOrphaned, Payment: store.PaymentPaid, Amount: 100, Currency: "usd", PaidAt: noon.Add(time.Duration(i-3*n) * time.Minute)}}
		switch {
		case action == store.ActionGenerate:
			item.Order = &repair.Order{Model: "google-cloud/veo3-text2video", Seconds: 8, Cents: 2400}
		case action == store.ActionReplay:
			item.Replay = &repair.Replay{EventID: "evt_1", Cents: 2400}
		case i%3 == 0:
			item.Deliver, item.Seen.Verdict = "6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0013", diagnosis.VerdictUndelivered
		}
		p.Items = append(p.Items, item)
	}
	for i, reason := range repair.LeftOutReasons {
		if reason == repair.LeftUnreadable && action != store.ActionReplay { // which alone asks the site
			continue
		}
		for k := range 1 + 4*(i%2) {
			p.LeftOut = append(p.LeftOut, repair.LeftOut{Session: bulkSession(100*(i+1) + k), Reason: reason, Cents: 2400})
		}
	}
	if n > 10 {
		p.Rest = 12
	}
	return p
}

func bulkSession(n int) string {
	return fmt.Sprintf("cs_live_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3Bu%04d", n)
}

// failedItem is why a session could not be repaired, by action.
var failedItem = map[store.Action]repair.Item{
	store.ActionGenerate: {State: repair.ItemFailed, Cause: repair.CauseRejected, Detail: []string{"body.prompt: too long (3200 > 2000 characters)"}},
	store.ActionReplay:   {State: repair.ItemFailed, Cause: repair.CauseSignature, Detail: []string{"It answered HTTP 400."}},
	store.ActionFix:      {State: repair.ItemFailed, Cause: repair.CauseOverwritten},
}

// bulkProgress is the state of an approved plan: so many done, one failed, one unclear,
// one skipped, so many running.
func bulkProgress(action store.Action, done, running, n int, events ...repair.BulkEvent) repair.Progress {
	p := bulkPlan(action, n)
	p.LeftOut, p.Rest = nil, 0
	state := repair.NewBulk(p)
	state.Events = events
	if state.Canary != nil {
		state.Canary.Passed = true
	}
	for i := range state.Items {
		switch {
		case i < done:
			state.Items[i].State = repair.ItemDone
		case i == done:
			state.Items[i] = failedItem[action]
		case i == done+1:
			state.Items[i] = repair.Item{State: repair.ItemUnclear, Cause: repair.CauseNoAnswer}
			if action == store.ActionFix { // which asks nobody
				state.Items[i] = repair.Item{State: repair.ItemDone}
			}
		case i == done+2:
			state.Items[i] = repair.Item{State: repair.ItemSkipped, Cause: repair.CauseChanged, Detail: []string{"The status was “none” and is now “processing”."}}
		case i < done+3+running:
			state.Items[i].State = repair.ItemRunning
		}
	}
	job := repair.Job{ID: p.ID, Plan: p, Approver: store.Actor{ID: "U0LEAD"}, Claimed: noon, Bulk: state}
	if state.Over() {
		job.Outcome, job.Finished = state.Outcome(), noon.Add(42*time.Minute)
	}
	return repair.Progress{Job: job, At: noon.Add(42 * time.Minute)}
}

func bulks() []Story {
	registry := registryOf(&world{})
	by := func(event audit.Event, cause repair.Cause, detail ...string) repair.BulkEvent {
		return repair.BulkEvent{Event: event, By: store.Actor{ID: "U0LEAD"}, At: noon.Add(40 * time.Minute), Cause: cause, Detail: detail}
	}
	shown := func(title string, p repair.Progress, of ...string) Story {
		return Story{Title: title, Of: of, Blocks: registry.ProgressBlocks(p)}.with(message.ProgressActions(p))
	}
	generate, fix, included := bulkPlan(store.ActionGenerate, 37), bulkPlan(store.ActionFix, 5), bulkPlan(store.ActionGenerate, 2)
	replays := bulkPlan(store.ActionReplay, 3)
	fix.LeftOut, fix.Rest, included.LeftOut, included.Rest = nil, 0, nil, 0
	included.Risk = "Stripe is still retrying the events of 2 of these sessions: the site may make those videos itself, and we would pay twice for each. Better: cancel, and approve a plan without them."
	included.Warnings = []string{included.Risk}
	short := bulkProgress(store.ActionGenerate, 18, 0, 37, by(audit.Paused, repair.CauseBalance, "402: top up"))
	for i := 18; i < 21; i++ {
		short.Job.Bulk.Items[i] = repair.Item{State: repair.ItemFailed, Cause: repair.CauseBalance, Detail: []string{"402: top up"}}
	}
	details := func(title, value string, of ...string) Story {
		answer := registryOf(&world{plan: &generate}).ParseAction(message.ActionDetails, value, commands.Request{User: "U0SUPPORT"}).Run(context.Background())
		return Story{Title: title, Of: of, Blocks: answer.Blocks}.with(answer.Actions)
	}
	all := []Story{
		Story{Title: "plan, generate 37", Blocks: message.PlanBlocks(generate, 2400)}.with(message.PlanActions(generate, "")),
		details("all of it", generate.ID),
		details("all of it, the last page", generate.ID+".40"),
		Story{Title: "plan, replay 3", Blocks: message.PlanBlocks(replays, 2400)}.with(message.PlanActions(replays, "")),
		Story{Title: "plan, fix 5", Blocks: message.PlanBlocks(fix, 2400)}.with(message.PlanActions(fix, "")),
		Story{Title: "plan, with what Stripe will still deliver", Blocks: message.PlanBlocks(included, 2400)}.with(message.PlanActions(included, "")),
		Story{Title: "pressed once", Blocks: message.ConfirmationBlocks(included, store.Actor{ID: "U0LEAD"}, false)}.with(message.PlanActions(included, "P4")),
		Story{Title: "included, which was the first press", Blocks: message.ConfirmationBlocks(included, store.Actor{ID: "U0LEAD"}, true)}.with(message.PlanActions(included, "P4")),
		{Title: "cancelled", Blocks: message.CancelledBlocks(generate, generate.Requester, noon, nil)},
		{Title: "expired", Blocks: message.ExpiredBlocks(generate)},
		ask(&world{}, "bulk, nothing to do", "/session", "bulk generate"),
		shown("running", bulkProgress(store.ActionGenerate, 18, 3, 37)),
		shown("stopping", bulkProgress(store.ActionGenerate, 18, 3, 37, by(audit.Stopped, "")), of("Event", audit.Stopped)),
		shown("stopped", bulkProgress(store.ActionGenerate, 18, 0, 37, by(audit.Stopped, ""))),
		shown("paused, balance", short, of("Event", audit.Paused)),
		shown("paused, nobody carried it on", bulkProgress(store.ActionFix, 3, 0, 9, by(audit.Paused, repair.CauseIdle)), of("Cause", repair.CauseIdle)),
		shown("paused for a day", bulkProgress(store.ActionFix, 3, 0, 9, by(audit.Stopped, repair.CauseLate))),
		shown("paused, begun too late", bulkProgress(store.ActionGenerate, 3, 0, 9, by(audit.Paused, repair.CauseLate))),
		shown("resumed", bulkProgress(store.ActionGenerate, 20, 3, 37, by(audit.Paused, repair.CauseBalance), by(audit.Resumed, "")), of("Event", audit.Resumed)),
		shown("finished, generate", bulkProgress(store.ActionGenerate, 34, 0, 37)),
		shown("paused, replay", bulkProgress(store.ActionReplay, 2, 0, 12, by(audit.Paused, repair.CauseSignature))),
		shown("finished, fix", bulkProgress(store.ActionFix, 2, 0, 5)),
		{Title: "a pause, in the thread", Blocks: registry.EndReply(bulkProgress(store.ActionGenerate, 18, 0, 37, by(audit.Paused, repair.CauseBalance, "402: top up")))},
		{Title: "the end, in the thread", Blocks: registry.EndReply(bulkProgress(store.ActionGenerate, 34, 0, 37))},
	}
	all = append(all, canaries(shown)...)
	return append(all,
		line("click: over", message.BulkClickReply(bulkProgress(store.ActionGenerate, 34, 0, 37).Job)),
		line("click: stopped already", message.BulkClickReply(bulkProgress(store.ActionGenerate, 18, 3, 37, by(audit.Stopped, "")).Job)),
		line("click: not paused", message.BulkClickReply(bulkProgress(store.ActionGenerate, 18, 3, 37).Job)),
		line("click: gone", message.BulkClickReply(repair.Job{})))
}

// canaries are plans of more than ten sessions, and what becomes of the one that goes
// first.
func canaries(shown func(title string, p repair.Progress, of ...string) Story) []Story {
	plan := func(title string, p repair.Plan) Story {
		p.LeftOut, p.Rest = nil, 0
		return Story{Title: title, Blocks: message.PlanBlocks(p, 2400)}.with(message.PlanActions(p, ""))
	}
	replay, errors, images := bulkPlan(store.ActionReplay, 12), bulkPlan(store.ActionFix, 12), bulkPlan(store.ActionGenerate, 12)
	replay.Unfollowed = true
	errors.Items = errors.Items[1:]
	for i := range images.Items {
		images.Items[i].Kind, images.Items[i].Order = store.KindImage, &repair.Order{Model: "azure-openai/gpt-image-1", Image: true, Cents: 300}
	}
	first := func(action store.Action, item repair.Item, ended time.Time, pause repair.Cause, detail ...string) repair.Progress {
		p := bulkProgress(action, 0, 0, 37)
		p.At, p.Job.Bulk = noon.Add(4*time.Minute), repair.NewBulk(p.Job.Plan)
		p.Job.Bulk.Items[0], p.Job.Bulk.Canary.Ended = item, ended
		if pause != "" {
			p.Job.Bulk.Decide(repair.BulkEvent{Event: audit.Paused, By: store.Actor{ID: "U0LEAD"}, At: p.At, Cause: pause, Detail: detail, Canary: true})
		}
		return p
	}
	done, rejected := repair.Item{State: repair.ItemDone}, repair.Item{State: repair.ItemFailed, Cause: repair.CauseRejected, Detail: []string{"too long"}}
	differs := first(store.ActionReplay, done, noon, repair.CausePage, "The customer's page shows an error.")
	return []Story{
		plan("plan, replay 12 without a token", replay),
		plan("plan, fix 12, the first shows its video", bulkPlan(store.ActionFix, 12)),
		plan("plan, fix 11, the first becomes an error", errors),
		plan("plan, generate 12 images", images),
		shown("the canary runs", first(store.ActionGenerate, repair.Item{State: repair.ItemRunning}, time.Time{}, "")),
		shown("the canary's page does not show it yet", first(store.ActionGenerate, done, noon, "")),
		shown("paused, the canary failed", first(store.ActionGenerate, rejected, time.Time{}, rejected.Cause, rejected.Detail...)),
		shown("paused, the canary's page shows something else", differs, of("Cause", repair.CausePage)),
		shown("paused, the canary's page was not seen", first(store.ActionFix, done, noon, repair.CausePageUnseen), of("Cause", repair.CausePageUnseen)),
		{Title: "a pause because of the canary, in the thread", Blocks: registryOf(&world{}).EndReply(differs)},
	}
}
