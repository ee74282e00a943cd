package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/repair"
)

// execution is one job while this process holds its lease.
type execution struct {
	*Runner
	lease  lease.Lease
	job    repair.Job
	fresh  bool   // the diagnosis was run by this execution
	wrote  bool   // a key of the session was written by this execution
	prompt string // for the one request; only whoever recorded StepSending holds it
	file   store.File
	detach func() (context.Context, context.CancelFunc) // see detach
}

// run takes step after step until the job has an outcome, and shows that.
func (e *execution) run(ctx context.Context) error {
	if !e.job.ClaimAudited && (e.job.Step == repair.StepRecorded || e.job.Settled != nil || e.job.Cancelled != nil) {
		if err := e.auditDecision(ctx); err != nil {
			return err
		}
	}
	for e.job.Outcome == "" {
		step := e.job.Step
		err := e.advance(ctx)
		switch {
		case err == nil:
		case rdb.Permanent(err) && e.job.Sending.IsZero() && (e.job.Wrote == nil || e.job.Plan.Action != store.ActionFix):
			err = e.refuseCommand(ctx, err)
		case e.unwritable(err):
			err = e.giveUp(ctx, err)
		}
		if err != nil {
			return fmt.Errorf("after %s: %w", step, err)
		}
		e.OnStep(string(e.job.Step) + string(e.job.Outcome))
		if e.job.Step == repair.StepWritten && e.job.Outcome == "" {
			e.notify(ctx)
		}
	}
	return e.end(ctx)
}

// advance takes one step and records it.
func (e *execution) advance(ctx context.Context) error {
	save := e.save
	if e.prompt != "" { // the request is sent now
		var done context.CancelFunc
		ctx, done = e.detach()
		defer done()
		save = e.saveOutcome
	}
	if err := e.step(ctx); err != nil {
		return err
	}
	if e.job.Outcome != "" {
		e.job.Finished = e.Now().UTC()
	}
	return save(ctx)
}

func (e *execution) save(ctx context.Context) error {
	return e.Ledger.SaveJob(ctx, e.lease, e.job)
}

// saveOutcome records the outcome of the request. Nobody else knows it, so that
// it is tried until Redis takes it, somebody else has the lease or ctx ends.
func (e *execution) saveOutcome(ctx context.Context) error {
	var last error
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		last = e.save(ctx)
		if errors.Is(last, lease.ErrLost) {
			return struct{}{}, backoff.Permanent(last)
		}
		return struct{}{}, last
	}, backoff.WithBackOff(backoff.NewConstantBackOff(e.Timings.SaveRetry)))
	if err != nil {
		e.Log.ErrorContext(ctx, "outcome of a generation not recorded: its job becomes unclear",
			"job", e.job.ID, "file", e.job.FileID, "error", last)
	}
	return last
}

// unwritable reports whether the outcome of the request could not be written into
// the session, however often that was tried, and is older than GiveUp. Whoever
// waits for it is to hear of that.
func (e *execution) unwritable(err error) bool {
	since := e.job.Sent
	if since.IsZero() {
		since = e.job.Sending
	}
	return !since.IsZero() && rdb.Trouble(err) != nil && e.Now().Sub(since) > e.GiveUp && e.exhausted(e.job.ID)
}

func (e *execution) giveUp(ctx context.Context, err error) error {
	e.Log.ErrorContext(ctx, "outcome of a generation not written: given up", "job", e.job.ID, "file", e.job.FileID, "error", err)
	return e.saveEnd(ctx, store.OutcomeGaveUp, repair.CauseUnwritten, e.job.Detail...)
}

// refuseCommand ends a job that needs a command which Redis does not have, or
// which its user may not run, before anything was sent: a retry would not help.
func (e *execution) refuseCommand(ctx context.Context, err error) error {
	e.Log.ErrorContext(ctx, "command refused by Redis", "job", e.job.ID, "command", rdb.Command(err), "error", err)
	detail := "Redis refused " + cmp.Or(rdb.Command(err), "a command") + "."
	if !e.wrote && e.job.Step != repair.StepWritten {
		return e.saveEnd(ctx, store.OutcomeRefused, repair.CauseCommand, detail)
	}
	err = e.failed(ctx, startFailed, repair.CauseCommand, detail)
	switch {
	case err == nil:
		return e.save(ctx)
	case rdb.Permanent(err):
		return e.saveEnd(ctx, store.OutcomeGaveUp, repair.CauseUnwritten, detail)
	}
	return err
}

