package jobs

import (
	"context"
	"errors"
	"fmt"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/superduper"
)

// follow requests the file until it is finished, has failed or takes too long.
func (e *execution) follow(ctx context.Context, completed, failed func(context.Context) error) error {
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
			wait = min(2*wait, e.Timings.MaxPollInterval)
			var api *superduper.Error
			if errors.As(err, &api) {
				wait = max(wait, min(api.RetryAfter, store.MaxFileRetryDelay))
			}
		}
		switch e.file.State {
		case store.FileCompleted:
			return completed(ctx)
		case store.FileFailed:
			return failed(ctx)
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
