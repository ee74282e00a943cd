package telemetry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/superduperai/sessionbot/internal/telemetry"
)

// traced returns a context whose requests are traced, and what keeps the traces.
func traced(t *testing.T) (context.Context, *tracetest.InMemoryExporter) {
	t.Helper()
	kept := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(kept))
	ctx, span := provider.Tracer("test").Start(t.Context(), "request")
	t.Cleanup(func() { span.End() })
	return ctx, kept
}

func TestTransport(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("traceparent"); got != "" {
			t.Errorf("it is sent the trace %s", got)
		}
		var status int
		if _, err := fmt.Sscanf(r.URL.Path, "/MARKED/%d", &status); err != nil {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	for _, c := range []struct {
		path string
		want string // of the span
	}{
		{"200", "stub GET http.request.method=GET server.address=127.0.0.1 http.response.status_code=200 Unset "},
		{"404", "stub GET http.request.method=GET server.address=127.0.0.1 http.response.status_code=404 Unset "},
		{"401", "stub GET http.request.method=GET server.address=127.0.0.1 http.response.status_code=401 Error HTTP 401"},
		{"503", "stub GET http.request.method=GET server.address=127.0.0.1 http.response.status_code=503 Error HTTP 503"},
		{"cut", "stub GET http.request.method=GET server.address=127.0.0.1 Error EOF"},
	} {
		t.Run(c.path, func(t *testing.T) {
			t.Parallel()
			ctx, kept := traced(t)
			_ = get(ctx, t, server.URL+"/MARKED/"+c.path+"?MARKED") // the span says what came of it
			if diff := cmp.Diff([]string{c.want}, textOf(kept.GetSpans())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// get requests an address through the transport.
func get(ctx context.Context, t *testing.T, address string) error {
	t.Helper()
	client := http.Client{Transport: telemetry.Transport{Next: http.DefaultTransport, Name: func(r *http.Request) (string, string) { return "stub", r.Method }}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, res.Body)
	return errors.Join(err, res.Body.Close())
}

// textOf writes down all that spans hold.
func textOf(spans tracetest.SpanStubs) (all []string) {
	for _, span := range spans {
		text := span.Name
		for _, attribute := range span.Attributes {
			text += fmt.Sprintf(" %s=%v", attribute.Key, attribute.Value.String())
		}
		for _, event := range span.Events {
			text += " " + event.Name
		}
		all = append(all, text+" "+span.Status.Code.String()+" "+span.Status.Description)
	}
	return all
}

// TestOnlyRequestsAreTraced: work without a requester is not traced, and neither is
// work that is not to be recorded.
func TestOnlyRequestsAreTraced(t *testing.T) {
	t.Parallel()
	ctx, kept := traced(t)
	unrecorded := trace.ContextWithSpanContext(ctx, trace.SpanContextFromContext(ctx))
	for _, ctx := range []context.Context{t.Context(), unrecorded} {
		got, request := telemetry.Begin(ctx, "redis", "get")
		request.End(errors.New("Redis did not answer"))
		if got != ctx || len(kept.GetSpans()) != 0 {
			t.Errorf("traced: %v", kept.GetSpans())
		}
	}
}

// TestLinks: what is stored of a trace leads back to it, and what cannot be read to
// none.
func TestLinks(t *testing.T) {
	t.Parallel()
	ctx, _ := traced(t)
	stored := telemetry.Traceparent(ctx)
	links := telemetry.Links(stored)
	if span := trace.SpanContextFromContext(ctx); len(links) != 1 || links[0].SpanContext.TraceID() != span.TraceID() || links[0].SpanContext.SpanID() != span.SpanID() {
		t.Errorf("%q leads to %+v, not to %+v", stored, links, span)
	}
	for _, other := range []string{"", "x", strings.ToUpper(stored), stored[:40], "00-00000000000000000000000000000000-0000000000000000-01"} {
		if links := telemetry.Links(other); len(links) != 0 {
			t.Errorf("%q leads to %+v", other, links)
		}
	}
	if got := telemetry.Traceparent(t.Context()); got != "" {
		t.Errorf("no trace is stored as %q", got)
	}
}

func BenchmarkUntraced(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_, request := telemetry.Begin(b.Context(), "redis", "get")
		request.End(nil)
	}
}
