package storybook

import (
	"fmt"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/sessions"
)

func text(s string) *string { return &s }

// planOf is a stored plan of an action.
func planOf(action store.Action) repair.Plan {
	p := repair.Plan{
		ID: "K3F9", Action: action, Session: sessionID, Requester: store.Actor{ID: "U0SUPPORT"}, Created: noon, Expires: noon.Add(10 * time.Minute),
		Seen: repair.Snapshot{Verdict: diagnosis.VerdictOrphaned, Payment: store.PaymentPaid, Amount: 100, Currency: "usd", FileState: store.FileNone, At: noon},
	}
	if action == store.ActionFix {
		p.FixText, p.Requester = commands.FixText, store.Actor{ID: "ann", Terminal: true}
		p.Seen.Payment, p.Seen.Amount, p.Seen.Currency = store.PaymentUnverified, 0, ""
		p.Warnings = []string{"The payment could not be verified: it is unknown whether the customer is owed a video."}
		p.Writes = []sessions.KeyWrite{
			{Session: sessionID, Kind: "webhook", Unreadable: true, Changes: []sessions.Change{{Name: "status", NotString: true, After: text("error")}, {Name: "error", After: text(commands.FixText)}, {Name: "createdAt", NotString: true}}},
			{Session: sessionID, Kind: "session", Changes: []sessions.Change{{Name: "timestamp", Before: text("2026-03-04T11:00:00.000Z"), After: text("2026-03-04T12:00:31.000Z")}}},
		}
		return p
	}
	p.Retrying, p.EventID, p.IntentID, p.Live = true, "evt_1", "pi_3Abc", true
	if action == store.ActionRestore {
		p.Seen.Verdict, p.Restore = diagnosis.VerdictLost, &sessions.Restored{Order: store.Order{Prompt: "A fox runs\nthrough <deep> & white snow"}, Created: noon}
		p.Warnings = []string{"Stripe is still retrying the event: with the prompt restored, the site makes the video at the next retry. Do not generate one as well."}
		p.Writes = []sessions.KeyWrite{{Session: sessionID, Kind: "session", Create: true, Changes: []sessions.Change{
			{Name: "prompt", After: &p.Restore.Order.Prompt}, {Name: "videoCount", After: text("1"), Number: true}, {Name: "status", After: text("pending")}}}}
		return p
	}
	if action == store.ActionReplay {
		p.Replay = &repair.Replay{EventID: "evt_1", Until: noon.Add(29 * 24 * time.Hour), Cents: 2400}
		p.Risk = "Stripe is still retrying the event: if a retry also gets through, we pay for two videos."
		p.Warnings = []string{p.Risk}
		return p
	}
	p.Risk = "Stripe is still retrying the event: if a retry also gets through, we pay for two videos."
	p.Warnings = []string{p.Risk, "The customer paid for 3 videos, but a session makes only one: refund the other 2 in Stripe (2/3 of what was paid) once this plan is done or cancelled."}
	p.Order = &repair.Order{Model: "google-cloud/veo3-text2video", SessionModel: "other/veo2", Seconds: 8, SecondsFrom: repair.FromDefault,
		Width: 1280, Height: 720, SizeFrom: repair.FromSession, Cents: 2400, PromptFrom: repair.FromPrompt, PromptChars: 62}
	p.Writes = []sessions.KeyWrite{{Session: sessionID, Kind: "webhook", Create: true, Changes: []sessions.Change{{Name: "status", After: text("processing")}}, LaterMembers: []string{"fileId", "timestamp"}}}
	return p
}

// imagePlan is a plan to generate an image.
func imagePlan() repair.Plan {
	p := planOf(store.ActionGenerate)
	p.Risk = "Stripe is still retrying the event: if a retry also gets through, we pay for two images."
	p.Kind, p.Warnings, p.Order = store.KindImage, []string{p.Risk}, &repair.Order{Model: "azure-openai/gpt-image-1", Image: true, Width: 1024, Height: 1024,
		SizeFrom: repair.FromSession, Cents: 300, PromptFrom: repair.FromSession, PromptChars: 62}
	return p
}

