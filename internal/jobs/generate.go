package jobs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/superduper"
)

// What a customer reads on their page where a video could not be made. Support
// sees the cause.
const (
	startFailed = "Failed to start generation: please contact support."
	makeFailed  = "Video generation failed: please contact support."
)

// prepare reads the prompt and records that the request is about to be sent:
// from here on nobody sends it but this worker, and only once.
func (c *carriage) prepare(ctx context.Context) error {
	if c.job.Cancelled != nil {
		return c.cancelled(ctx)
	}
	if c.job.Waiting {
		if err := c.await(ctx); err != nil {
			return err
		}
	}
	s, err := c.Product.Session(ctx, c.job.Plan.Session)
	if err != nil {
		return err
	}
	prompt := s.PromptText()
	switch {
	case c.late():
		if c.job.Waiting {
			return c.failed(ctx, startFailed, store.CauseLate, "No replica of Redis confirmed the record in all that time.")
		}
		return c.failed(ctx, startFailed, store.CauseLate)
	case !c.job.Plan.Order.Asks(prompt):
		return c.failed(ctx, startFailed, store.CauseChanged, "The prompt is another one now.")
	case !ours(s, store.Update{Kind: store.UpdateClaim, Reads: c.job.Plan.Reads}):
		c.job.Foreign = true
		return c.finish(store.OutcomeFailed, store.CauseOverwritten)
	}
	c.prompt = prompt
	c.job.Step, c.job.Sending = store.StepSending, c.Now().UTC()
	return nil
}

// send sends the one request. Who finds the step recorded by somebody else
// does not know whether it was sent: a person has to find out.
func (c *carriage) send(ctx context.Context) error {
	if c.prompt == "" {
		if c.job.Settled != nil {
			return c.failed(ctx, startFailed, store.CauseNotMade)
		}
		return c.finish(store.OutcomeUnclear, store.CauseNoAnswer)
	}
	prompt := c.prompt
	c.prompt = ""
	// Where the process stood still, somebody else may have got the job: only
	// who can record this still has it, and begins anew. A replica that does not
	// know of the request could take over and have it sent once more.
	err := c.Ledger.Replicated(ctx, c.lease, c.job)
	if errors.Is(err, store.ErrLeaseLost) {
		return err
	}
	if store.Impossible(err) { // and nothing was sent
		c.job.Step, c.job.Sending = store.StepWritten, time.Time{}
		return err
	}
	if err != nil {
		c.waits(ctx, err)
	}
	if err != nil || c.Now().Sub(c.job.Sending) > sendWithin {
		c.job.Step, c.job.Sending, c.job.Waiting = store.StepWritten, time.Time{}, err != nil
		return nil
	}
	limited, done := context.WithTimeout(ctx, sendFor)
	defer done()
	file, err := c.ask(limited, prompt)
	c.At("answered")
	var api *superduper.Error
	switch {
	case err == nil:
		c.job.Step, c.job.FileID, c.job.Sent = store.StepSent, file.ID, c.Now().UTC()
		return nil
	case !errors.As(err, &api), api.Kind == superduper.Unclear:
		c.Log.ErrorContext(ctx, "a generation's outcome is not known", "job", c.job.ID, "error", err)
		return c.finish(store.OutcomeUnclear, store.CauseNoAnswer)
	}
	c.Log.WarnContext(ctx, "a generation was not started", "job", c.job.ID, "error", err)
	// Recorded first: nobody must take this for a request without an answer.
	cause, detail := causeOf(api, c.Now())
	c.job.Step, c.job.Cause, c.job.Detail = store.StepSent, cause, detail
	return nil
}

func (c *carriage) ask(ctx context.Context, prompt string) (superduper.File, error) {
	o, seed := c.job.Plan.Order, rand.IntN(1_000_000)
	if o.Image {
		return c.Maker.GenerateImage(ctx, superduper.ImageRequest{
			Prompt: prompt, Model: o.Model, Width: o.Width, Height: o.Height, Seed: seed})
	}
	return c.Maker.GenerateVideo(ctx, superduper.VideoRequest{
		Prompt: prompt, Model: o.Model, Duration: o.Seconds, Width: o.Width, Height: o.Height, Seed: seed})
}

