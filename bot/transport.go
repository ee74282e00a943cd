package bot

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/redact"
	"github.com/superduperai/sessionbot/internal/retryafter"
)

// maxRetryAfter bounds the wait that Slack may ask for.
const maxRetryAfter = 5 * time.Minute

// newHTTPClient returns the client of Slack's Web API and of response_url. It never
// follows a redirect, which could leak a token or an answer.
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

// transport rewrites Retry-After in whole seconds, the one form that Slack's library
// reads, and keeps that of a 5xx, which it does not read. It takes any other rate
// limit for an unreadable answer.
type transport struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, reached := markReached(req.Context())
	res, err := t.Transport.RoundTrip(req.WithContext(ctx))
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

// namingProxy makes an error *ProxyError where a proxy was to be used: it is not
// Slack that is away, and nothing was sent there.
func (t *transport) namingProxy(req *http.Request, err error) error {
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
			err = failed.Err // says the same in fewer words
		}
		return &ProxyError{host: proxy.Host, err: redact.Error(err)}
	}
	return err
}

// retryMark stands before Retry-After in the status of a 5xx: the library keeps
// nothing else of it.
const retryMark = "; retry after "

// retryAfter returns how long Slack wants to be left alone by a status, 0 = not said.
func retryAfter(status string) time.Duration {
	_, seconds, _ := strings.Cut(status, retryMark)
	n, _ := strconv.Atoi(seconds) // 0 where there is none
	return time.Duration(n) * time.Second
}

// slackDomains are Slack's own. Each takes answers at its hooks, whichever of its
// hosts serves the Web API.
var slackDomains = []string{"slack.com", "slack-gov.com"}

var errForeignURL = errors.New("a response_url that is not Slack's")

// origin is where answers may be sent to: an envelope is data, and the address in
// it could lead anywhere.
type origin struct{ scheme, host string }

// originForAPI returns the origin of response_url that belongs to a base URL of
// the Web API, "" = Slack's own.
func originForAPI(apiURL string) (origin, error) {
	u, err := url.Parse(cmp.Or(apiURL, slack.APIURL))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return origin{}, fmt.Errorf("%q is not the address of a server", apiURL)
	}
	o := originOf(u)
	for _, domain := range slackDomains {
		host := strings.TrimSuffix(o.host, ".")
		if o.scheme == "https" && (host == domain || strings.HasSuffix(host, "."+domain)) {
			return origin{scheme: o.scheme, host: "hooks." + domain}, nil
		}
	}
	return o, nil
}

// originOf leaves out the port that the scheme implies.
func originOf(u *url.URL) origin {
	port := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]
	return origin{scheme: u.Scheme, host: strings.TrimSuffix(strings.ToLower(u.Host), port)}
}

// check returns errForeignURL for an address of another origin.
func (o origin) check(responseURL string) error {
	u, err := url.Parse(responseURL)
	if err != nil || u.Host == "" || originOf(u) != o || u.User != nil {
		return errForeignURL
	}
	return nil
}
