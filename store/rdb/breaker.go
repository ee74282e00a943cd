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

// guarded adds a circuit breaker, and what observes requests, to the client of one server.
func guarded(client *redis.Client) *redis.Client {
	client.AddHook(observer{})
	client.AddHook(breakerHook{breaker.New(time.Second, unanswered)})
	return client
}

// breakerHook is the circuit breaker of one server. A redis.Limiter would not do: it
// gets no context, and so no deadline.
type breakerHook struct{ *breaker.Breaker }

// unanswered reports whether there was no answer: any answer shows that Redis is up.
func unanswered(err error) bool { return errors.Is(kindOf(err), ErrNoAnswer) }

// urgentWithin is how near a deadline has to be for its expiry not to count as a
// failure of the server: such callers can do without an answer.
const urgentWithin = 500 * time.Millisecond

// do sends a request, unless the breaker is open.
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

// DialHook changes nothing.
func (h breakerHook) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook guards a command.
func (h breakerHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if isInside(ctx) {
			return next(ctx, cmd)
		}
		err := h.do(ctx, func() error { return next(markInside(ctx), cmd) })
		if err != nil {
			cmd.SetErr(err) // as the library does
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
			for _, cmd := range cmds { // not sent, which the library does not always set
				cmd.SetErr(err)
			}
		}
		return withCommand(unsent(err, cmds...), cmds...)
	}
}

// insideBreaker marks the context of a command that the breaker let pass: the
// handshake of a new connection, which it may need first, is part of it.
type insideBreaker struct{}

func markInside(ctx context.Context) context.Context {
	return context.WithValue(ctx, insideBreaker{}, true)
}

func isInside(ctx context.Context) bool { return ctx.Value(insideBreaker{}) != nil }

// unsent sets the error of commands that were not sent. It does not wrap the error
// of the last one sent: the library would take it for theirs, and retry.
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
