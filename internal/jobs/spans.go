package jobs

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/superduperai/sessionbot/internal/telemetry"
	"github.com/superduperai/sessionbot/store/repair"
)

// startSpan starts the span of one execution of a job. Its trace is linked to that of
// the plan, whose request ended long before, in any process.
func (r *Runner) startSpan(ctx context.Context, job repair.Job) (context.Context, trace.Span) {
	return r.Tracer.Start(ctx, "job", trace.WithLinks(telemetry.Links(job.Plan.Trace)...),
		trace.WithAttributes(telemetry.Ref(job.Plan.Ref), attribute.String("sessionbot.action", string(job.Plan.Action)), attribute.String("sessionbot.job", job.ID)))
}

// endSpan ends a span. Errors of jobs quote nothing, since they are logged as well.
func endSpan(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	span.End()
}

// unrecorded returns a context whose requests are not traced: a bulk plan looks at the
// jobs of its sessions, which have traces of their own, every few seconds.
func unrecorded(ctx context.Context) context.Context {
	return trace.ContextWithSpanContext(ctx, trace.SpanContextFromContext(ctx))
}
