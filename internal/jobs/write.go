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
		c.job.Digests[w.Kind] = digest
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
	for again := false; ; again = true {
		s, err := c.Product.Session(ctx, c.job.Plan.Session)
		if err != nil {
			return err
		}
		if !ours(s, c.job.FileID) && !already(s, u) {
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

// ours tells whether the session is as a job left it: processing, and no file
// but the job's own.
func ours(s store.Session, fileID string) bool {
	named := s.NamedFile()
	return s.Status() == store.StatusProcessing && (named == "" || named == fileID)
}

// already tells whether the session says what is to be written: the answer to
// an earlier attempt got lost.
func already(s store.Session, u store.Update) bool {
	switch u.Kind {
	case store.UpdateCompleted:
		return s.Status() == store.StatusCompleted && s.NamedFile() == u.FileID
	case store.UpdateFailed:
		failure := s.Current().Error
		return s.Status() == store.StatusError && failure != nil && *failure == u.Error
	}
	return false
}
