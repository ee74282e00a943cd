package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// carriage is one job in one worker's hands.
type carriage struct {
	*Runner
	lease store.Lease
	job   store.Job
	fresh bool // this worker itself ran the diagnosis again
	// touched: this worker wrote a key of the session.
	touched bool
	prompt  string // read for the one request; only whoever recorded StepSending holds it
	file    store.File
	// outlast is a context for what must not be broken off: see outlast.
	outlast func() (context.Context, context.CancelFunc)
}

// run takes step after step until the job has an outcome, and tells that.
func (c *carriage) run(ctx context.Context) error {
	if !c.job.OnRecord && (c.job.Step == store.StepRecorded || c.job.Settled != nil || c.job.Cancelled != nil) {
		if err := c.auditBegin(ctx); err != nil {
			return err
		}
	}
	for c.job.Outcome == "" {
		step := c.job.Step
		err := c.advance(ctx)
		switch {
		case err == nil:
		case store.Impossible(err) && c.job.Sending.IsZero() && (c.job.Wrote == nil || c.job.Plan.Action != store.ActionFix):
			err = c.barred(ctx, err)
		case c.unwritable(err):
			err = c.giveUp(ctx, err)
		}
		if err != nil {
			return fmt.Errorf("after %s: %w", step, err)
		}
		c.At(string(c.job.Step) + string(c.job.Outcome))
		if c.job.Step == store.StepWritten && c.job.Outcome == "" {
			c.tell(ctx)
		}
	}
	return c.end(ctx)
}

// advance takes one step and records it.
func (c *carriage) advance(ctx context.Context) error {
	record := c.record
	if c.prompt != "" { // the request goes out now
		var done context.CancelFunc
		ctx, done = c.outlast()
		defer done()
		record = c.keep
	}
	if err := c.step(ctx); err != nil {
		return err
	}
	if c.job.Outcome != "" {
		c.job.Finished = c.Now().UTC()
	}
	return record(ctx)
}

func (c *carriage) record(ctx context.Context) error {
	return c.Ledger.SaveJob(ctx, c.lease, c.job)
}

// keep records what the request came to. Nobody else knows it, so that it is
// tried until Redis takes it or somebody else has got the job.
func (c *carriage) keep(ctx context.Context) error {
	for {
		err := c.record(ctx)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, store.ErrLeaseLost), pause(ctx, c.Timings.SaveRetry) != nil:
			c.Log.ErrorContext(ctx, "what a generation came to was not recorded: its job becomes unclear",
				"job", c.job.ID, "file", c.job.FileID, "error", err)
			return err
		}
	}
}

// tell shows progress; the next one makes up for one that got lost.
func (c *carriage) tell(ctx context.Context) {
	if err := c.Tell(ctx, store.Progress{Job: c.job, File: c.file, At: c.Now()}); err != nil {
		c.Log.WarnContext(ctx, "progress was not told", "job", c.job.ID, "error", err)
	}
}

// end records the outcome in the audit trail and tells it, with what the
// customer sees now. A job whose end was not told is not over.
func (c *carriage) end(ctx context.Context) error {
	if c.job.Told {
		return nil
	}
	if !c.job.Audited {
		if err := c.audit(ctx); err != nil {
			return err
		}
		c.job.Audited = true
		if err := c.record(ctx); err != nil {
			return err
		}
		c.Over(c.job)
	}
	if err := c.Tell(ctx, c.Ending(ctx, c.job, c.file)); err != nil {
		return fmt.Errorf("tell the end: %w", err)
	}
	c.job.Told = true
	return c.record(ctx)
}

// Ending is what is told of a job's end: with the file, also where another
// worker saw it finished, and with what the site says now.
func (r *Runner) Ending(ctx context.Context, job store.Job, file store.File) store.Progress {
	ctx, done := context.WithTimeout(ctx, endWithin)
	defer done()
	p := store.Progress{Job: job, File: file, At: job.Finished}
	if file.State == "" && job.FileID != "" {
		p.File, _ = r.look(ctx, job.FileID) // without an answer the end is told without the file
	}
	if job.Outcome != store.OutcomeRefused { // then nothing was written
		site, err := r.Site.SessionStatus(ctx, job.Plan.Session)
		p.Site, p.SiteErr = &site, err
	}
	return p
}

