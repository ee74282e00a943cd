package main

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/superduperai/sessionbot/internal/demo"
)

// startTraced is startBot with the traces kept in memory.
func (s *stage) startTraced() *tracetest.InMemoryExporter {
	s.t.Helper()
	kept := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(kept))
	s.bot = runConfigured(s.t, strings.NewReader(""), func(c *config) { c.traces = provider }, s.env, "run")
	s.workspace.AwaitConnections(1)
	return kept
}

// TestTraces: a question is one trace from its envelope to its answer, and a repair's
// job is linked to the request for its plan, whose ref it has. No trace names a
// person or a session.
func TestTraces(t *testing.T) {
	t.Parallel()
	const processing = "cs_live_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y5Z6trac"
	s := repairStage(t)
	paid := time.Now().Add(-5 * time.Minute)
	s.stripe.Put(demo.CheckoutSession{ID: processing, Status: "complete", PaymentStatus: "paid", Amount: 100, Currency: "usd", Created: paid, Email: "ann@example.com"})
	s.put("prompt:"+processing, `{"prompt":"A fox runs"}`)
	s.put("webhook:"+processing, `{"status":"processing","fileId":"0d9fd2ab-8a4f-4b1e-9c8e-0123456789ab","timestamp":"`+paid.UTC().Format(time.RFC3339)+`"}`)
	kept := s.startTraced()
	support, lead := s.workspace.As("U0SUPPORT").In("C0SUPPORT"), s.workspace.As("U0LEAD").In("C0SUPPORT")
	s.ask("/session debug " + processing)
	s.ask("/session find ann@example.com")
	support.Type("/session generate " + repairID)
	plan := support.ExpectMessage(withText("Generate a video for"))
	lead.Click(plan, "confirm.approve")
	s.expectEnd(lead, plan, withText("Done: video ready"))
	s.bot.stop()

	spans := kept.GetSpans()
	debug := s.traceOf(spans, "request", "sessionbot.command=session debug")
	debug.expect("envelope", "request", "redis pipeline", "stripe GET", "superduperai GET", "site GET", "slack response_url")
	generate := s.traceOf(spans, "request", "sessionbot.command=session generate")
	generate.expect("envelope", "redis evalsha", "slack chat.postMessage")
	job := s.traceOf(spans, "job", "sessionbot.outcome=done")
	job.expect("after recorded", "after sending", "superduperai POST", "superduperai GET", "site GET", "slack chat.update", "slack chat.postMessage")
	if len(job.root.Links) != 1 || job.root.Links[0].SpanContext.SpanID() != generate.span.SpanContext.SpanID() {
		t.Errorf("the job is linked to %+v, not to %v", job.root.Links, generate.span.SpanContext.SpanID())
	}
	clicked := slices.ContainsFunc(spans, func(span tracetest.SpanStub) bool {
		return span.Name == "request" && len(span.Links) == 1 && span.Links[0].SpanContext.SpanID() == generate.span.SpanContext.SpanID()
	})
	if !clicked {
		t.Error("the click is not linked to the plan")
	}
	if refs := []string{attributeOf(generate.root, "ref"), attributeOf(generate.span, "ref"), attributeOf(job.span, "ref")}; refs[0] == "" || refs[0] != refs[1] || refs[1] != refs[2] {
		t.Errorf("the refs of envelope, request and job are %q", refs)
	}
	all := fmt.Sprint(textsOfSpans(spans))
	for _, word := range []string{repairID, processing, "cs_live_", "A fox", "ann@", "example.com", "U0", "C0SUPPORT", "/", stripeMark, superMark, s.env["SLACK_BOT_TOKEN"]} {
		if strings.Contains(all, word) {
			t.Errorf("the traces hold %q", word)
		}
	}
}

// traceFound is the trace of one span.
type traceFound struct {
	t          testing.TB
	span, root tracetest.SpanStub
	names      []string
}

