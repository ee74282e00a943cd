package jobs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/sessions"
	"github.com/superduperai/sessionbot/superduper"
)

// waitingForReplicas is logged while a request must not be sent yet.
const waitingForReplicas = "generation waits for the replicas of Redis"

// generation has the steps of a job that has a video or an image made.
type generation struct{ *execution }

// prepare reads the prompt and records that the request is about to be sent: from
// then on only this execution sends it, and only once.
func (e generation) prepare(ctx context.Context) error {
	if e.job.Cancelled != nil {
		return e.cancel(ctx)
	}
	if e.job.Waiting {
		if err := e.awaitReplicas(ctx); err != nil {
			return err
		}
	}
	s, err := e.Product.Session(ctx, e.job.Plan.Session)
	if err != nil {
		return err
	}
	prompt := s.PromptText()
	switch {
	case late(*e.job, e.Now()):
		if e.job.Waiting {
			return e.failed(ctx, startFailed, repair.CauseLate, "No replica of Redis confirmed the record in all that time.")
		}
		return e.failed(ctx, startFailed, repair.CauseLate)
	case !e.job.Plan.Order.Asks(prompt):
		return e.failed(ctx, startFailed, repair.CauseChanged, "The prompt is another one now.")
	case !owned(s, sessions.Update{Kind: sessions.UpdateClaim, Reads: e.job.Plan.Reads}):
		e.job.Overwritten = true
		return e.conclude(store.OutcomeFailed, repair.CauseOverwritten)
	}
	e.prompt = prompt
	e.job.Step, e.job.Sending = repair.StepSending, e.Now().UTC()
	return nil
}

// awaitReplicas waits until the replicas acknowledged the job's record, or it is
// too late. Until then nothing is sent, so that the job can be cancelled.
func (e generation) awaitReplicas(ctx context.Context) error {
	minutes := func() int { return int(e.Now().Sub(e.job.Claimed).Minutes()) }
	shown := minutes()
	for !late(*e.job, e.Now()) {
		err := e.Ledger.AwaitReplicas(ctx, e.lease, *e.job)
		switch {
		case err == nil:
			e.job.Waiting = false
			return nil
		case errors.Is(err, lease.ErrLost), rdb.Permanent(err), ctx.Err() != nil:
			return err
		}
		if now := minutes(); now != shown {
			shown = now
			e.Log.WarnContext(ctx, waitingForReplicas, "job", e.job.ID, "error", err)
			e.notify(ctx)
		}
		if err := sleep(ctx, e.Timings.Pending); err != nil {
			return err
		}
	}
	return nil
}

// send sends the one request. An execution that finds the step recorded by another
// one cannot know whether the request was sent: a person has to find out.
func (e generation) send(ctx context.Context) error {
	if e.prompt == "" {
		if e.job.Settled != nil {
			return e.failed(ctx, startFailed, repair.CauseNotMade)
		}
		return e.conclude(store.OutcomeUnclear, repair.CauseNoAnswer)
	}
	prompt := e.prompt
	e.prompt = ""
	// If the process was suspended, another one may have the job: only the holder of
	// the lease can record this. A Redis replica that does not know of the request
	// could take over, and have it sent once more.
	err := e.Ledger.AwaitReplicas(ctx, e.lease, *e.job)
	if errors.Is(err, lease.ErrLost) {
		return err
	}
	if rdb.Permanent(err) { // and nothing was sent
		e.job.Step, e.job.Sending = repair.StepWritten, time.Time{}
		return err
	}
	if err != nil {
		e.Log.WarnContext(ctx, waitingForReplicas, "job", e.job.ID, "error", err)
	}
	if err != nil || e.Now().Sub(e.job.Sending) > sendWithin {
		e.job.Step, e.job.Sending, e.job.Waiting = repair.StepWritten, time.Time{}, err != nil
		return nil
	}
	limited, done := context.WithTimeout(ctx, requestTimeout)
	defer done()
	o := e.job.Plan.Order
	file, err := e.Generator.Generate(limited, superduper.Request{Image: o.Image, Prompt: prompt, Model: o.Model,
		Duration: o.Seconds, Width: o.Width, Height: o.Height, Seed: rand.IntN(1_000_000)})
	e.OnStep("answered")
	var api *superduper.Error
	switch {
	case err == nil:
		e.job.Step, e.job.FileID, e.job.Sent = repair.StepSent, file, e.Now().UTC()
		return nil
	case !errors.As(err, &api), api.Kind == superduper.Unclear:
		e.Log.ErrorContext(ctx, "outcome of a generation unclear", "job", e.job.ID, "error", err)
		return e.conclude(store.OutcomeUnclear, repair.CauseNoAnswer)
	}
	e.Log.WarnContext(ctx, "generation not started", "job", e.job.ID, "error", err)
	// Recorded first: nobody must take this for a request without an answer.
	cause, detail := causeOf(api, e.Now())
	e.job.Step, e.job.Cause, e.job.Detail = repair.StepSent, cause, detail
	return nil
}

