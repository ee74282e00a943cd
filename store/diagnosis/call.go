package diagnosis

import (
	"context"
	"time"

	"github.com/superduperai/sessionbot/internal/panics"
)

// callWithin calls a source and waits for its answer until the timeout. A call that
// ignores its context is abandoned; a panic becomes a *panics.Error.
func callWithin[T any](ctx context.Context, timeout time.Duration, call func(context.Context) (T, error)) (T, error) {
	return startCall(ctx, timeout, call)()
}

// startCall is callWithin for a caller that has something else to do first. What was
// answered in time counts, however late it is looked at.
func startCall[T any](ctx context.Context, timeout time.Duration, call func(context.Context) (T, error)) func() (T, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		var a answer
		a.err = panics.Catch(func() (err error) {
			a.value, err = call(ctx)
			return err
		})
		answers <- a
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
			var zero T
			return zero, ctx.Err()
		}
	}
}
