package jobs

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/superduperai/sessionbot/internal/grace"
	"github.com/superduperai/sessionbot/internal/requestid"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/repair"
)

// execution is one job while this process holds its lease.
type execution struct {
	sessionWriter
	lease  lease.Lease
	fresh  bool       // the diagnosis was run by this execution
	prompt string     // for the one request; only the execution that recorded StepSending has it
	event  []byte     // likewise, of a replay
	file   store.File // as it was last seen
	// detach returns a context for the one request and the record of its outcome,
	// which outlive the lease: the record is fenced against its loss.
	detach func() (context.Context, context.CancelFunc)
}

// Execute executes a job to its end and shows it. It does nothing if another process
// holds the job's lease.
func (r *Runner) Execute(ctx context.Context, id string) error {
	l, got, err := r.Ledger.Lease(ctx, id, rand.Text())
	if err != nil || !got {
		return err
	}
	held, release := r.Ledger.Leases.Hold(ctx, l)
	defer func() {
		if err := release(); err != nil {
			r.Log.WarnContext(ctx, "lease not released", "job", id, "error", err)
		}
	}()
	job, err := r.Ledger.LoadJob(held, id)
	if err != nil {
		return err
	}
	ctx, span := r.startSpan(requestid.NewContext(ctx, job.Plan.Ref), job)
	defer span.End()
	held = trace.ContextWithSpan(requestid.NewContext(held, job.Plan.Ref), span)
	e := execution{sessionWriter: sessionWriter{Runner: r, job: &job}, lease: l, detach: func() (context.Context, context.CancelFunc) {
		return grace.Context(ctx, max(requestTimeout, replayTimeout)+saveTimeout, shutdownGrace)
	}}
	err = e.run(held)
	span.SetAttributes(attribute.String("sessionbot.outcome", string(job.Outcome)))
	endSpan(span, err)
	if ctx.Err() == nil && (held.Err() != nil || errors.Is(err, lease.ErrLost)) {
		r.showAgain(ctx, id)
	}
	return err
}

// showAgain shows the end of a job whose lease was lost: an update of this process may
// have come later than that of the process which ended it.
func (r *Runner) showAgain(ctx context.Context, id string) {
	job, err := r.Ledger.LoadJob(ctx, id)
	if err == nil && job.Outcome != "" && !silent(job) {
		err = r.Notify(ctx, r.FinalProgress(ctx, job, store.File{}))
	}
	if err != nil {
		r.Log.WarnContext(ctx, "job message may show an old state", "job", id, "error", err)
	}
}

// run takes step after step until the job has an outcome, and shows that.
func (e *execution) run(ctx context.Context) error {
	if !e.job.ClaimAudited && (e.job.Step == repair.StepRecorded || e.job.Settled != nil || e.job.Cancelled != nil) {
		if err := e.auditDecision(ctx); err != nil {
			return err
		}
	}
	if e.job.Outcome == "" { // the approver sees at once that it runs
		e.notify(ctx)
	}
	for e.job.Outcome == "" {
		step := e.job.Step
		err := e.advance(ctx)
		switch {
		case err == nil:
		case rdb.Permanent(err) && e.job.Sending.IsZero() && (e.job.Wrote == nil || !e.job.Plan.OnlyWrites()):
			err = e.refuseCommand(ctx, err)
		case e.unwritable(err):
			err = e.giveUp(ctx, err)
		}
		if err != nil {
			return fmt.Errorf("after %s: %w", step, err)
		}
		e.OnStep(string(e.job.Step) + string(e.job.Outcome))
		if e.job.Outcome == "" && (e.job.Waiting || e.job.Step == repair.StepWritten && e.job.Plan.OnlyWrites()) {
			e.notify(ctx)
		}
	}
	return e.end(ctx)
}