// clicks are the states of a plan before it is executed, and the answers to
// clicks.
func clicks() []Story {
	var all []Story
	for _, action := range []store.Action{store.ActionFix, store.ActionGenerate, store.ActionReplay, store.ActionRestore} {
		p := planOf(action)
		all = append(all,
			Story{Title: "plan, " + string(action), Blocks: message.PlanBlocks(p, 2400)}.with(message.PlanActions(p, "")),
			Story{Title: "cancelled, " + string(action), Blocks: message.CancelledBlocks(p, p.Requester, noon, nil)},
			Story{Title: "expired, " + string(action), Blocks: message.ExpiredBlocks(p)})
	}
	p := planOf(store.ActionGenerate)
	corrupt := planOf(store.ActionFix)
	corrupt.Writes = []sessions.KeyWrite{{Session: sessionID, Kind: "webhook", Unreadable: true, Replaced: true, Changes: []sessions.Change{{Name: "status", After: text("error")}}}}
	longest := planOf(store.ActionRestore)
	longest.FromStripe, longest.Restore.Order.Prompt = true, strings.Repeat("<&é ", 2000)
	all = append(all,
		Story{Title: "cancelled, with a note", Blocks: message.CancelledBlocks(p, p.Requester, noon, &repair.Note{By: p.Requester, At: noon, Text: "the customer was refunded"})},
		Story{Title: "plan, restore the longest prompt", Blocks: message.PlanBlocks(longest, 2400)}.with(message.PlanActions(longest, "")),
		Story{Title: "pressed once", Blocks: message.ConfirmationBlocks(p, store.Actor{ID: "U0LEAD"}, false)}.with(message.PlanActions(p, "P4")),
		Story{Title: "plan, generate an image", Blocks: message.PlanBlocks(imagePlan(), 2400)}.with(message.PlanActions(imagePlan(), "")),
		Story{Title: "plan, fix of what cannot be read at all", Blocks: message.PlanBlocks(corrupt, 2400)}.with(message.PlanActions(corrupt, "")))
	for _, verdict := range []repair.ClaimVerdict{repair.AlreadyCancelled, repair.Expired, repair.NeedsSecondPress, repair.Unknown} {
		l := message.PlanClickReply(repair.ClaimResult{Verdict: verdict, Plan: repair.PlanRecord{Plan: p}, By: store.Actor{ID: "U0LEAD"}, At: noon}, noon.Add(4*time.Second))
		all = append(all, line("click: "+string(verdict), l, of("ClaimVerdict", verdict)))
	}
	for _, outcome := range []store.Outcome{"", store.OutcomeDone, store.OutcomeRefused, store.OutcomeFailed, store.OutcomeUnclear, store.OutcomeGaveUp, store.OutcomeCancelled} {
		l := message.PlanClickReply(repair.ClaimResult{Verdict: repair.AlreadyClaimed, Job: repair.Job{Outcome: outcome}, By: store.Actor{ID: "U0LEAD"}, At: noon}, noon.Add(4*time.Second))
		all = append(all, line("click: already_claimed, "+string(outcome), l, of("ClaimVerdict", repair.AlreadyClaimed), of("Outcome", outcome)))
	}
	for _, doing := range []store.JobState{store.JobRunning, store.JobUnclear} {
		l := message.PlanClickReply(repair.ClaimResult{Verdict: repair.Busy, Doing: doing}, noon)
		all = append(all, line("click: busy, "+string(doing), l, of("ClaimVerdict", repair.Busy), of("JobState", doing)))
	}
	return all
}

