package store

import (
	"context"
	"time"
)

const (
	sweepBatch = 200                  // sessions handed over at a time
	sweepPause = 2 * time.Millisecond // after each batch: Redis serves customers in between
)

// Sweep hands over all sessions there are, in batches, and returns what it saw
// of all keys. Memory stays constant. A batch is the receiver's to look at until
// it returns; its error ends the sweep. It is an error where not all were seen.
func (r *Redis) Sweep(ctx context.Context, batch func([]Session) error) (Survey, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	sessions, seen := make([]Session, 0, sweepBatch), newSurveyor(true, nil)
	flush := func() {
		if len(sessions) == 0 || ctx.Err() != nil {
			return
		}
		if err := batch(sessions); err != nil {
			stop(err)
			return
		}
		sessions = sessions[:0]
		select {
		case <-ctx.Done():
		case <-time.After(sweepPause):
		}
	}
	complete, err := r.walk(ctx, seen, func(s Session) {
		if sessions = append(sessions, s); len(sessions) == sweepBatch {
			flush()
		}
	})
	flush()
	switch cause := context.Cause(ctx); {
	case cause != nil:
		return Survey{}, cause
	case err != nil:
		return Survey{}, err
	case !complete:
		return Survey{}, ErrSilent
	}
	return seen.survey(), nil
}

// Sessions reads several sessions, a hundred in a round trip, in the order of
// the ids.
func (r *Redis) Sessions(ctx context.Context, ids []string) ([]Session, error) {
	all := make([]Session, 0, len(ids))
	for len(ids) > 0 {
		n := min(len(ids), batchIDs)
		sessions, err := r.sessions(ctx, ids[:n])
		if err != nil {
			return nil, err
		}
		all, ids = append(all, sessions...), ids[n:]
	}
	return all, nil
}
