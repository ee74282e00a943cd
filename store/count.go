package store

import (
	"context"
	"errors"
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
// what it has, with Complete false, if it has a deadline.
func (r *Redis) Count(ctx context.Context, how Counting) (Count, error) {
	if c, err := r.recount(ctx, how); !errors.Is(err, errNotPlain) {
		return c, err
	}
	c, seen := newCounter(how), newSurveyor(true, how.Progress)
	complete, err := r.walk(ctx, seen, func(s Session) { c.add(ctx, s) })
	if err != nil {
		return Count{}, err
	}
	c.flush(ctx)
	sums := c.tally.Count()
	sums.Complete, sums.Survey = complete, seen.survey()
	return sums, nil
}

// counter counts sessions that were read, some at a time.
type counter struct {
	Counting
	tally *Tally
	batch []Session
}

func newCounter(how Counting) counter {
	return counter{Counting: how, tally: NewTally(how.Now), batch: make([]Session, 0, readSize)}
}

func (c *counter) add(ctx context.Context, s Session) {
	if c.batch = append(c.batch, s); len(c.batch) == readSize {
		c.flush(ctx)
	}
}

// flush counts those that wait for it.
func (c *counter) flush(ctx context.Context) {
	payments := c.payments(ctx, c.batch)
	if ctx.Err() == nil { // else what is known may not have been told any more
		for _, s := range c.batch {
			c.tally.Add(s, Diagnose(Evidence{Session: s, Payment: payments[s.ID]}, c.Now, c.Limits))
		}
	}
	c.batch = c.batch[:0]
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
