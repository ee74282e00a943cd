package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/sessions"
)

// sessionWriter writes the session of a job.
type sessionWriter struct {
	*Runner
	job   *repair.Job
	wrote bool // a key of the session
}

// write writes one key, unless its value is another than the job saw last.
func (w *sessionWriter) write(ctx context.Context, key sessions.KeyWrite) error {
	digest, err := w.Writer.Write(ctx, key, w.job.Digests[key.Kind])
	if err == nil {
		w.job.Digests[key.Kind], w.wrote = digest, true
	}
	return err
}

// update writes the outcome of a generation. After a conflict it tries once more if
// the session is still as the job left it, else it returns errConflict.
func (w *sessionWriter) update(ctx context.Context, u sessions.Update) error {
	u.FileID, u.SiteLayout, w.job.Wrote = w.job.FileID, w.job.Plan.SiteLayout, &u
	for again := false; ; again = true {
		s, err := w.Product.Session(ctx, w.job.Plan.Session)
		if err != nil {
			return err
		}
		if !owned(s, u) {
			return errConflict
		}
		if again {
			w.job.Digests = s.Digests()
		}
		for _, key := range sessions.Writes(s, u) {
			if err = w.write(ctx, key); err != nil {
				break
			}
		}
		switch {
		case err == nil:
			return nil
		case !isConflict(err):
			return err
		case again:
			return errConflict
		}
	}
}

// reread waits some seconds and reports whether the session still says what was
// written: an update by the site that began before may have overwritten it.
func (w *sessionWriter) reread(ctx context.Context) (bool, error) {
	if err := sleep(ctx, w.Timings.Reread); err != nil {
		return false, err
	}
	s, err := w.Product.Session(ctx, w.job.Plan.Session)
	return err == nil && w.job.Wrote.AppliedTo(s), err
}

// rememberFile records that the job's file is finished.
func (w *sessionWriter) rememberFile(ctx context.Context, s store.Session) error {
	ref := s.FileRef(w.Now())
	ref.FileID = w.job.FileID
	return w.Files.Save(ctx, ref, store.FileCompleted)
}

// failed writes that there is no video, and records the cause.
func (w *sessionWriter) failed(ctx context.Context, sentence string, cause repair.Cause, detail ...string) error {
	err := w.update(ctx, sessions.Update{Kind: sessions.UpdateFailed, At: w.Now(), Error: sentence})
	if err != nil && !errors.Is(err, errConflict) {
		return err
	}
	w.job.Step, w.job.Cause, w.job.Detail = repair.StepFinished, cause, detail
	if w.job.Overwritten = err != nil; w.job.Overwritten {
		return w.conclude(store.OutcomeFailed, cause, detail...)
	}
	return nil
}

// conclude gives the job its outcome. Its error is nil, to be returned by a step.
func (w *sessionWriter) conclude(outcome store.Outcome, cause repair.Cause, detail ...string) error {
	w.job.Outcome, w.job.Cause, w.job.Detail = outcome, cause, detail
	return nil
}

// sleep waits for d, or returns the error of ctx if that ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