// endings are the outcomes of jobs, "" = running, with their causes.
var endings = []struct {
	action  store.Action
	outcome store.Outcome
	causes  []repair.Cause
}{
	{store.ActionFix, "", []repair.Cause{""}}, {store.ActionFix, store.OutcomeDone, []repair.Cause{""}}, {store.ActionFix, store.OutcomeFailed, []repair.Cause{repair.CauseOverwritten}},
	{store.ActionGenerate, "", []repair.Cause{""}}, {store.ActionGenerate, store.OutcomeDone, []repair.Cause{""}},
	{store.ActionGenerate, store.OutcomeRefused, []repair.Cause{repair.CauseChanged, repair.CauseLate, repair.CauseNoToken, repair.CauseCommand}},
	{store.ActionGenerate, store.OutcomeFailed, []repair.Cause{repair.CauseUnauthorised, repair.CauseRejected, repair.CauseRateLimited,
		repair.CauseUnavailable, repair.CauseBalance, repair.CauseForbidden, repair.CauseCertificate, repair.CauseFileFailed, repair.CauseNotMade, repair.CauseOverwritten,
		repair.CauseServerFault, repair.CauseLate, repair.CauseChanged, repair.CauseCommand}},
	{store.ActionGenerate, store.OutcomeUnclear, []repair.Cause{repair.CauseNoAnswer}},
	{store.ActionGenerate, store.OutcomeGaveUp, []repair.Cause{repair.CauseTooLong, repair.CauseUnwritten}},
	{store.ActionGenerate, store.OutcomeCancelled, []repair.Cause{""}},
	{store.ActionReplay, "", []repair.Cause{""}}, {store.ActionReplay, store.OutcomeDone, []repair.Cause{""}},
	{store.ActionReplay, store.OutcomeRefused, []repair.Cause{repair.CauseChanged, repair.CauseNoSecret, repair.CauseNoStripeKey, repair.CauseNoEvent}},
	{store.ActionReplay, store.OutcomeFailed, []repair.Cause{repair.CauseSignature, repair.CauseClock, repair.CauseBlocked, repair.CauseNoWebhook,
		repair.CauseUnreachable, repair.CauseSiteFailed, repair.CauseIgnored, repair.CauseOverwritten, repair.CauseFileFailed}},
	{store.ActionReplay, store.OutcomeUnclear, []repair.Cause{repair.CauseNoAnswer}},
	{store.ActionReplay, store.OutcomeGaveUp, []repair.Cause{repair.CauseNoToken, repair.CauseTooLong}},
	{store.ActionReplay, store.OutcomeCancelled, []repair.Cause{""}},
	{store.ActionRestore, "", []repair.Cause{""}}, {store.ActionRestore, store.OutcomeDone, []repair.Cause{""}},
	{store.ActionRestore, store.OutcomeRefused, []repair.Cause{repair.CauseChanged}},
	{store.ActionRestore, store.OutcomeFailed, []repair.Cause{repair.CauseOverwritten}},
	{store.ActionRestore, store.OutcomeGaveUp, []repair.Cause{repair.CauseUnwritten}},
}

// progress is the state of a job with this outcome.
func progress(p repair.Plan, outcome store.Outcome, cause repair.Cause) repair.Progress {
	job := repair.Job{ID: "K3F9", Plan: p, Approver: store.Actor{ID: "U0LEAD"}, Claimed: noon.Add(time.Minute),
		Sending: noon.Add(time.Minute), Outcome: outcome, Cause: cause, Overwritten: cause == repair.CauseOverwritten}
	now := repair.Progress{Job: job, At: noon.Add(6 * time.Minute)}
	switch outcome {
	case store.OutcomeDone, store.OutcomeFailed, store.OutcomeCancelled:
		now.Site = &store.Site{Found: true, Status: "error"}
	case store.OutcomeUnclear, store.OutcomeGaveUp:
		now.Site = &store.Site{Found: true, Status: "processing"}
	}
	switch cause {
	case repair.CauseOverwritten:
		now.Site.Status = "processing"
	case repair.CauseTooLong, repair.CauseUnwritten:
		now.At = noon.Add(2 * time.Hour)
	case repair.CauseCommand:
		now.Job.Detail = []string{"Redis refused WATCH."}
	case repair.CauseChanged:
		now.Job.Detail = []string{"The status was “none” and is now “processing”."}
		if outcome == store.OutcomeFailed { // found once the claim was written
			now.Job.Detail = []string{"The prompt has changed."}
		}
	case repair.CauseRejected:
		now.Job.Detail = []string{"body.prompt: too long (3200 > 2000 characters)"}
	case repair.CauseBlocked:
		now.Job.Detail = []string{"It answered HTTP 403.", "It said: “<!channel> go away”"}
	case repair.CauseSiteFailed:
		now.SiteText = "SuperDuperAI API failed: 429 - <!channel>"
	case repair.CauseNotMade:
		now.Job.Settled = &repair.Settlement{By: store.Actor{ID: "U0LEAD"}, At: noon.Add(5 * time.Minute)}
	case repair.CauseFileFailed:
		now.Job.FileID, now.File = fileID, store.File{State: store.FileFailed, Error: refusal}
	}
	if outcome != "" {
		now.Job.Finished = now.At
	}
	switch {
	case p.Action == store.ActionRestore:
		if outcome == store.OutcomeDone {
			now.Next = []store.Action{store.ActionGenerate, store.ActionReplay}
		}
		if now.Site != nil {
			now.Site.Status = "pending"
		}
	case outcome == store.OutcomeDone && p.Action != store.ActionFix:
		now.Job.FileID, now.Site.Status, now.Site.FileID = fileID, "completed", fileID
		now.File = store.File{State: store.FileCompleted, ThumbnailURL: "https://cdn.example.com/1.jpg"}
	case outcome == store.OutcomeGaveUp:
		now.Job.FileID, now.Site.FileID = fileID, fileID
	case p.Action == store.ActionReplay && cause == repair.CauseOverwritten:
		now.Job.FileID, now.Site = fileID, &store.Site{Found: true, Status: "error", FileID: fileID}
	case p.Action == store.ActionReplay && outcome == store.OutcomeFailed && cause != repair.CauseSiteFailed && cause != repair.CauseFileFailed: // the site wrote nothing
		now.Site = &store.Site{}
	case outcome == store.OutcomeCancelled:
		now.Job.Cancelled = &repair.Decision{By: p.Requester, At: noon.Add(3 * time.Minute)}
	}
	return now
}

