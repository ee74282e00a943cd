package rdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/breaker"
)

// guarded puts a circuit breaker before a server.
func guarded(client *redis.Client) *redis.Client {
	client.AddHook(newBreakerHook())
	return client
}

// breakerHook is the circuit breaker of one server. A redis.Limiter would not do:
// it knows no context, and so no deadline.
type breakerHook struct{ *breaker.Breaker }

func newBreakerHook() breakerHook { return breakerHook{breaker.New(time.Second, unanswered)} }

// unanswered tells whether there was no answer: whatever Redis answers, it lives.
func unanswered(err error) bool { return errors.Is(kindOf(err), ErrNoAnswer) }

// urgentWithin is how near a deadline is that proves nothing of the server when it passes:
// whoever sets it can do without an answer.
const urgentWithin = 500 * time.Millisecond

// do sends a request, which proves nothing where its deadline is near.
func (h breakerHook) do(ctx context.Context, request func() error) error {
	deadline, ok := ctx.Deadline()
	urgent := ok && time.Until(deadline) < urgentWithin
	return h.Do(func() error {
		err := request()
		if urgent && unanswered(err) {
			return fmt.Errorf("%w: %w", breaker.ErrInconclusive, err)
		}
		return err
	})
}

// DialHook leaves connecting as it is.
func (h breakerHook) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook guards a command.
func (h breakerHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if isInside(ctx) {
			return next(ctx, cmd)
		}
		err := h.do(ctx, func() error { return next(markInside(ctx), cmd) })
		if err != nil {
			cmd.SetErr(err) // as the library does behind this
		}
		return withCommand(unsent(err, cmd), cmd)
	}
}

// ProcessPipelineHook guards several commands that are sent together.
func (h breakerHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if isInside(ctx) {
			return next(ctx, cmds)
		}
		err := h.do(ctx, func() error { return next(markInside(ctx), cmds) })
		if err != nil && !slices.ContainsFunc(cmds, func(cmd redis.Cmder) bool { return cmd.Err() != nil }) {
			for _, cmd := range cmds { // it was not even sent, which the library does not always say
				cmd.SetErr(err)
			}
		}
		return withCommand(unsent(err, cmds...), cmds...)
	}
}

// insideBreaker marks the context of a command that has passed the guard: the
// greeting of a new connection, which it may need first, is a part of it.
type insideBreaker struct{}

func markInside(ctx context.Context) context.Context {
	return context.WithValue(ctx, insideBreaker{}, true)
}

func isInside(ctx context.Context) bool { return ctx.Value(insideBreaker{}) != nil }

// unsent gives commands that were not sent their error. What the last one failed
// with is not told along: the library would take it for theirs, and try again.
func unsent(err error, cmds ...redis.Cmder) error {
	var open *breaker.OpenError
	if !errors.As(err, &open) {
		return err
	}
	err = &breaker.OpenError{Since: open.Since, Err: cmp.Or(kindOf(open.Err), ErrNoAnswer)}
	for _, cmd := range cmds {
		cmd.SetErr(err)
	}
	return err
}