// advance takes one step and records it.
func (e *execution) advance(ctx context.Context) (err error) {
	save := e.save
	if e.prompt != "" || e.event != nil { // the request is sent now
		var done context.CancelFunc
		ctx, done = e.detach()
		defer done()
		save = e.saveOutcome
	}
	ctx, span := e.Tracer.Start(ctx, "after "+string(e.job.Step))
	defer func() { endSpan(span, err) }()
	step := e.step
	if e.job.Bulk != nil {
		step, ctx = e.coordinate, unrecorded(ctx)
	}
	if err := step(ctx); err != nil {
		return err
	}
	if e.job.Outcome != "" {
		e.job.Finished = e.Now().UTC()
	}
	return save(ctx)
}

// step does what follows the last recorded step. An error means that it is to be
// tried again.
func (e *execution) step(ctx context.Context) error {
	if e.job.Plan.Action == store.ActionReplay {
		return replay{e}.step(ctx)
	}
	g := generation{e}
	switch e.job.Step {
	case repair.StepRecorded:
		return e.check(ctx)
	case repair.StepChecked:
		return e.begin(ctx)
	case repair.StepWritten:
		if e.job.Plan.OnlyWrites() {
			return e.confirm(ctx)
		}
		return g.prepare(ctx)
	case repair.StepSending:
		return g.send(ctx)
	case repair.StepSent:
		return g.sent(ctx)
	case repair.StepFinished:
		return e.confirm(ctx)
	}
	return g.poll(ctx)
}

func (e *execution) save(ctx context.Context) error {
	return e.Ledger.SaveJob(ctx, e.lease, *e.job)
}

// saveOutcome records the outcome of the request, which only this process knows, so it
// retries until that succeeds, another process has the lease or ctx ends.
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
		e.Log.ErrorContext(ctx, "outcome of a request not recorded, job becomes unclear",
			"job", e.job.ID, "file", e.job.FileID, "error", last)
	}
	return last
}

// auditDecision records the claim, or a later decision, in the audit trail. Without that
// record nothing is begun.
func (e *execution) auditDecision(ctx context.Context) error {
	if e.job.Bulk == nil {
		e.OnChanged(ctx, e.job.Plan.Session)
	}
	err := e.Trail.Record(ctx, decisionEntry(*e.job))
	switch {
	case e.job.Step != repair.StepRecorded:
		err = e.ignoreAuditRefusal(ctx, err)
	case rdb.Permanent(err):
		return e.refuseCommand(ctx, err)
	}
	if err != nil {
		return err
	}
	e.job.ClaimAudited = true
	return e.save(ctx)
}

// ignoreAuditRefusal returns the error of a record in the audit trail, unless Redis refuses
// the command: a repair that has begun ends without it.
func (e *execution) ignoreAuditRefusal(ctx context.Context, err error) error {
	if !rdb.Permanent(err) {
		return err
	}
	e.Log.ErrorContext(ctx, "repair missing in the audit trail", "job", e.job.ID, "command", rdb.Command(err), "error", err)
	return nil
}

// unwritable reports whether the outcome of what was written or requested could not
// be put into the session, however often that was tried: because Redis refuses a
// command, or for longer than GiveUp. The requester has to be informed.
func (e *execution) unwritable(err error) bool {
	since := cmp.Or(e.job.Sent, e.job.Sending)
	tooLong := !since.IsZero() && rdb.Kind(err) != nil && e.Now().Sub(since) > e.GiveUp
	return (rdb.Permanent(err) || tooLong) && e.exhausted(e.job.ID)
}

func (e *execution) giveUp(ctx context.Context, err error) error {
	e.Log.ErrorContext(ctx, "outcome of a repair not written, stopped trying", "job", e.job.ID, "file", e.job.FileID, "error", err)
	detail := e.job.Detail
	if rdb.Permanent(err) {
		detail = append(slices.Clone(detail), refusedText(err))
	}
	if e.job.Plan.Action == store.ActionReplay && e.job.FileID == "" { // Redis does not show what the site wrote
		return e.saveEnd(ctx, store.OutcomeUnclear, repair.CauseNoAnswer, detail...)
	}
	return e.saveEnd(ctx, store.OutcomeGaveUp, repair.CauseUnwritten, detail...)
}

