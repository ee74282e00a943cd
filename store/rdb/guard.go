package rdb

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// guardAfter is how many failures in a row make a neighbour count as away.
const guardAfter = 3

// AwayError means that a neighbour was not asked, because it failed several
// times in a row and is not to be tried again yet.
type AwayError struct {
	Since time.Time // when it failed first
	Err   error     // how it failed last
}

// Error names the last failure.
func (e *AwayError) Error() string { return "not asked again yet: " + e.Err.Error() }

// Unwrap returns the last failure.
func (e *AwayError) Unwrap() error { return e.Err }

// AwaySince is since when a neighbour is away that was not asked because of it;
// zero = it was asked.
func AwaySince(err error) time.Time {
	var away *AwayError
	if errors.As(err, &away) {
		return away.Since
	}
	return time.Time{}
}

// Guard keeps a neighbour that does not answer from costing everybody's time:
// after three failures in a row only one question in each Pause is put to it,
// and the others fail at once with an *AwayError. The zero Guard tries again
// every second.
type Guard struct {
	Pause time.Duration // 0 = a second

	mu       sync.Mutex
	failures int // in a row
	since    time.Time
	next     time.Time // when it may be tried again
	last     error
}

// Ask puts a question, unless the neighbour is away. failed tells which errors
// are the neighbour's failure to answer; others show that it lives. A caller who
// leaves shows neither.
func (g *Guard) Ask(failed func(error) bool, question func() error) error {
	if err := g.enter(time.Now()); err != nil {
		return err
	}
	err := question()
	var nothing *unproven
	if !errors.Is(err, context.Canceled) && !errors.As(err, &nothing) {
		g.leave(time.Now(), err, failed(err))
	}
	return err
}

func (g *Guard) enter(now time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.failures < guardAfter {
		return nil
	}
	if now.Before(g.next) {
		return &AwayError{Since: g.since, Err: g.last}
	}
	g.next = now.Add(g.pause()) // this one finds out
	return nil
}

func (g *Guard) leave(now time.Time, err error, failed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !failed {
		g.failures = 0
		return
	}
	if g.failures++; g.failures == 1 {
		g.since = now
	}
	g.last, g.next = err, now.Add(g.pause())
}

func (g *Guard) pause() time.Duration {
	if g.Pause == 0 {
		return time.Second
	}
	return g.Pause
}

// guarded leaves a server alone for a while that does not answer.
func guarded(client *redis.Client) *redis.Client {
	client.AddHook(&serverGuard{})
	return client
}

// unanswered tells whether there was no answer: whatever Redis answers, it lives.
func unanswered(err error) bool { return errors.Is(troubleOf(err), ErrSilent) }

// soon is how near a deadline is that proves nothing of the server when it passes:
// whoever sets it can do without an answer.
const soon = 500 * time.Millisecond

// ask puts a question to the server, which is away after several that nobody was
// in a hurry about.
func (g *serverGuard) ask(ctx context.Context, question func() error) error {
	deadline, ok := ctx.Deadline()
	hurried := ok && time.Until(deadline) < soon
	return g.Ask(unanswered, func() error {
		err := question()
		if hurried && unanswered(err) {
			return &unproven{err}
		}
		return err
	})
}

// unproven is silence that says nothing of a neighbour.
type unproven struct{ error }

func (u *unproven) Unwrap() error { return u.error }

// serverGuard is the Guard of one server, as the library wants it.
type serverGuard struct{ Guard }

// DialHook leaves connecting as it is.
func (g *serverGuard) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook guards a command.
func (g *serverGuard) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if inside(ctx) {
			return next(ctx, cmd)
		}
		err := g.ask(ctx, func() error { return next(within(ctx), cmd) })
		if err != nil {
			cmd.SetErr(err) // as the library does behind this
		}
		return named(apart(err, cmd), cmd)
	}
}

// ProcessPipelineHook guards several commands that are sent together.
func (g *serverGuard) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if inside(ctx) {
			return next(ctx, cmds)
		}
		err := g.ask(ctx, func() error { return next(within(ctx), cmds) })
		if err != nil && !slices.ContainsFunc(cmds, func(cmd redis.Cmder) bool { return cmd.Err() != nil }) {
			for _, cmd := range cmds { // it was not even sent, which the library does not always say
				cmd.SetErr(err)
			}
		}
		return named(apart(err, cmds...), cmds...)
	}
}

// guarding marks the context of a command that has passed the guard: the
// greeting of a new connection, which it may need first, is a part of it.
type guarding struct{}

func within(ctx context.Context) context.Context { return context.WithValue(ctx, guarding{}, true) }

func inside(ctx context.Context) bool { return ctx.Value(guarding{}) != nil }

// apart gives commands that were not sent their error. What the last one failed
// with is not told along: the library would take it for theirs, and try again.
func apart(err error, cmds ...redis.Cmder) error {
	var away *AwayError
	if !errors.As(err, &away) {
		return err
	}
	err = &AwayError{Since: away.Since, Err: cmp.Or(troubleOf(away.Err), ErrSilent)}
	for _, cmd := range cmds {
		cmd.SetErr(err)
	}
	return err
}
