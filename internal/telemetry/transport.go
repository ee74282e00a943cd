package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"go.opentelemetry.io/otel/attribute"

	"github.com/superduperai/sessionbot/internal/redact"
)

// Transport observes HTTP requests, until the header of the response. It sends no
// trace context: the services are other people's. Of the URL only the host is
// recorded: paths hold ids of sessions and secrets of Slack's, and queries addresses
// of customers.
type Transport struct {
	Next http.RoundTripper
	// Name returns the service, and what is requested of it.
	Name func(req *http.Request) (service, operation string)
}

// RoundTrip implements http.RoundTripper.
func (t Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	service, operation := t.Name(req)
	ctx, request := Begin(req.Context(), service, operation)
	if ctx != req.Context() {
		req = req.WithContext(ctx)
		request.Describe(attribute.String("http.request.method", req.Method), attribute.String("server.address", req.URL.Hostname()))
	}
	res, err := t.Next.RoundTrip(req)
	switch {
	case errors.Is(err, context.Canceled): // by us
		request.End(nil)
		return nil, err
	case err != nil:
		request.End(redact.Error(err))
		return nil, err
	}
	request.Describe(attribute.Int("http.response.status_code", res.StatusCode))
	request.End(refused(res.StatusCode))
	return res, nil
}

// refused returns an error for a status that concerns more than the one request.
func refused(status int) error {
	switch {
	case status >= http.StatusInternalServerError, status == http.StatusTooManyRequests, status == http.StatusUnauthorized, status == http.StatusForbidden:
		return fmt.Errorf("HTTP %d", status)
	}
	return nil
}
