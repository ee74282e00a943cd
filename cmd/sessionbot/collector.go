package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"
	traces "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/superduperai/sessionbot/internal/redact"
)

// collector sends traces to a collector by OTLP over HTTP; it is an otlptrace.Client.
// OpenTelemetry's own contains gRPC, more than 2 MB of the program, and quotes answers.
type collector struct {
	url     string
	headers map[string]string
	http    http.Client
}

// exportTimeout bounds one attempt, as OpenTelemetry has it.
const exportTimeout = 10 * time.Second

// collectorStatus is the status of a collector that does not take traces.
type collectorStatus int

func (s collectorStatus) Error() string { return fmt.Sprintf("the collector answers HTTP %d", int(s)) }

// newCollector returns the collector of the configuration, which was checked.
func (c *config) newCollector() *collector {
	headers, _ := otlpHeaders(c.OTLPHeaders)
	return &collector{c.tracesURL(), headers, http.Client{
		Timeout:       exportTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Start implements otlptrace.Client.
func (*collector) Start(context.Context) error { return nil }

// Stop implements otlptrace.Client.
func (*collector) Stop(context.Context) error { return nil }

// UploadTraces sends spans, up to three times where the collector may take them later.
// The error quotes nothing.
func (c *collector) UploadTraces(ctx context.Context, spans []*traces.ResourceSpans) error {
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := c.send(ctx, spans)
		var status collectorStatus
		if errors.As(err, &status) && status < http.StatusInternalServerError && status != http.StatusTooManyRequests {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithMaxTries(3))
	return err
}

// send sends spans once. TracesData is encoded as the request of an export is.
func (c *collector) send(ctx context.Context, spans []*traces.ResourceSpans) error {
	body, err := proto.Marshal(&traces.TracesData{ResourceSpans: spans})
	if err != nil {
		return fmt.Errorf("encode traces: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("export traces: %w", redact.Error(err))
	}
	for name, value := range c.headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	res, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("export traces: %w", redact.Error(err))
	}
	defer func() { _ = res.Body.Close() }()      // what it says is not needed
	_, _ = io.CopyN(io.Discard, res.Body, 4<<10) // so that the connection is used again
	if res.StatusCode/100 != 2 {
		return collectorStatus(res.StatusCode)
	}
	return nil
}
