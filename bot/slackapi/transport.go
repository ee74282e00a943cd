package slackapi

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/redact"
	"github.com/superduperai/sessionbot/internal/retryafter"
	"github.com/superduperai/sessionbot/internal/telemetry"
)

// maxRetryAfter bounds Slack's Retry-After.
const maxRetryAfter = 5 * time.Minute

// How long Slack is waited for on a machine that is not slow.
const (
	ConnectTimeout   = 3 * time.Second  // for TCP and TLS, each
	HandshakeTimeout = 10 * time.Second // of a WebSocket
)

// maxIdle is how many idle connections to one host are kept: one for each request that
// is answered at the same time.
const maxIdle = 32

// NewHTTPClient returns the client of Slack's Web API and of response_url: call is how
// long one call may take, connect how long TCP and TLS may, each. It never follows a
// redirect, which could leak a token or an answer.
func NewHTTPClient(call, connect time.Duration) *http.Client {
	return &http.Client{
		Timeout:       call,
		Transport:     NewTransport(connect),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// NewTransport returns the transport of that client, for other callers of Slack's Web
// API.
func NewTransport(connect time.Duration) *Transport {
	return &Transport{&http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		OnProxyConnectResponse: checkProxy,
		DialContext:            (&net.Dialer{Timeout: connect}).DialContext,
		TLSHandshakeTimeout:    connect,
		MaxIdleConnsPerHost:    maxIdle,
		IdleConnTimeout:        time.Minute,
		ExpectContinueTimeout:  time.Second,
		ForceAttemptHTTP2:      true,
	}}
}

// webMethod matches the methods of Slack's Web API, and no part of a response_url.
var webMethod = regexp.MustCompile(`^[a-z]+(\.[A-Za-z]+)+$`)

// requestName is what traces call a request. The path of a response_url is a secret.
func requestName(req *http.Request) (service, operation string) {
	if method := path.Base(req.URL.Path); webMethod.MatchString(method) {
		return "slack", method
	}
	return "slack", "response_url"
}

// Transport rewrites Retry-After in whole seconds, the one form that Slack's library
// reads, and keeps that of a 5xx, which it does not read. It takes any other rate
// limit for an unreadable answer.
type Transport struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, reached := markReached(req.Context())
	res, err := telemetry.Transport{Next: t.Transport, Name: requestName}.RoundTrip(req.WithContext(ctx))
	if err != nil {
		if !reached.Load() {
			err = t.namingProxy(req, err)
		}
		return nil, err
	}
	if res.Header.Get(retryafter.Header) != "" {
		wait := retryafter.Read(res.Header, maxRetryAfter)
		seconds := strconv.Itoa(int(math.Ceil(wait.Seconds())))
		res.Header.Set(retryafter.Header, seconds)
		if res.StatusCode >= http.StatusInternalServerError {
			res.Status += retryMark + seconds
		}
	}
	return res, nil
}

// namingProxy turns an error into a *ProxyError if a proxy was to be used: Slack is not
// the cause, and nothing was sent to it.
func (t *Transport) namingProxy(req *http.Request, err error) error {
	var named *ProxyError
	if errors.As(err, &named) || t.Proxy == nil {
		return err
	}
	proxy, wrong := t.Proxy(req)
	switch {
	case wrong != nil:
		return errProxyURL
	case proxy != nil:
		if failed, ok := errors.AsType[*net.OpError](err); ok && failed.Op == "proxyconnect" {
			err = failed.Err // the cause is the same, and shorter
		}
		return &ProxyError{host: proxy.Host, err: redact.Error(err)}
	}
	return err
}

// retryMark stands before Retry-After in the status of a 5xx: the library keeps
// nothing else of it.
const retryMark = "; retry after "

// retryAfter returns the Retry-After in a status, 0 = none.
func retryAfter(status string) time.Duration {
	_, seconds, _ := strings.Cut(status, retryMark)
	n, _ := strconv.Atoi(seconds) // 0 where there is none
	return time.Duration(n) * time.Second
}

// slackDomains are Slack's own. Each takes answers at its hooks, whichever of its
// hosts serves the Web API.
var slackDomains = []string{"slack.com", "slack-gov.com"}

var errForeignURL = errors.New("a response_url that is not Slack's")

// Origin is where answers may be sent to: an envelope is data, and the address in
// it could lead anywhere.
type Origin struct{ scheme, host string }

// OriginForAPI returns the origin of response_url that belongs to a base URL of
// the Web API, "" = Slack's own.
func OriginForAPI(apiURL string) (Origin, error) {
	u, err := url.Parse(cmp.Or(apiURL, slack.APIURL))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return Origin{}, fmt.Errorf("%q is not the address of a server", apiURL)
	}
	o := originOf(u)
	for _, domain := range slackDomains {
		host := strings.TrimSuffix(o.host, ".")
		if o.scheme == "https" && (host == domain || strings.HasSuffix(host, "."+domain)) {
			return Origin{scheme: o.scheme, host: "hooks." + domain}, nil
		}
	}
	return o, nil
}

// originOf leaves out the port that the scheme implies.
func originOf(u *url.URL) Origin {
	port := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]
	return Origin{scheme: u.Scheme, host: strings.TrimSuffix(strings.ToLower(u.Host), port)}
}

// check returns errForeignURL for an address of another origin.
func (o Origin) check(responseURL string) error {
	u, err := url.Parse(responseURL)
	if err != nil || u.Host == "" || originOf(u) != o || u.User != nil {
		return errForeignURL
	}
	return nil
}
