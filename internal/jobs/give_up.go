package jobs

import (
	"cmp"
	"context"

	"github.com/superduperai/sessionbot/store"
)

// unwritable: what the request came to could not be written into the session,
// however often that was tried, and it is older than a file is followed. Whoever
// waits for it is to hear of that.
func (c *carriage) unwritable(err error) bool {
	since := c.job.Sent
	if since.IsZero() {
		since = c.job.Sending
	}
	return !since.IsZero() && store.Trouble(err) != nil && c.Now().Sub(since) > c.GiveUp && c.triedLong(c.job.ID)
}

func (c *carriage) giveUp(ctx context.Context, err error) error {
	c.Log.ErrorContext(ctx, "what a generation came to cannot be written: given up", "job", c.job.ID, "file", c.job.FileID, "error", err)
	c.job.Outcome, c.job.Cause, c.job.Finished = store.OutcomeGaveUp, store.CauseUnwritten, c.Now().UTC()
	return c.record(ctx)
}

// barred ends a job that needs a command which Redis does not have, or which its
// user may not run, before anything was asked for: trying again would not help.
func (c *carriage) barred(ctx context.Context, err error) error {
	c.Log.ErrorContext(ctx, "a job needs a command that Redis refuses", "job", c.job.ID, "command", store.Command(err), "error", err)
	detail := "Redis refused " + cmp.Or(store.Command(err), "a command") + "."
	outcome, cause := store.OutcomeRefused, store.CauseCommand
	if c.touched || c.job.Step == store.StepWritten {
		err := c.failed(ctx, startFailed, cause, detail)
		switch {
		case err == nil:
			return c.record(ctx)
		case !store.Impossible(err):
			return err
		}
		outcome, cause = store.OutcomeGaveUp, store.CauseUnwritten
	}
	c.job.Outcome, c.job.Cause, c.job.Detail, c.job.Finished = outcome, cause, []string{detail}, c.Now().UTC()
	return c.record(ctx)
}