// repairs are the states of jobs.
func repairs() []Story {
	var all []Story
	for _, e := range endings {
		for _, cause := range e.causes {
			title := string(e.action) + ", running"
			if e.outcome != "" {
				title = fmt.Sprintf("%s, %s %s", e.action, e.outcome, cause)
			}
			all = append(all, repairStory(title, progress(planOf(e.action), e.outcome, cause)))
		}
	}
	waiting := progress(planOf(store.ActionGenerate), "", "")
	waiting.Job.Step, waiting.Job.Waiting = repair.StepWritten, true
	cancelling := waiting
	cancelling.Job.Cancelled = &repair.Decision{By: store.Actor{ID: "U0SUPPORT"}, At: noon.Add(3 * time.Minute)}
	delivered := progress(planOf(store.ActionFix), store.OutcomeDone, "")
	delivered.Job.Plan.Deliver, delivered.Job.FileID = fileID, fileID
	delivered.File, delivered.Site = store.File{State: store.FileCompleted}, &store.Site{Found: true, Status: "completed", FileID: fileID}
	overwritten := progress(planOf(store.ActionGenerate), store.OutcomeFailed, repair.CauseOverwritten)
	overwritten.Job.FileID, overwritten.Site.Status = fileID, ""
	foreign := progress(planOf(store.ActionGenerate), "", "")
	foreign.Job.FileID, foreign.Job.Overwritten = fileID, true
	sent := progress(planOf(store.ActionReplay), "", "")
	sent.Job.Step = repair.StepSent
	unanswered := progress(planOf(store.ActionReplay), "", repair.CauseNoAnswer)
	unanswered.Job.Step = repair.StepSending
	timedOut := progress(planOf(store.ActionReplay), store.OutcomeFailed, repair.CauseSiteFailed)
	timedOut.SiteText = "The operation was aborted due to timeout"
	for n, next := range [][]store.Action{{store.ActionReplay, store.ActionGenerate}, {store.ActionReplay}, {store.ActionGenerate}, nil, nil} {
		restored := progress(planOf(store.ActionRestore), store.OutcomeDone, "")
		restored.Job.Plan.Retrying, restored.Next = n == 4, next
		all = append(all, repairStory(fmt.Sprintf("restore, done, then possible %q, Stripe delivers: %v", next, n == 4), restored))
	}
	all = append(all,
		repairStory("replay, taken by the site", sent),
		repairStory("replay, not answered yet", unanswered),
		repairStory("replay, failed, the site timed out", timedOut),
		repairStory("generate, waiting for a replica of Redis", waiting),
		repairStory("generate, cancelled while it waits", cancelling, of("ClaimVerdict", repair.JobCancelled)),
		repairStory("fix, done, delivered", delivered),
		repairStory("generate, failed overwritten, made", overwritten),
		repairStory("generate, running, overwritten", foreign))
	for _, e := range []struct {
		title   string
		outcome store.Outcome
		cause   repair.Cause
	}{{"running", "", ""}, {"done", store.OutcomeDone, ""}, {"unclear", store.OutcomeUnclear, repair.CauseNoAnswer}, {"gave_up", store.OutcomeGaveUp, repair.CauseTooLong}} {
		all = append(all, repairStory("an image, "+e.title, progress(imagePlan(), e.outcome, e.cause)))
	}
	return all
}

// ends are what is posted in the thread once a job has ended.
func ends() []Story {
	var all []Story
	for _, e := range endings {
		if e.outcome == "" {
			continue
		}
		all = append(all, Story{Title: fmt.Sprintf("reply: %s, %s", e.action, e.outcome), Blocks: registryOf(&world{}).EndReply(progress(planOf(e.action), e.outcome, e.causes[0]))})
	}
	return all
}

func repairStory(title string, p repair.Progress, kinds ...string) Story {
	return Story{Title: title, Of: append(kinds, of("Outcome", p.Job.Outcome), of("Cause", p.Job.Cause), of("Action", p.Job.Plan.Action)),
		Blocks: registryOf(&world{}).ProgressBlocks(p)}.with(message.ProgressActions(p))
}
