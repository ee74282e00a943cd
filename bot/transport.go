package bot

import (
	"math"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/superduperai/sessionbot/internal/retryafter"
)

// longestPause is the longest that Slack is left alone where it asks for that: a
// bot that waits for a day hears nothing for a day.
const longestPause = 5 * time.Minute

// newHTTPClient returns the client of Slack's Web API and of response_url, which
// gives a call up after Deadlines.Call. It never follows a redirect: neither a
// token nor an answer goes where Slack did not promise to be.
func newHTTPClient(d Deadlines) *http.Client {
	return &http.Client{
		Timeout: d.Call,
		Transport: &transport{&http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			OnProxyConnectResponse: checkProxy,
			DialContext:            (&net.Dialer{Timeout: d.Connect}).DialContext,
			TLSHandshakeTimeout:    d.Connect,
			MaxIdleConnsPerHost:    workers,
			IdleConnTimeout:        time.Minute,
			ExpectContinueTimeout:  time.Second,
			ForceAttemptHTTP2:      true,
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// NewTransport returns the transport of a Bot, for other callers of Slack's Web
// API.
func NewTransport() http.RoundTripper { return newHTTPClient(NewDeadlines(1)).Transport }

// transport brings Retry-After into the one form that Slack's library reads,
// whole seconds. With any other it takes a rate limit for an answer that it cannot
// read, after which a message may have been posted.
type transport struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := t.Transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if res.Header.Get(retryafter.Header) != "" {
		wait := retryafter.Read(res.Header, longestPause)
		res.Header.Set(retryafter.Header, strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
	return res, nil
}
