package rdb

import (
	"context"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/attribute"

	"github.com/superduperai/sessionbot/internal/telemetry"
)

// observer observes the requests to one server, those included that its circuit
// breaker does not send. Of a command only the name is recorded: its arguments are
// keys, prompts and passwords.
type observer struct{}

// DialHook changes nothing.
func (observer) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook observes a command.
func (observer) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if isInside(ctx) {
			return next(ctx, cmd)
		}
		ctx, request := telemetry.Begin(ctx, "redis", cmd.FullName())
		err := next(ctx, cmd)
		request.End(kindOf(err))
		return err
	}
}

// ProcessPipelineHook observes several commands that are sent together.
func (observer) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if isInside(ctx) {
			return next(ctx, cmds)
		}
		ctx, request := telemetry.Begin(ctx, "redis", "pipeline")
		request.Describe(attribute.Int("db.operation.batch.size", len(cmds)))
		err := next(ctx, cmds)
		request.End(kindOf(err))
		return err
	}
}
