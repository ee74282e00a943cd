package payments

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/stripe/stripe-go/v76"

	"github.com/superduperai/sessionbot/internal/telemetry"
	"github.com/superduperai/sessionbot/store"
)

// bodyLimit bounds an answer, in bytes: a hundred sessions with their charges stay far below.
const bodyLimit = 8 << 20

// newHTTPClient returns the client for stripe-go: it follows no redirect and
// reads answers through boundedTransport.
func newHTTPClient(transport http.RoundTripper) *http.Client {
	if transport == nil {
		transport = &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			ForceAttemptHTTP2:   true,
			TLSHandshakeTimeout: 5 * time.Second,
			MaxIdleConnsPerHost: 8,
			IdleConnTimeout:     90 * time.Second,
		}
	}
	return &http.Client{
		Timeout:       requestTimeout,
		Transport:     boundedTransport{telemetry.Transport{Next: transport, Name: requestName}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// requestName is what traces call a request.
func requestName(req *http.Request) (service, operation string) { return "stripe", req.Method }

// boundedTransport reads the whole answer within bounds and turns a refusal into an
// *Error. stripe-go would read without a bound, lose the status of a refusal
// that is not JSON, and repeat the body in its error.
type boundedTransport struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t boundedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, resp.Body, bodyLimit))
	_ = resp.Body.Close() // read already, or not wanted
	if resp.StatusCode/100 != 2 {
		return nil, refused(resp.StatusCode, body)
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		err = &Error{Reason: store.StripeFault, Status: resp.StatusCode, Err: errors.New("the answer is larger than 8 MB")}
	}
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

func refused(status int, body []byte) *Error {
	e := &Error{Reason: store.StripeFault, Status: status}
	switch status {
	case http.StatusUnauthorized:
		e.Reason = store.StripeKeyRefused
	case http.StatusForbidden:
		e.Reason = store.StripeForbidden
	case http.StatusTooManyRequests:
		e.Reason = store.StripeRateLimited
	case http.StatusNotFound, http.StatusBadRequest: // the latter where it was a filter of a list
		var answer struct {
			Error struct {
				Code stripe.ErrorCode `json:"code"`
			} `json:"error"`
		}
		if json.Unmarshal(body, &answer) == nil && answer.Error.Code == stripe.ErrorCodeResourceMissing {
			e.Err = errMissing
		}
	}
	return e
}
