package jobs

import (
	"cmp"
	"context"
	"fmt"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/sessions"
)

// step does what follows the last recorded step. An error means that it is to be
// tried again.
func (e *execution) step(ctx context.Context) error {
	switch e.job.Step {
	case repair.StepRecorded:
		return e.check(ctx)
	case repair.StepChecked:
		return e.begin(ctx)
	case repair.StepWritten:
		if e.job.Plan.Action == store.ActionFix {
			return e.confirm(ctx)
		}
		return e.prepare(ctx)
	case repair.StepSending:
		return e.send(ctx)
	case repair.StepSent:
		return e.sent(ctx)
	case repair.StepFinished:
		return e.confirm(ctx)
	}
	return e.poll(ctx)
}

// conclude gives the job its outcome. Its error is nil, to be returned by a step.
func (e *execution) conclude(outcome store.Outcome, cause repair.Cause, detail ...string) error {
	e.job.Outcome, e.job.Cause, e.job.Detail = outcome, cause, detail
	return nil
}

// check runs the diagnosis again. The job goes on only where it is what the
// approver was shown.
func (e *execution) check(ctx context.Context) error {
	if e.late() {
		return e.conclude(store.OutcomeRefused, repair.CauseLate)
	}
	if e.job.Plan.Action == store.ActionGenerate && !e.Token {
		return e.conclude(store.OutcomeRefused, repair.CauseNoToken)
	}
	x := e.Examine(ctx, e.job.Plan.Session, e.job.ID)
	if x.RedisSilent || x.JobErr != nil {
		return fmt.Errorf("examine again: %w", cmp.Or(x.RedisErr, x.JobErr, rdb.ErrNoAnswer))
	}
	if changed := e.job.Plan.Changed(x); len(changed) > 0 {
		return e.conclude(store.OutcomeRefused, repair.CauseChanged, changed...)
	}
	e.job.Step, e.fresh = repair.StepChecked, true
	return nil
}

func (e *execution) late() bool { return e.Now().Sub(e.job.Claimed) > startWithin }

// begin writes the fix, or the claim of a generation, against what was shown.
func (e *execution) begin(ctx context.Context) error {
	u := e.job.Plan.FirstUpdate(e.job.Claimed)
	e.job.FileID = u.FileID
	s, err := e.Product.Session(ctx, e.job.Plan.Session)
	if err != nil {
		return err
	}
	writes := sessions.Writes(s, u)
	if !e.fresh && e.unchanged(s, writes) {
		return e.check(ctx) // another replica did, and who knows how long ago
	}
	if u.FileID != "" { // a later reset from outside must not hide it again
		if err := e.rememberFile(ctx, s); err != nil {
			return err
		}
	}
	for i, w := range writes {
		err := e.write(ctx, w)
		switch {
		case err == nil:
		case !isConflict(err):
			return err
		case i == 0:
			return e.conclude(store.OutcomeRefused, repair.CauseChanged,
				fmt.Sprintf("The value of %s:… was changed by somebody else.", w.Kind))
		default: // the deciding value is written; the other one is somebody else's now
			e.job.Detail = append(e.job.Detail, fmt.Sprintf("%s:… was changed by somebody else and left as it is.", w.Kind))
		}
	}
	e.job.Step, e.job.Wrote = repair.StepWritten, &u
	return nil
}

// rememberFile records that the job's file is finished.
func (e *execution) rememberFile(ctx context.Context, s store.Session) error {
	ref := s.FileRef(e.Now())
	ref.FileID = e.job.FileID
	return e.Files.Save(ctx, ref, store.FileCompleted)
}

// confirm ends a job whose outcome was written, if it still stands.
func (e *execution) confirm(ctx context.Context) error {
	kept, err := e.reread(ctx)
	if err != nil {
		return err
	}
	e.job.Step, e.job.Overwritten = repair.StepFinished, !kept
	switch {
	case e.job.Cancelled != nil:
		return e.conclude(store.OutcomeCancelled, "")
	case e.job.Cause != "":
		return e.conclude(store.OutcomeFailed, e.job.Cause, e.job.Detail...)
	case !kept:
		return e.conclude(store.OutcomeFailed, repair.CauseOverwritten, e.job.Detail...)
	}
	return e.conclude(store.OutcomeDone, "", e.job.Detail...)
}
