package ledger

import (
	"context"
	"time"

	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/repair"
)

// StopBulk stops a bulk plan: its job begins no more sessions, and those that run go on.
// It reports whether this call did. It returns ErrUnknownJob if there is no such job.
func (j *Jobs) StopBulk(ctx context.Context, id string, e repair.BulkEvent) (repair.Job, bool, error) {
	e.Event = audit.Stopped
	return j.decideBulk(ctx, id, e, func(b *repair.Bulk) bool { return !b.Stopped() && !b.Over() })
}

// ResumeBulk resumes the job of a paused bulk plan, and reports whether this call did. It returns ErrUnknownJob if there is no such job.
func (j *Jobs) ResumeBulk(ctx context.Context, id string, e repair.BulkEvent) (repair.Job, bool, error) {
	e.Event = audit.Resumed
	return j.decideBulk(ctx, id, e, (*repair.Bulk).Paused)
}

func (j *Jobs) decideBulk(ctx context.Context, id string, e repair.BulkEvent, possible func(*repair.Bulk) bool) (job repair.Job, done bool, err error) {
	e.At = e.At.UTC().Truncate(time.Millisecond)
	job, err = j.change(ctx, id, false, func(job *repair.Job) (bool, error) {
		if job.Bulk == nil {
			return false, repair.ErrUnknownJob
		}
		last := job.Bulk.Last()
		done = last != nil && last.Event == e.Event && last.By == e.By && last.At.Equal(e.At) // the answer to an earlier attempt was lost
		if done || job.Outcome != "" || !possible(job.Bulk) {
			return false, nil
		}
		job.Bulk.Decide(e)
		job.Bulk.Saved, done = e.At, true
		return true, nil
	})
	return job, done, err
}
