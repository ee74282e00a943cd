package jobs

import (
	"context"
	"errors"
	"slices"

	"github.com/superduperai/sessionbot/store"
)

// errOthers means that somebody else wrote the session, and what it says now is
// not to be overwritten.
var errOthers = errors.New("the session says something else now")

// untouched tells whether the keys to be written are as they were shown: no
// worker that died wrote any of them.
func (c *carriage) untouched(s store.Session, writes []store.KeyWrite) bool {
	now := s.Digests()
	return !slices.ContainsFunc(writes, func(w store.KeyWrite) bool { return now[w.Kind] != c.job.Digests[w.Kind] })
}

func (c *carriage) write(ctx context.Context, w store.KeyWrite) error {
	digest, err := c.Writer.Write(ctx, w, c.job.Digests[w.Kind])
	if err == nil {
		c.job.Digests[w.Kind], c.touched = digest, true
	}
	return err
}

// foreign tells whether a write failed for what stands in the key.
func foreign(err error) bool {
	return errors.Is(err, store.ErrChanged) || errors.Is(err, store.ErrOtherType) || errors.Is(err, store.ErrTooLarge)
}

// put writes what became of the generation. Where somebody else wrote in the
// meantime it looks whether the session is still ours to write: errOthers if
// it is not.
func (c *carriage) put(ctx context.Context, u store.Update) error {
	u.FileID, u.Reads, c.job.Wrote = c.job.FileID, c.job.Plan.Reads, &u
	for again := false; ; again = true {
		s, err := c.Product.Session(ctx, c.job.Plan.Session)
		if err != nil {
			return err
		}
		if !ours(s, u) {
			return errOthers
		}
		if again {
			c.job.Digests = s.Digests()
		}
		err = c.writeAll(ctx, store.Writes(s, u))
		switch {
		case err == nil:
			return nil
		case !foreign(err):
			return err
		case again:
			return errOthers
		}
	}
}

func (c *carriage) writeAll(ctx context.Context, writes []store.KeyWrite) error {
	for _, w := range writes {
		if err := c.write(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// stands looks, some seconds after the last write, whether the session still says
// what was written: an update of the site's that began before, and does not know
// of it, comes after it.
func (c *carriage) stands(ctx context.Context) (bool, error) {
	if err := pause(ctx, c.Timings.Reread); err != nil {
		return false, err
	}
	s, err := c.Product.Session(ctx, c.job.Plan.Session)
	return err == nil && c.job.Wrote.Stands(s), err
}

// confirm ends a job whose outcome is in the session, if it still is.
func (c *carriage) confirm(ctx context.Context) error {
	stands, err := c.stands(ctx)
	if err != nil {
		return err
	}
	c.job.Step, c.job.Foreign = store.StepFinished, !stands
	switch {
	case c.job.Cancelled != nil:
		return c.finish(store.OutcomeCancelled, "")
	case c.job.Cause != "":
		return c.finish(store.OutcomeFailed, c.job.Cause, c.job.Detail...)
	case !stands:
		return c.finish(store.OutcomeFailed, store.CauseOverwritten, c.job.Detail...)
	}
	return c.finish(store.OutcomeDone, "", c.job.Detail...)
}

// ours tells whether the session is as a job left it: every value that is to be
// written says processing and names no file but the job's own, or says already
// what is to be written, since the answer to an earlier attempt got lost. Which
// value is the newer one does not matter: the site writes its time before it
// writes the value.
func ours(s store.Session, u store.Update) bool {
	values := map[string]store.Value{s.Lookup.Kind: s.Lookup.Value, s.Webhook.Kind: s.Webhook.Value}
	for _, w := range store.Writes(s, u) {
		if !left(values[w.Kind], u) {
			return false
		}
	}
	return s.Status() != store.StatusNone // the keys are there
}

func left(v store.Value, u store.Update) bool {
	file := ""
	if v.FileID != nil {
		file = *v.FileID
	}
	if file != "" && file != u.FileID {
		return false
	}
	if v.Status == nil {
		return true // a mapping
	}
	switch store.Status(*v.Status) {
	case store.StatusProcessing:
		return true
	case store.StatusCompleted:
		return u.Kind == store.UpdateCompleted && file == u.FileID
	case store.StatusError:
		return u.Kind == store.UpdateFailed && v.Error != nil && *v.Error == u.Error
	}
	return false
}