// sent writes the file's id, or that nothing was started.
func (e generation) sent(ctx context.Context) error {
	if e.job.FileID == "" {
		return e.failed(ctx, startFailed, e.job.Cause, e.job.Detail...)
	}
	err := e.update(ctx, sessions.Update{Kind: sessions.UpdateFile, At: e.job.Sent})
	if err != nil && !errors.Is(err, errConflict) {
		return err
	}
	// After a conflict the site most likely started one as well; ours is generated all the same.
	e.job.Step, e.job.Overwritten = repair.StepFiled, err != nil
	return nil
}

// cancel ends a job that was cancelled while it waited for replicas.
func (e generation) cancel(ctx context.Context) error {
	err := e.failed(ctx, startFailed, "")
	if e.job.Outcome != "" { // the session was overwritten
		e.job.Outcome = store.OutcomeCancelled
	}
	return err
}

// poll requests the file until it is finished, has failed or takes too long.
func (e generation) poll(ctx context.Context) error {
	wait, shown := e.Timings.Poll, ""
	// People read the state and the minutes; more often would only use up Slack's rate
	// limit.
	show := func() {
		if now := fmt.Sprint(e.file.State, e.job.Overwritten, int(e.Now().Sub(e.job.Claimed).Minutes())); now != shown {
			shown = now
			e.notify(ctx)
		}
	}
	reread := e.job.Overwritten || e.job.Wrote == nil // an older version recorded nothing
	for {
		file, err := e.Generator.File(ctx, e.job.FileID)
		switch {
		case err == nil:
			wait, e.file = e.Timings.Poll, file
		case ctx.Err() != nil:
			return ctx.Err()
		default: // a 404 just after the creation is normal, too
			wait = min(2*wait, e.Timings.MaxPoll)
			var api *superduper.Error
			if errors.As(err, &api) {
				wait = max(wait, min(api.RetryAfter, 5*time.Minute))
			}
		}
		switch e.file.State {
		case store.FileCompleted:
			return e.completed(ctx)
		case store.FileFailed:
			return e.failed(ctx, e.job.Plan.Kind.Reword(makeFailed), repair.CauseFileFailed)
		}
		if e.Now().Sub(e.job.Sent) > e.GiveUp {
			return e.conclude(store.OutcomeGaveUp, repair.CauseTooLong)
		}
		show()
		pause := wait
		if !reread {
			kept, err := e.reread(ctx)
			if err != nil {
				return err
			}
			// What was overwritten is written again once the file is finished.
			reread, pause, e.job.Overwritten = true, max(wait-e.Timings.Reread, 0), !kept
		}
		for ; pause > 0; pause -= e.Timings.Refresh { // SuperDuperAI may ask for minutes
			if err := sleep(ctx, min(pause, e.Timings.Refresh)); err != nil {
				return err
			}
			show()
		}
	}
}

// completed writes that the file is finished.
func (e generation) completed(ctx context.Context) error {
	s, err := e.Product.Session(ctx, e.job.Plan.Session)
	if err != nil {
		return err
	}
	if err := e.rememberFile(ctx, s); err != nil {
		return err
	}
	err = e.update(ctx, sessions.Update{Kind: sessions.UpdateCompleted, At: e.Now()})
	switch {
	case errors.Is(err, errConflict):
		e.job.Overwritten = true
		return e.conclude(store.OutcomeFailed, repair.CauseOverwritten)
	case err != nil:
		return err
	}
	e.job.Step, e.job.Detail = repair.StepFinished, nil
	return nil
}