// traceOf returns the trace of the first span of that name with an attribute.
func (s *stage) traceOf(spans tracetest.SpanStubs, name, attribute string) traceFound {
	s.t.Helper()
	key, value, _ := strings.Cut(attribute, "=")
	i := slices.IndexFunc(spans, func(span tracetest.SpanStub) bool { return span.Name == name && attributeOf(span, key) == value })
	if i < 0 {
		s.t.Fatalf("no %s has %s: %q", name, attribute, textsOfSpans(spans))
	}
	found := traceFound{t: s.t, span: spans[i]}
	known := map[trace.SpanID]bool{}
	for _, span := range spans {
		known[span.SpanContext.SpanID()] = true
	}
	for _, span := range spans {
		if span.SpanContext.TraceID() != spans[i].SpanContext.TraceID() {
			continue
		}
		found.names = append(found.names, span.Name)
		switch {
		case !span.Parent.IsValid():
			found.root = span
		case !known[span.Parent.SpanID()]:
			s.t.Errorf("%s has a parent that never ended", span.Name)
		}
	}
	return found
}

func (f traceFound) expect(names ...string) {
	f.t.Helper()
	for _, name := range names {
		if !slices.Contains(f.names, name) {
			f.t.Errorf("the trace of %s has no %s: %q", f.span.Name, name, f.names)
		}
	}
}

func attributeOf(span tracetest.SpanStub, key string) string {
	for _, attribute := range span.Attributes {
		if string(attribute.Key) == key {
			return attribute.Value.String()
		}
	}
	return ""
}

// textsOfSpans are all that spans hold.
func textsOfSpans(spans tracetest.SpanStubs) (texts []string) {
	for _, span := range spans {
		texts = append(texts, span.Name, span.Status.Description)
		for _, attribute := range span.Attributes {
			texts = append(texts, attribute.Value.String())
		}
		for _, event := range span.Events {
			texts = append(texts, event.Name, fmt.Sprint(event.Attributes))
		}
	}
	return texts
}

// collected is a collector of traces.
type collected struct {
	mu       sync.Mutex
	status   int
	services []string
	names    []string
	refused  int // requests without the token
}

func (c *collected) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	raw, err := io.ReadAll(r.Body)
	var export otlp.TracesData
	if err != nil || proto.Unmarshal(raw, &export) != nil || r.URL.Path != "/v1/traces" || r.Header.Get("Authorization") != "Bearer MARKED token" {
		c.refused++
	}
	for _, resource := range export.ResourceSpans {
		for _, attribute := range resource.Resource.Attributes {
			if attribute.Key == "service.name" {
				c.services = append(c.services, attribute.Value.GetStringValue())
			}
		}
		for _, scope := range resource.ScopeSpans {
			for _, span := range scope.Spans {
				c.names = append(c.names, span.Name)
			}
		}
	}
	w.WriteHeader(c.status)
	_, _ = io.WriteString(w, "MARKED answer")
}

// TestTracesAreExported: the exporter uses the standard variables, and what a
// process has not sent yet is sent before it ends. A refusal by the collector is
// logged, without its answer, and affects no request.
func TestTracesAreExported(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		logged bool
	}{{"taken", http.StatusOK, false}, {"refused", http.StatusUnauthorized, true}} {
		t.Run(c.name, func(t *testing.T) {
			s := repairStage(t)
			traces := &collected{status: c.status}
			s.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = s.serve(traces)
			s.env["OTEL_EXPORTER_OTLP_HEADERS"] = "Authorization=Bearer%20MARKED%20token"
			s.startBot()
			s.ask("/session debug " + repairID)
			if code := s.bot.stop(); code != 0 {
				t.Errorf("it exits with %d", code)
			}
			terminal := run(t, s.env, "session", "debug", repairID)
			if code := terminal.exitCode(); code != 0 {
				t.Errorf("the terminal exits with %d", code)
			}
			traces.mu.Lock()
			defer traces.mu.Unlock()
			if traces.refused > 0 || !slices.Contains(traces.services, "sessionbot") || !slices.Contains(traces.names, "request") || !slices.Contains(traces.names, "terminal") {
				t.Errorf("%d not understood, services %q, spans %q", traces.refused, traces.services, traces.names)
			}
			log := s.bot.log.String()
			if got := strings.Contains(log, `"msg":"traces not exported","component":"traces","error":"the collector answers HTTP 401"`); got != c.logged {
				t.Errorf("logged: %v\n%s", got, log)
			}
			if strings.Contains(log, "MARKED") {
				t.Error("the log quotes the collector, or the token")
			}
		})
	}
}
