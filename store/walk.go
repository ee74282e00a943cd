package store

import (
	"context"
	"errors"
	"net"
)

// walk calls visit for every session, one at a time. Of each no more than a few
// bytes are kept, to know it from the others. What is seen of all keys is told
// to seen.
//
// Where Redis falls silent or ctx ends before the walk is through, what was
// visited stands and complete is false. It is an error only if nothing was seen.
func (r *Redis) walk(ctx context.Context, seen *surveyor, visit func(Session)) (complete bool, err error) {
	w := sweep{Sweeper: NewSweeper(r), whole: true, seen: seen, Sweeping: Sweeping{
		Now: r.now(),
		Read: func(sessions []Session) error {
			for _, s := range sessions {
				visit(s)
			}
			return ctx.Err()
		},
	}}
	_, err = w.run(ctx)
	if err == nil {
		return true, nil
	}
	if seen.survey().Scanned > 0 && timedOut(ctx, err) {
		return false, nil
	}
	return false, err
}

// timedOut tells whether time ran out, of the whole or of one answer.
func timedOut(ctx context.Context, err error) bool {
	var late net.Error
	return ctx.Err() != nil || errors.As(err, &late) && late.Timeout()
}