func refusedText(err error) string {
	return "Redis refused " + cmp.Or(rdb.Command(err), "a command") + "."
}

// refuseCommand ends a job that needs a command which Redis does not have, or
// which its user may not run, before anything was sent: a retry would not help.
func (e *execution) refuseCommand(ctx context.Context, err error) error {
	e.Log.ErrorContext(ctx, "command refused by Redis", "job", e.job.ID, "command", rdb.Command(err), "error", err)
	detail := refusedText(err)
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
	_ = e.conclude(outcome, cause, detail...) // it is nil
	e.job.Finished = e.Now().UTC()
	return e.save(ctx)
}

// silent reports whether the job has no message of its own: that of its bulk plan shows
// it, until it is settled.
func silent(job repair.Job) bool { return job.Plan.Bulk != "" && job.Settled == nil }

// notify shows progress. The next notification makes up for a lost one.
func (e *execution) notify(ctx context.Context) {
	if silent(*e.job) {
		return
	}
	if err := e.Notify(ctx, repair.Progress{Job: *e.job, File: e.file, At: e.Now()}); err != nil {
		e.Log.WarnContext(ctx, "progress not shown", "job", e.job.ID, "error", err)
	}
}

// end records the outcome in the audit trail and shows it. Until it was shown the
// job has not ended.
func (e *execution) end(ctx context.Context) error {
	if e.job.Notified {
		return nil
	}
	reply := repair.ReplyMaybe
	if !e.job.OutcomeAudited {
		reply = repair.ReplyFirst
		if err := e.ignoreAuditRefusal(ctx, e.Trail.Record(ctx, outcomeEntry(*e.job))); err != nil {
			return err
		}
		if e.job.Bulk == nil {
			e.OnChanged(ctx, e.job.Plan.Session)
		}
		e.job.OutcomeAudited = true
		if err := e.save(ctx); err != nil {
			return err
		}
		if e.job.Bulk == nil {
			e.OnFinished(*e.job)
		}
	}
	if !silent(*e.job) {
		p := e.FinalProgress(ctx, *e.job, e.file)
		p.Reply = reply
		if err := e.Notify(ctx, p); err != nil {
			return fmt.Errorf("show the end: %w", err)
		}
	}
	e.job.Notified = true
	return e.save(ctx)
}

// FinalProgress returns what is shown of a job's end, with the site's present
// answer, and with the file even if another replica saw it finished.
func (r *Runner) FinalProgress(ctx context.Context, job repair.Job, file store.File) repair.Progress {
	ctx, done := context.WithTimeout(ctx, endTimeout)
	defer done()
	p := repair.Progress{Job: job, File: file, At: job.Finished}
	if file.State == "" && job.FileID != "" {
		p.File, _ = r.Generator.File(ctx, job.FileID) // without an answer the end is shown without the file
	}
	if job.Cause == repair.CauseSiteFailed {
		p.SiteText = r.siteText(ctx, job.Plan.Session)
	}
	if job.Outcome == store.OutcomeDone && job.Plan.Action == store.ActionRestore {
		x := r.Examine(ctx, job.Plan.Session, job.ID)
		p.Next, p.Site, p.SiteErr = x.Allowed, cmp.Or(x.Site, &store.Site{}), x.SiteErr
		return p
	}
	p.SiteTexts = r.siteTexts(ctx, job)
	if job.Outcome != store.OutcomeRefused && job.Bulk == nil { // then nothing was written
		site, err := r.Site.SessionStatus(ctx, job.Plan.Session)
		p.Site, p.SiteErr = &site, err
	}
	return p
}

// siteText returns the error that the session says now, "" = none, or it cannot be read.
func (r *Runner) siteText(ctx context.Context, session string) string {
	s, err := r.Product.Session(ctx, session)
	if err != nil || s.Current().Error == nil {
		return ""
	}
	return *s.Current().Error
}
