package jobs

import (
	"context"
	"errors"

	"github.com/superduperai/sessionbot/store"
)

// await waits until the replicas have the job's record, or it is too late. Until
// then the step says that nothing is being sent, so that it can be cancelled.
func (c *carriage) await(ctx context.Context) error {
	minute := func() int { return int(c.Now().Sub(c.job.Claimed).Minutes()) }
	told := minute()
	for !c.late() {
		err := c.Ledger.Replicated(ctx, c.lease, c.job)
		switch {
		case err == nil:
			c.job.Waiting = false
			return nil
		case errors.Is(err, store.ErrLeaseLost), store.Impossible(err), ctx.Err() != nil:
			return err
		}
		if now := minute(); now != told {
			told = now
			c.waits(ctx, err)
			c.tell(ctx)
		}
		if err := pause(ctx, c.Timings.Pending); err != nil {
			return err
		}
	}
	return nil
}

func (c *carriage) waits(ctx context.Context, err error) {
	c.Log.WarnContext(ctx, "a generation waits for the replicas of Redis", "job", c.job.ID, "error", err)
}

// cancelled ends a job that was cancelled while it waited: nothing was sent.
func (c *carriage) cancelled(ctx context.Context) error {
	err := c.failed(ctx, startFailed, "")
	if c.job.Outcome != "" { // the session is somebody else's by now
		c.job.Outcome = store.OutcomeCancelled
	}
	return err
}
