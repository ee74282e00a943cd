package diagnosis

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// errPanicked means that a source broke down instead of answering.
var errPanicked = errors.New("panicked")

// callWithin puts a question and waits for the answer no longer than within. Who
// ignores the context is left behind; a panic is contained, and becomes an
// error.
func callWithin[T any](ctx context.Context, within time.Duration, question func(context.Context) (T, error)) (T, error) {
	return startCall(ctx, within, question)()
}

// startCall is ask for who has something else to do before waiting. What was
// answered in time counts, however late it is looked at.
func startCall[T any](ctx context.Context, within time.Duration, question func(context.Context) (T, error)) func() (T, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		var a answer
		defer func() {
			if cause := recover(); cause != nil {
				a = answer{err: fmt.Errorf("%w: %v", errPanicked, cause)}
			}
			answers <- a
		}()
		a.value, a.err = question(ctx)
	}()
	return func() (T, error) {
		defer cancel()
		select {
		case a := <-answers:
			return a.value, a.err
		case <-ctx.Done():
		}
		select {
		case a := <-answers:
			return a.value, a.err
		default:
			var nothing T
			return nothing, ctx.Err()
		}
	}
}
