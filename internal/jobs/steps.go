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

// check runs the diagnosis again. The job goes on only if it is what the approver
// was shown.
func (e *execution) check(ctx context.Context) error {
	if late(*e.job, e.Now()) {
		return e.conclude(store.OutcomeRefused, repair.CauseLate)
	}
	if e.job.Plan.Action == store.ActionGenerate && !e.Token {
		return e.conclude(store.OutcomeRefused, repair.CauseNoToken)
	}
	if e.job.Plan.Action == store.ActionReplay {
		switch {
		case e.Webhook == nil:
			return e.conclude(store.OutcomeRefused, repair.CauseNoSecret)
		case e.Events == nil:
			return e.conclude(store.OutcomeRefused, repair.CauseNoStripeKey)
		}
	}
	handled, err := e.handledSince(ctx)
	if err != nil {
		return err
	}
	if handled != "" {
		return e.conclude(store.OutcomeRefused, repair.CauseChanged, handled)
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

// handledSince says in a sentence that an operator handled the session elsewhere after
// the plan was made, "" if none did: its customer has a video, or the money back.
func (e *execution) handledSince(ctx context.Context) (string, error) {
	if e.Handled == nil || e.job.Plan.Action == store.ActionFix {
		return "", nil
	}
	h, err := e.Handled(ctx, e.job.Plan.Session)
	if err != nil || h == nil || h.At.Before(e.job.Plan.Created) {
		return "", err
	}
	return "An operator said at " + h.At.UTC().Format("15:04 UTC") + " that it was handled elsewhere.", nil
}

// begin writes the fix, or the claim of a generation, against what was shown.
func (e *execution) begin(ctx context.Context) error {
	u := e.job.Plan.FirstUpdate(e.job.Claimed)
	e.job.FileID = u.FileID
	s, err := e.Product.Session(ctx, e.job.Plan.Session)
	if err != nil {
		return err
	}
	writes := sessions.Writes(s, u)
	if !e.fresh && unchanged(*e.job, s, writes) {
		return e.check(ctx) // another replica ran the diagnosis, maybe long ago
	}
	if u.FileID != "" { // a later reset by the site must not hide it again
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
				fmt.Sprintf("Something else changed the %s record in Redis.", w.Kind))
		default: // the current value is written
			e.job.Detail = append(e.job.Detail, fmt.Sprintf("Something else changed the %s record in Redis; it was not overwritten.", w.Kind))
		}
	}
	e.job.Step, e.job.Wrote = repair.StepWritten, &u
	return nil
}

// confirm ends a job whose outcome was written, by whether the session still says so.
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
