package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

const traceparent = "traceparent"

// Traceparent returns the span of ctx in W3C's format, to be stored; "" = there is none.
func Traceparent(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[traceparent]
}

// Links returns the link to a stored span. There is none to what was not traced.
func Links(stored string) []trace.Link {
	ctx := propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{traceparent: stored})
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		return []trace.Link{{SpanContext: span}}
	}
	return nil
}