// causeOf says why nothing was started, and the API's own words about it.
func causeOf(api *superduper.Error, now time.Time) (store.Cause, []string) {
	var detail []string
	for _, field := range api.Fields {
		detail = append(detail, field.Loc+": "+field.Msg)
	}
	if api.Detail != "" {
		detail = append(detail, api.Detail)
	}
	switch api.Kind {
	case superduper.NoToken:
		return store.CauseNoToken, nil
	case superduper.Unauthorised:
		return store.CauseUnauthorised, detail
	case superduper.Unpaid:
		return store.CauseBalance, detail
	case superduper.Forbidden:
		return store.CauseForbidden, detail
	case superduper.Rejected, superduper.NotFound, superduper.Malformed:
		return store.CauseRejected, detail
	case superduper.RateLimited:
		if api.RetryAfter > 0 {
			detail = append(detail, "It asks to wait until "+now.Add(api.RetryAfter).UTC().Format("15:04:05 UTC")+".")
		}
		return store.CauseRateLimited, detail
	case superduper.Certificate:
		return store.CauseCertificate, nil
	}
	if api.Status != 0 {
		return store.CauseServerFault, append(detail, fmt.Sprintf("It answered HTTP %d.", api.Status))
	}
	return store.CauseUnavailable, detail
}

// sent writes the file's id, or that nothing was started.
func (c *carriage) sent(ctx context.Context) error {
	if c.job.FileID == "" {
		return c.failed(ctx, startFailed, c.job.Cause, c.job.Detail...)
	}
	err := c.put(ctx, store.Update{Kind: store.UpdateFile, At: c.job.Sent})
	if err != nil && !errors.Is(err, errOthers) {
		return err
	}
	// Where others wrote, the site most likely began as well; ours is being made all the same.
	c.job.Step, c.job.Foreign = store.StepFiled, err != nil
	return nil
}

// failed writes that there is no video. The cause is recorded with it.
func (c *carriage) failed(ctx context.Context, sentence string, cause store.Cause, detail ...string) error {
	err := c.put(ctx, store.Update{Kind: store.UpdateFailed, At: c.Now(), Error: sentence})
	if err != nil && !errors.Is(err, errOthers) {
		return err
	}
	c.job.Step, c.job.Cause, c.job.Detail = store.StepFinished, cause, detail
	if c.job.Foreign = err != nil; c.job.Foreign {
		return c.finish(store.OutcomeFailed, cause, detail...)
	}
	return nil
}

// poll asks for the file until it is made, has failed or takes too long.
func (c *carriage) poll(ctx context.Context) error {
	wait, told := c.Timings.Poll, ""
	reread := c.job.Foreign || c.job.Wrote == nil // an older version noted nothing
	for {
		file, err := c.look(ctx, c.job.FileID)
		switch {
		case err == nil:
			wait, c.file = c.Timings.Poll, file
		case ctx.Err() != nil:
			return ctx.Err()
		default: // 404 just after the creation is normal, too
			wait = min(2*wait, c.Timings.MaxPoll)
			var api *superduper.Error
			if errors.As(err, &api) {
				wait = max(wait, min(api.RetryAfter, 5*time.Minute))
			}
		}
		switch c.file.State {
		case store.FileCompleted:
			return c.completed(ctx)
		case store.FileFailed:
			return c.failed(ctx, c.job.Plan.Kind.Tell(makeFailed), store.CauseFileFailed)
		}
		if c.Now().Sub(c.job.Sent) > c.GiveUp {
			return c.finish(store.OutcomeGaveUp, store.CauseTooLong)
		}
		// People read the state and the minutes; more often would only use up
		// what Slack allows.
		if now := fmt.Sprint(c.file.State, c.job.Foreign, int(c.Now().Sub(c.job.Claimed).Minutes())); now != told {
			told = now
			c.tell(ctx)
		}
		rest := wait
		if !reread {
			stands, err := c.stands(ctx)
			if err != nil {
				return err
			}
			// What does not stand is tried again once the file is made.
			reread, rest, c.job.Foreign = true, max(wait-c.Timings.Reread, 0), !stands
		}
		if err := pause(ctx, rest); err != nil {
			return err
		}
	}
}

// look sees how far a file is.
func (r *Runner) look(ctx context.Context, id string) (store.File, error) {
	file, err := r.Maker.File(ctx, id)
	if err != nil {
		return store.File{}, err
	}
	return store.File{State: store.FileState(file.State()), URL: file.URL, ThumbnailURL: file.ThumbnailURL,
		Type: file.Type, Error: file.Error}, nil
}

func (c *carriage) completed(ctx context.Context) error {
	s, err := c.Product.Session(ctx, c.job.Plan.Session)
	if err != nil {
		return err
	}
	ref := s.FileRef(c.Now())
	ref.FileID = c.job.FileID
	if err := c.Files.Save(ctx, ref, store.FileCompleted); err != nil {
		return err
	}
	err = c.put(ctx, store.Update{Kind: store.UpdateCompleted, At: c.Now()})
	switch {
	case errors.Is(err, errOthers):
		c.job.Foreign = true
		return c.finish(store.OutcomeFailed, store.CauseOverwritten)
	case err != nil:
		return err
	}
	c.job.Step, c.job.Detail = store.StepFinished, nil
	return nil
}
