package store

import (
	"context"
	"time"
)

// KnownPayments tells what is known of the payments of sessions without a
// status. Stripe is not asked for it: who is not named is unverified.
type KnownPayments func(ctx context.Context, ids []string) map[string]Payment

// Counting is how all sessions are to be counted.
type Counting struct {
	Now      time.Time
	Limits   Thresholds
	Known    KnownPayments             // nil = nothing is known of payments
	Progress func(scanned, keys int64) // told how many keys were looked at, of how many; nil = nobody asks
}

// Count counts all sessions. Where ctx ends before it is through it returns
// what it has, with Complete false.
func (r *Redis) Count(ctx context.Context, how Counting) (Count, error) {
	t, seen := NewTally(how.Now), newSurveyor(true, how.Progress)
	batch := make([]Session, 0, sweepBatch)
	flush := func() {
		payments := how.payments(ctx, batch)
		if ctx.Err() == nil { // else what is known may not have been told any more
			for _, s := range batch {
				t.Add(s, Diagnose(Evidence{Session: s, Payment: payments[s.ID]}, how.Now, how.Limits))
			}
		}
		batch = batch[:0]
	}
	complete, err := r.walk(ctx, seen, func(s Session) {
		if batch = append(batch, s); len(batch) == sweepBatch {
			flush()
		}
	})
	if err != nil {
		return Count{}, err
	}
	flush()
	c := t.Count()
	c.Complete, c.Survey = complete, seen.survey()
	return c, nil
}

// payments is what is known of those of the sessions that have no status.
func (c Counting) payments(ctx context.Context, sessions []Session) map[string]Payment {
	if c.Known == nil {
		return nil
	}
	var open []string
	for _, s := range sessions {
		if s.Status() == StatusNone {
			open = append(open, s.ID)
		}
	}
	return c.Known(ctx, open)
}
