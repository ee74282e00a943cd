// Package superduper is a client of the SuperDuperAI API, which generates the
// videos, and of the site: its webhook-status, which the customer's page shows, and
// its webhook, which starts the video of a paid session.
// Answers are bounded, checked and never trusted. What they mean for a session is
// decided by the diagnosis.
package superduper

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"github.com/superduperai/sessionbot/internal/redact"
	"github.com/superduperai/sessionbot/internal/telemetry"
)

const (
	// bodyLimit bounds an answer, in bytes.
	bodyLimit = 1 << 20
	// readTimeout and writeTimeout bound a call whose context has no deadline.
	readTimeout  = 10 * time.Second
	writeTimeout = 60 * time.Second
)

// Config configures a Client. The first two URLs are without a path and a trailing slash.
type Config struct {
	BaseURL string // of the SuperDuperAI API
	Token   string // of the SuperDuperAI API, never sent to the site; may be empty
	SiteURL string // of the site

	WebhookURL    string // of the site's webhook for Stripe's events, with its path
	WebhookSecret string // with which Stripe signs them; may be empty
}

// Client is a client of the SuperDuperAI API and the site. It is safe for concurrent use.
type Client struct {
	base, site, token string
	webhook, secret   string
	http              http.Client
}

// New returns a client. It does not connect yet.
func New(cfg Config) *Client {
	return &Client{base: cfg.BaseURL, site: cfg.SiteURL, token: cfg.Token, webhook: cfg.WebhookURL, secret: cfg.WebhookSecret, http: http.Client{
		Transport: telemetry.Transport{Name: cfg.requestName, Next: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			ForceAttemptHTTP2:   true,
			TLSHandshakeTimeout: 5 * time.Second,
			MaxIdleConnsPerHost: 32, // as many commands are answered at the same time
			IdleConnTimeout:     90 * time.Second,
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// requestName is what traces call a request.
func (c Config) requestName(req *http.Request) (service, operation string) {
	if strings.HasPrefix(req.URL.String(), c.BaseURL+"/api/v1/") {
		return "superduperai", req.Method
	}
	return "site", req.Method
}

// Ping requests the API, which needs no token.
func (c *Client) Ping(ctx context.Context) error {
	_, err := c.call(ctx, http.MethodGet, c.base+"/api/v1/ping", nil, c.token)
	return err
}

// call sends one request and returns the body of a 2xx answer. Errors are *Error.
// Without a token no Authorization header is sent.
func (c *Client) call(ctx context.Context, method, address string, body []byte, token string) ([]byte, error) {
	header := http.Header{}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	return c.send(ctx, method, address, body, header)
}

// send is call with any header.
func (c *Client) send(ctx context.Context, method, address string, body []byte, header http.Header) ([]byte, error) {
	ctx, cancel := withDeadline(ctx, method)
	defer cancel()
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, &Error{Kind: Unavailable, Err: redact.Error(err)}
	}
	req.Header = header
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "sessionbot")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, classifyTransport(err, method, connected.Load())
	}
	defer func() { _ = resp.Body.Close() }() // read already, or not wanted
	raw, err := io.ReadAll(http.MaxBytesReader(nil, resp.Body, bodyLimit))
	switch {
	case resp.StatusCode/100 != 2:
		return nil, classifyResponse(method, resp, raw, c.token)
	case err != nil:
		return nil, classifyBody(err, method, resp.StatusCode)
	}
	return raw, nil
}

func withDeadline(ctx context.Context, method string) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	if method == http.MethodPost {
		return context.WithTimeout(ctx, writeTimeout)
	}
	return context.WithTimeout(ctx, readTimeout)
}

// object reads a JSON object.
func object(raw []byte) (map[string]json.RawMessage, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			return nil, fmt.Errorf("not JSON at byte %d", syntax.Offset)
		}
		return nil, errors.New("not a JSON object")
	}
	if members == nil {
		return nil, errors.New("null instead of an object")
	}
	return members, nil
}
