// Package telemetry observes requests to other services, in a metric and in traces,
// and links the trace of a job to that of its plan. A trace names services,
// operations, commands and outcomes: never a session, a person, a text or a URL's
// path, since traces leave for systems that more people read than Slack's channels.
package telemetry

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Scope is the name of the tracers.
const Scope = "github.com/superduperai/sessionbot"

// Ref returns the attribute that finds a request's trace by what people see, and what
// they see by the trace.
func Ref(ref string) attribute.KeyValue { return attribute.String("ref", ref) }

// Answered adds the command and what came of it to the span of ctx.
func Answered(ctx context.Context, command, outcome string, failed bool) {
	span := trace.SpanFromContext(ctx)
	span.SetAttributes(attribute.String("sessionbot.command", command), attribute.String("sessionbot.outcome", outcome))
	if failed {
		span.SetStatus(codes.Error, outcome)
	}
}

var durations = prometheus.NewHistogramVec(prometheus.HistogramOpts{
	Name:    "sessionbot_request_duration_seconds",
	Help:    "Requests to Redis, Stripe, SuperDuperAI, the site and Slack, until the answer or its absence.",
	Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
}, []string{"service", "outcome"})

// Durations returns the metric of all requests of this process. Like those of the Go
// runtime it is the process's, so that clients need not be handed it.
func Durations() prometheus.Collector { return durations }

// Request is a request to another service that was begun.
type Request struct {
	service string
	started time.Time
	span    trace.Span // nil = it is not traced
}

// Begin begins a request to a service. It is traced if its context is: work
// without a requester, such as a sweep, is not.
func Begin(ctx context.Context, service, operation string) (context.Context, Request) {
	r := Request{service: service, started: time.Now()}
	if parent := trace.SpanFromContext(ctx); parent.IsRecording() {
		ctx, r.span = parent.TracerProvider().Tracer(Scope).Start(ctx, service+" "+operation, trace.WithSpanKind(trace.SpanKindClient))
	}
	return ctx, r
}

// Describe adds attributes to the span, if there is one.
func (r Request) Describe(attributes ...attribute.KeyValue) {
	if r.span != nil {
		r.span.SetAttributes(attributes...)
	}
}

// End ends the request. Failed says why the service failed, without quoting anything; nil =
// it answered, whatever the answer.
func (r Request) End(failed error) {
	outcome := "done"
	if failed != nil {
		outcome = "failed"
	}
	durations.WithLabelValues(r.service, outcome).Observe(time.Since(r.started).Seconds())
	if r.span == nil {
		return
	}
	if failed != nil {
		r.span.SetStatus(codes.Error, failed.Error())
	}
	r.span.End()
}
