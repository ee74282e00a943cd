package jobs

import (
	"context"
	"errors"
	"slices"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/sessions"
)

// errConflict means that somebody else wrote the session, and their values are
// not to be overwritten.
var errConflict = errors.New("the session was written by somebody else")

// unchanged reports whether the keys to be written are as they were shown: no
// replica that died wrote any of them.
func (e *execution) unchanged(s store.Session, writes []sessions.KeyWrite) bool {
	now := s.Digests()
	return !slices.ContainsFunc(writes, func(w sessions.KeyWrite) bool { return now[w.Kind] != e.job.Digests[w.Kind] })
}

func (e *execution) write(ctx context.Context, w sessions.KeyWrite) error {
	digest, err := e.Writer.Write(ctx, w, e.job.Digests[w.Kind])
	if err == nil {
		e.job.Digests[w.Kind], e.wrote = digest, true
	}
	return err
}

// isConflict reports whether a write failed because of the key's present value.
func isConflict(err error) bool {
	return errors.Is(err, sessions.ErrChanged) || errors.Is(err, sessions.ErrOtherType) || errors.Is(err, sessions.ErrTooLarge)
}

// update writes the outcome of the generation. After a conflict it tries once
// more if the session is still the job's to write, else it returns errConflict.
func (e *execution) update(ctx context.Context, u sessions.Update) error {
	u.FileID, u.Reads, e.job.Wrote = e.job.FileID, e.job.Plan.Reads, &u
	for again := false; ; again = true {
		s, err := e.Product.Session(ctx, e.job.Plan.Session)
		if err != nil {
			return err
		}
		if !owned(s, u) {
			return errConflict
		}
		if again {
			e.job.Digests = s.Digests()
		}
		for _, w := range sessions.Writes(s, u) {
			if err = e.write(ctx, w); err != nil {
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

// reread reports whether the session still says what was written some seconds
// ago: an update by the site that began before the write, and does not know of
// it, comes after it.
func (e *execution) reread(ctx context.Context) (bool, error) {
	if err := sleep(ctx, e.Timings.Reread); err != nil {
		return false, err
	}
	s, err := e.Product.Session(ctx, e.job.Plan.Session)
	return err == nil && e.job.Wrote.AppliedTo(s), err
}

// owned reports whether the session is as a job left it: every value to be written
// says processing and names no file but the job's own, or already says what is to
// be written, since the answer to an earlier attempt got lost. It does not matter
// which value is newer: the site takes its timestamp before it writes the value.
func owned(s store.Session, u sessions.Update) bool {
	values := map[string]store.Value{s.SessionKey.Kind: s.SessionKey.Value, s.Webhook.Kind: s.Webhook.Value}
	for _, w := range sessions.Writes(s, u) {
		if !ownedValue(values[w.Kind], u) {
			return false
		}
	}
	return s.Status() != store.StatusNone // the keys exist
}

func ownedValue(v store.Value, u sessions.Update) bool {
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
		return u.Kind == sessions.UpdateCompleted && file == u.FileID
	case store.StatusError:
		return u.Kind == sessions.UpdateFailed && v.Error != nil && *v.Error == u.Error
	}
	return false
}
