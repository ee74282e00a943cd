package watch

import (
	"context"
	"errors"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/repair"
)

// completeRepair adds the last repair of a session that is in an incident.
func (s *inspector) completeRepair(ctx context.Context, c *candidate) error {
	latest, err := s.Ledger.JobOf(ctx, c.Session.ID)
	if err != nil {
		return err
	}
	c.Job = latest.State
	c.repairFailed = repairFailed(latest, c.open.Found)
	if c.Job == store.JobNone {
		return nil
	}
	job, err := s.Ledger.LoadJob(ctx, latest.ID)
	if errors.Is(err, repair.ErrUnknownJob) { // expired
		return nil
	}
	if err != nil {
		return err
	}
	c.repair = &incident.Repair{Job: job.ID, Action: job.Plan.Action, By: job.Approver, Since: job.Claimed, Unclear: c.Job == store.JobUnclear}
	return nil
}

// repairFailed reports whether the last job of a session started a video, and failed
// after that time.
func repairFailed(last diagnosis.SessionJob, after time.Time) bool {
	starts := last.Action == store.ActionGenerate || last.Action == store.ActionReplay
	ended := last.Outcome == store.OutcomeFailed || last.Outcome == store.OutcomeGaveUp || last.Outcome == store.OutcomeCancelled
	return starts && ended && last.At.After(after)
}
