package jobs

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/sessions"
	"github.com/superduperai/sessionbot/superduper"
)

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
			return e.failed(ctx, startFailed, repair.CauseLate, noReplicaInTime)
		}
		return e.failed(ctx, startFailed, repair.CauseLate)
	case !e.job.Plan.Order.Asks(prompt):
		return e.failed(ctx, startFailed, repair.CauseChanged, "The prompt has changed.")
	case !owned(s, sessions.Update{Kind: sessions.UpdateProcessing, SiteLayout: e.job.Plan.SiteLayout}):
		e.job.Overwritten = true
		return e.conclude(store.OutcomeFailed, repair.CauseOverwritten)
	}
	e.prompt = prompt
	e.job.Step, e.job.Sending = repair.StepSending, e.Now().UTC()
	return nil
}

// send sends the one request. An execution that finds the step recorded by another
// one cannot know whether the request was sent: a person has to check.
func (e generation) send(ctx context.Context) error {
	if e.prompt == "" {
		if e.job.Settled != nil {
			return e.failed(ctx, startFailed, repair.CauseNotMade)
		}
		return e.conclude(store.OutcomeUnclear, repair.CauseNoAnswer)
	}
	prompt := e.prompt
	e.prompt = ""
	if may, err := e.maySend(ctx, repair.StepWritten); !may {
		return err
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
	// Recorded first, so that it does not count as a request without an answer.
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

// poll follows the file.
func (e generation) poll(ctx context.Context) error {
	return e.follow(ctx, e.completed, func(ctx context.Context) error {
		return e.failed(ctx, e.job.Plan.Kind.Reword(makeFailed), repair.CauseFileFailed)
	})
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
