package payments

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/stripe/stripe-go/v76"
)

// bodyLimit is the size over which an answer is not read, in bytes: a hundred
// sessions with their charges stay far below.
const bodyLimit = 8 << 20

// newHTTP makes the client that the library uses: it follows no redirect and
// goes through guard.
func newHTTP(given *http.Client) *http.Client {
	own := http.Client{Timeout: timeout, Transport: &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		ForceAttemptHTTP2:   true,
		TLSHandshakeTimeout: 5 * time.Second,
		MaxIdleConnsPerHost: 8,
		IdleConnTimeout:     90 * time.Second,
	}}
	if given != nil {
		own = *given
	}
	if own.Transport == nil {
		own.Transport = http.DefaultTransport
	}
	own.Transport = guard{own.Transport}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// guard reads the whole answer within bounds and turns a refusal into an
// *Error. The library would read without a bound, lose the status of a refusal
// that is not JSON, and repeat the body in its error.
type guard struct{ next http.RoundTripper }

// RoundTrip carries the request out.
func (g guard) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := g.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, bodyLimit+1))
	_ = resp.Body.Close() // read already, or not wanted
	if resp.StatusCode/100 != 2 {
		return nil, refused(resp.StatusCode, body)
	}
	if err != nil {
		return nil, err
	}
	if len(body) > bodyLimit {
		return nil, &Error{Kind: Fault, Status: resp.StatusCode, Err: errors.New("the answer is larger than 8 MB")}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

func refused(status int, body []byte) *Error {
	e := &Error{Kind: Fault, Status: status}
	switch status {
	case http.StatusUnauthorized:
		e.Kind = KeyRefused
	case http.StatusForbidden:
		e.Kind = Forbidden
	case http.StatusTooManyRequests:
		e.Kind = RateLimited
	case http.StatusNotFound, http.StatusBadRequest: // the latter where it was a filter of a list
		var answer struct {
			Error struct {
				Code stripe.ErrorCode `json:"code"`
			} `json:"error"`
		}
		if json.Unmarshal(body, &answer) == nil && answer.Error.Code == stripe.ErrorCodeResourceMissing {
			e.Kind = missing
		}
	}
	return e
}
