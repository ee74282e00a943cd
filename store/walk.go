package store

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
)

// progress tells how far a walk over all keys came.
type progress struct {
	Seen, Keys int64 // keys looked at, and keys there are
	Complete   bool
}

// walk calls visit for every session, one at a time. Of each no more than a few
// bytes are kept, to know it from the others.
//
// Where Redis falls silent or ctx ends before the walk is through, what was
// visited stands and Complete is false. It is an error only if nothing was seen.
func (r *Redis) walk(ctx context.Context, visit func(Session)) (progress, error) {
	var seen, keys atomic.Int64
	w := sweep{Sweeper: NewSweeper(r), whole: true, Sweeping: Sweeping{
		Now:     r.now(),
		Scanned: func(n, of int64) { seen.Store(n); keys.Store(of) },
		Read: func(sessions []Session) error {
			for _, s := range sessions {
				visit(s)
			}
			return ctx.Err()
		},
	}}
	_, err := w.run(ctx)
	p := progress{Seen: seen.Load(), Keys: keys.Load(), Complete: err == nil}
	if p.Seen > 0 && timedOut(ctx, err) {
		err = nil
	}
	return p, err
}

// timedOut tells whether time ran out, of the whole or of one answer.
func timedOut(ctx context.Context, err error) bool {
	var late net.Error
	return ctx.Err() != nil || errors.As(err, &late) && late.Timeout()
}
