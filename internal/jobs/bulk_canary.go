package jobs

import (
	"context"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// judgeCanary lets the other sessions follow once the result of the canary is as the plan
// predicted, and pauses the plan if it is not. It reports whether the state changed.
func (b *bulk) judgeCanary(ctx context.Context) (changed bool, err error) {
	state, now := b.job.Bulk, b.Now().UTC()
	c := state.Canary
	if c == nil || c.Passed || state.Stopped() || state.Paused() || state.Counts().Left == 0 {
		return false, nil
	}
	seen := repair.CanaryObservation{Item: state.Items[c.Item]}
	if seen.Item.State == repair.ItemDone {
		if c.Ended.IsZero() {
			c.Ended, changed = now, true
		}
		job, err := b.Ledger.LoadJob(ctx, b.job.Plan.ItemID(c.Item))
		if err != nil {
			return false, err
		}
		seen.FileID, seen.Page, seen.Late = job.FileID, b.page(ctx, job.Plan.Session), now.Sub(c.Ended) > b.Timings.Page
	}
	switch decision, why := repair.JudgeCanary(b.job.Plan.Predicts(c.Item), seen); decision {
	case repair.CanaryGo:
		c.Passed, changed = true, true
		b.Log.InfoContext(ctx, "canary of a bulk plan as predicted", "job", b.job.ID)
	case repair.CanaryPause:
		b.pause(ctx, repair.BulkEvent{Cause: why.Cause, Detail: why.Detail, Canary: true})
		changed = true
	}
	return changed, nil
}

// page returns what the customer's page shows, nil if the site did not answer.
func (b *bulk) page(ctx context.Context, session string) *store.Site {
	ctx, done := context.WithTimeout(ctx, endTimeout)
	defer done()
	site, err := b.Site.SessionStatus(ctx, session)
	if err != nil {
		b.Log.WarnContext(ctx, "customer's page of a canary not checked", "job", b.job.ID, "error", err)
		return nil
	}
	return &site
}
