package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/superduperai/sessionbot/internal/redact"
	"github.com/superduperai/sessionbot/internal/telemetry"
)

// tracesWithin bounds how long a process that ends waits for its last traces.
const tracesWithin = time.Second

// tracesURL returns where traces are exported to, "" = nowhere.
func (c *config) tracesURL() string {
	switch {
	case c.OTelDisabled, c.TracesExporter == "none":
		return ""
	case c.OTLPTracesEndpoint != "":
		return c.OTLPTracesEndpoint
	case c.OTLPEndpoint != "":
		return strings.TrimSuffix(c.OTLPEndpoint, "/") + "/v1/traces"
	}
	return ""
}

func (c *config) checkTraces(faults *configError) {
	if c.tracesURL() == "" {
		return
	}
	for variable, value := range map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.OTLPEndpoint, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": c.OTLPTracesEndpoint} {
		u, err := url.Parse(value)
		switch {
		case value == "":
		case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
			faults.add(variable, "is not a URL", "write it like http://localhost:4318")
		case u.User != nil || u.RawQuery != "":
			faults.add(variable, "carries credentials or a query", "put credentials into OTEL_EXPORTER_OTLP_HEADERS")
		case c.OTLPHeaders != "":
			faults.checkURL(variable, value)
		}
	}
	faults.check(c.TracesExporter == "otlp", "OTEL_TRACES_EXPORTER", "is unknown", "write otlp or none")
	faults.check(c.OTLPProtocol == "http/protobuf", "OTEL_EXPORTER_OTLP_PROTOCOL", "is not supported",
		"write http/protobuf, and the collector's port for HTTP into the endpoint, usually 4318")
	_, err := otlpHeaders(c.OTLPHeaders)
	faults.check(err == nil, "OTEL_EXPORTER_OTLP_HEADERS", "cannot be read", "write name=value with commas between them, values percent-encoded")
}

// otlpHeaders reads headers in the format that OpenTelemetry specifies. The error quotes
// none.
func otlpHeaders(text string) (map[string]string, error) {
	headers := map[string]string{}
	for header := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(header) == "" {
			continue
		}
		name, value, _ := strings.Cut(header, "=")
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if name = strings.TrimSpace(name); err != nil || !headerPattern.MatchString(name) || strings.ContainsAny(value, "\r\n") {
			return nil, errors.New("not a header")
		}
		headers[name] = value
	}
	return headers, nil
}

// tracer returns the tracer of this process.
func (c *config) tracer() trace.Tracer {
	if c.traces == nil {
		return noop.Tracer{}
	}
	return c.traces.Tracer(telemetry.Scope)
}

// startTraces exports traces until stop is called, if they are on.
func (c *config) startTraces(ctx context.Context, log *slog.Logger) (stop func(), err error) {
	if c.tracesURL() == "" {
		return func() {}, nil
	}
	exporter, err := otlptrace.New(ctx, c.newCollector())
	if err != nil {
		return nil, fmt.Errorf("export traces: %w", err)
	}
	process, err := resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", "sessionbot"), attribute.String("service.version", version)), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("export traces: OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	otel.SetLogger(logr.Discard()) // it quotes variables
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		log.Warn("traces not exported", "error", exportFault(err))
	}))
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(process))
	c.traces = provider
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tracesWithin)
		defer cancel()
		if err := provider.Shutdown(ctx); err != nil {
			log.Warn("traces not exported", "error", exportFault(err))
		}
	}, nil
}

// tryTraces exports an empty batch; see doctor.Config.
func (c *config) tryTraces(ctx context.Context) (status int, err error) {
	var refused collectorStatus
	if err = c.newCollector().send(ctx, nil); errors.As(err, &refused) {
		return int(refused), nil
	}
	return 0, err
}

// exportFault returns an error of the export without what the library may quote.
func exportFault(err error) error {
	var refused collectorStatus
	if errors.As(err, &refused) {
		return refused
	}
	return redact.Error(err)
}