// auditBegin puts the claim on record, or what a person said since: of an unclear
// request, or that a waiting one is cancelled. The process that took it may be
// gone since, so that it is not for that one to do.
func (c *carriage) auditBegin(ctx context.Context) error {
	e := c.entry(store.AuditClaimed, "", c.job.Claimed)
	if said := c.job.Settled; said != nil {
		e = c.job.Plan.Entry(store.AuditSettled, said.By, said.Where, said.Detail, said.At)
	}
	if said := c.job.Cancelled; said != nil {
		e = c.job.Plan.Entry(store.AuditCancelled, said.By, c.where(said.By), "while it waited for a replica", said.At)
	}
	if err := c.Ledger.Record(ctx, e); err != nil {
		return err
	}
	c.job.OnRecord = true
	return c.record(ctx)
}

func (c *carriage) audit(ctx context.Context) error {
	e := c.entry(store.AuditOutcome, string(c.job.Outcome)+detail(c.job), c.job.Finished)
	e.After = c.job.Digests
	return c.Ledger.Record(ctx, e)
}

func (c *carriage) entry(event store.AuditEvent, detail string, at time.Time) store.Entry {
	return c.job.Plan.Entry(event, c.job.Approver, c.where(c.job.Approver), detail, at)
}

// where is the place in which somebody decided about the plan.
func (c *carriage) where(who store.Actor) string {
	if who.Terminal {
		return store.Terminal
	}
	return c.job.Plan.Message.Channel
}

func detail(job store.Job) string {
	if job.Cause == "" {
		return ""
	}
	return ": " + string(job.Cause)
}

// step does what follows the last recorded step. An error means that it is to
// be tried again.
func (c *carriage) step(ctx context.Context) error {
	switch c.job.Step {
	case store.StepRecorded:
		return c.check(ctx)
	case store.StepChecked:
		return c.begin(ctx)
	case store.StepWritten:
		if c.job.Plan.Action == store.ActionFix {
			return c.confirm(ctx)
		}
		return c.prepare(ctx)
	case store.StepSending:
		return c.send(ctx)
	case store.StepSent:
		return c.sent(ctx)
	case store.StepFinished:
		return c.confirm(ctx)
	}
	return c.poll(ctx)
}

func (c *carriage) finish(outcome store.Outcome, cause store.Cause, detail ...string) error {
	c.job.Outcome, c.job.Cause, c.job.Detail = outcome, cause, detail
	return nil
}

// check runs the diagnosis again. Only where it is what the approving person
// was shown does the job go on.
func (c *carriage) check(ctx context.Context) error {
	if c.late() {
		return c.finish(store.OutcomeRefused, store.CauseLate)
	}
	if c.job.Plan.Action == store.ActionGenerate && !c.Token {
		return c.finish(store.OutcomeRefused, store.CauseNoToken)
	}
	x := c.Examine(ctx, c.job.Plan.Session, c.job.ID)
	if x.RedisSilent || x.JobErr != nil {
		return fmt.Errorf("look again: %w", cmp.Or(x.RedisErr, x.JobErr, store.ErrSilent))
	}
	if changed := c.job.Plan.Changed(x); len(changed) > 0 {
		return c.finish(store.OutcomeRefused, store.CauseChanged, changed...)
	}
	c.job.Step, c.fresh = store.StepChecked, true
	return nil
}

func (c *carriage) late() bool { return c.Now().Sub(c.job.Claimed) > beginIn }

// begin writes the fix, or the claim of a generation, against what was shown.
func (c *carriage) begin(ctx context.Context) error {
	u := c.job.Plan.FirstUpdate(c.job.Claimed)
	c.job.FileID = u.FileID
	s, err := c.Product.Session(ctx, c.job.Plan.Session)
	if err != nil {
		return err
	}
	writes := store.Writes(s, u)
	if !c.fresh && c.untouched(s, writes) {
		return c.check(ctx) // another worker looked, and who knows how long ago
	}
	if u.FileID != "" { // a later reset from outside must not hide it again
		ref := s.FileRef(c.Now())
		ref.FileID = u.FileID
		if err := c.Files.Save(ctx, ref, store.FileCompleted); err != nil {
			return err
		}
	}
	for i, w := range writes {
		err := c.write(ctx, w)
		switch {
		case err == nil:
		case !foreign(err):
			return err
		case i == 0:
			return c.finish(store.OutcomeRefused, store.CauseChanged,
				fmt.Sprintf("The value of %s:… was changed by somebody else.", w.Kind))
		default: // the deciding value is written; the other one is somebody else's now
			c.job.Detail = append(c.job.Detail, fmt.Sprintf("%s:… was changed by somebody else and left as it is.", w.Kind))
		}
	}
	c.job.Step, c.job.Wrote = store.StepWritten, &u
	return nil
}
