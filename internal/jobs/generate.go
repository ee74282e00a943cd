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

// What a customer reads on their page where no video could be made. Support sees
// the cause.
const (
	startFailed = "Failed to start generation: please contact support."
	makeFailed  = "Video generation failed: please contact support."
)

// prepare reads the prompt and records that the request is about to be sent: from
// then on only this execution sends it, and only once.
func (e *execution) prepare(ctx context.Context) error {
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
	case e.late():
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
func (e *execution) awaitReplicas(ctx context.Context) error {
	minutes := func() int { return int(e.Now().Sub(e.job.Claimed).Minutes()) }
	shown := minutes()
	for !e.late() {
		err := e.Ledger.AwaitReplicas(ctx, e.lease, e.job)
		switch {
		case err == nil:
			e.job.Waiting = false
			return nil
		case errors.Is(err, lease.ErrLost), rdb.Permanent(err), ctx.Err() != nil:
			return err
		}
		if now := minutes(); now != shown {
			shown = now
			e.logWaiting(ctx, err)
			e.notify(ctx)
		}
		if err := sleep(ctx, e.Timings.Pending); err != nil {
			return err
		}
	}
	return nil
}

func (e *execution) logWaiting(ctx context.Context, err error) {
	e.Log.WarnContext(ctx, "generation waits for the replicas of Redis", "job", e.job.ID, "error", err)
}

// send sends the one request. An execution that finds the step recorded by another
// one cannot know whether the request was sent: a person has to find out.
func (e *execution) send(ctx context.Context) error {
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
	err := e.Ledger.AwaitReplicas(ctx, e.lease, e.job)
	if errors.Is(err, lease.ErrLost) {
		return err
	}
	if rdb.Permanent(err) { // and nothing was sent
		e.job.Step, e.job.Sending = repair.StepWritten, time.Time{}
		return err
	}
	if err != nil {
		e.logWaiting(ctx, err)
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

// causeOf returns why nothing was started, and the API's own words about it.
func causeOf(api *superduper.Error, now time.Time) (repair.Cause, []string) {
	var detail []string
	for _, field := range api.Fields {
		detail = append(detail, field.Loc+": "+field.Msg)
	}
	if api.Detail != "" {
		detail = append(detail, api.Detail)
	}
	switch api.Kind {
	case superduper.NoToken:
		return repair.CauseNoToken, nil
	case superduper.Unauthorised:
		return repair.CauseUnauthorised, detail
	case superduper.Unpaid:
		return repair.CauseBalance, detail
	case superduper.Forbidden:
		return repair.CauseForbidden, detail
	case superduper.Rejected, superduper.NotFound, superduper.Malformed:
		return repair.CauseRejected, detail
	case superduper.RateLimited:
		if api.RetryAfter > 0 {
			detail = append(detail, "It asks to wait until "+now.Add(api.RetryAfter).UTC().Format("15:04:05 UTC")+".")
		}
		return repair.CauseRateLimited, detail
	case superduper.Certificate:
		return repair.CauseCertificate, nil
	}
	if api.Status != 0 {
		return repair.CauseServerFault, append(detail, fmt.Sprintf("It answered HTTP %d.", api.Status))
	}
	return repair.CauseUnavailable, detail
}

// sent writes the file's id, or that nothing was started.
func (e *execution) sent(ctx context.Context) error {
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

// failed writes that there is no video, and records the cause.
func (e *execution) failed(ctx context.Context, sentence string, cause repair.Cause, detail ...string) error {
	err := e.update(ctx, sessions.Update{Kind: sessions.UpdateFailed, At: e.Now(), Error: sentence})
	if err != nil && !errors.Is(err, errConflict) {
		return err
	}
	e.job.Step, e.job.Cause, e.job.Detail = repair.StepFinished, cause, detail
	if e.job.Overwritten = err != nil; e.job.Overwritten {
		return e.conclude(store.OutcomeFailed, cause, detail...)
	}
	return nil
}

// cancel ends a job that was cancelled while it waited: nothing was sent.
func (e *execution) cancel(ctx context.Context) error {
	err := e.failed(ctx, startFailed, "")
	if e.job.Outcome != "" { // the session is somebody else's by now
		e.job.Outcome = store.OutcomeCancelled
	}
	return err
}