func (e *execution) saveEnd(ctx context.Context, outcome store.Outcome, cause repair.Cause, detail ...string) error {
	e.job.Outcome, e.job.Cause, e.job.Detail, e.job.Finished = outcome, cause, detail, e.Now().UTC()
	return e.save(ctx)
}

// notify shows progress. The next notification makes up for a lost one.
func (e *execution) notify(ctx context.Context) {
	if err := e.Notify(ctx, repair.Progress{Job: e.job, File: e.file, At: e.Now()}); err != nil {
		e.Log.WarnContext(ctx, "progress not shown", "job", e.job.ID, "error", err)
	}
}

// end records the outcome in the audit trail and shows it. Until it was shown the
// job has not ended.
func (e *execution) end(ctx context.Context) error {
	if e.job.Notified {
		return nil
	}
	if !e.job.OutcomeAudited {
		if err := e.auditOutcome(ctx); err != nil {
			return err
		}
		e.job.OutcomeAudited = true
		if err := e.save(ctx); err != nil {
			return err
		}
		e.OnFinished(e.job)
	}
	if err := e.Notify(ctx, e.FinalProgress(ctx, e.job, e.file)); err != nil {
		return fmt.Errorf("show the end: %w", err)
	}
	e.job.Notified = true
	return e.save(ctx)
}

// FinalProgress returns what is shown of a job's end: with the file, also where
// another replica saw it finished, and with the site's present answer.
func (r *Runner) FinalProgress(ctx context.Context, job repair.Job, file store.File) repair.Progress {
	ctx, done := context.WithTimeout(ctx, endTimeout)
	defer done()
	p := repair.Progress{Job: job, File: file, At: job.Finished}
	if file.State == "" && job.FileID != "" {
		p.File, _ = r.Generator.File(ctx, job.FileID) // without an answer the end is shown without the file
	}
	if job.Outcome != store.OutcomeRefused { // then nothing was written
		site, err := r.Site.SessionStatus(ctx, job.Plan.Session)
		p.Site, p.SiteErr = &site, err
	}
	return p
}

// auditDecision records the claim, or what a person decided since: how an unclear
// job ended, or that a waiting one is cancelled. The process that took the
// decision may be gone.
func (e *execution) auditDecision(ctx context.Context) error {
	entry := e.entry(audit.Claimed, "", e.job.Claimed)
	if said := e.job.Settled; said != nil {
		entry = e.job.Plan.Entry(audit.Settled, said.By, said.Where, said.Detail, said.At)
	}
	if said := e.job.Cancelled; said != nil {
		entry = e.job.Plan.Entry(audit.Cancelled, said.By, e.place(said.By), "while it waited for a replica", said.At)
	}
	if err := e.Trail.Record(ctx, entry); err != nil {
		return err
	}
	e.job.ClaimAudited = true
	return e.save(ctx)
}

func (e *execution) auditOutcome(ctx context.Context) error {
	detail := string(e.job.Outcome)
	if e.job.Cause != "" {
		detail += ": " + string(e.job.Cause)
	}
	entry := e.entry(audit.Ended, detail, e.job.Finished)
	entry.After = e.job.Digests
	return e.Trail.Record(ctx, entry)
}

func (e *execution) entry(event audit.Event, detail string, at time.Time) audit.Entry {
	return e.job.Plan.Entry(event, e.job.Approver, e.place(e.job.Approver), detail, at)
}

// place returns where somebody decided about the plan.
func (e *execution) place(who store.Actor) string {
	if who.Terminal {
		return audit.Terminal
	}
	return e.job.Plan.Message.Channel
}
