// Package superduper is a client of the SuperDuperAI API, which makes the
// videos, and of the site's webhook-status, which the customer's page goes by.
// What these answer is data: bounded, checked and never trusted. What an answer
// means for a session is not decided here.
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
	"net/url"
	"sync/atomic"
	"time"

	"github.com/superduperai/sessionbot/store"
)

const (
	// bodyLimit is the size over which an answer is not read, in bytes.
	bodyLimit = 1 << 20
	// readTimeout and writeTimeout bound a call whose context has no deadline.
	readTimeout  = 10 * time.Second
	writeTimeout = 60 * time.Second
)

var (
	errTooLarge   = errors.New("the answer is larger than 1 MB")
	errRedirected = errors.New("the answer is a redirect, which is not followed")
)

// Config says where the servers are. Both URLs carry no path and no trailing
// slash.
type Config struct {
	BaseURL string       // of the SuperDuperAI API
	Token   string       // of the SuperDuperAI API, never sent to the site; may be empty
	SiteURL string       // of the site
	HTTP    *http.Client // nil = one of its own
}

// Client asks the SuperDuperAI API and the site. It is safe for concurrent use.
type Client struct {
	base, site, token string
	http              *http.Client
}

// New makes a client. It connects to nothing yet.
func New(cfg Config) *Client {
	own := http.Client{Transport: newTransport()}
	if cfg.HTTP != nil {
		own = *cfg.HTTP
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{base: cfg.BaseURL, site: cfg.SiteURL, token: cfg.Token, http: &own}
}

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		ForceAttemptHTTP2:   true,
		TLSHandshakeTimeout: 5 * time.Second,
		MaxIdleConnsPerHost: 32, // as many commands are answered at the same time
		IdleConnTimeout:     90 * time.Second,
	}
}

// Ping tells whether the API can be reached. It needs no token.
func (c *Client) Ping(ctx context.Context) error {
	_, err := c.call(ctx, http.MethodGet, c.base+"/api/v1/ping", nil, c.token)
	return err
}

// call sends one request and returns the body of a 2xx answer. Whatever goes
// wrong is an *Error. An empty token sends none.
func (c *Client) call(ctx context.Context, method, address string, body []byte, token string) ([]byte, error) {
	ctx, cancel := withDeadline(ctx, method)
	defer cancel()
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, &Error{Kind: Unavailable, Err: cause(err)}
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "sessionbot")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, noAnswer(err, method, connected.Load())
	}
	defer func() { _ = resp.Body.Close() }() // read already, or not wanted
	answer, err := readBody(resp.Body)
	if resp.StatusCode/100 != 2 {
		return nil, refused(method, resp, answer, c.token)
	}
	if err != nil {
		return nil, unread(err, method, resp.StatusCode)
	}
	return answer, nil
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

func readBody(body io.Reader) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(body, bodyLimit+1))
	if len(raw) > bodyLimit {
		return raw[:bodyLimit], errTooLarge
	}
	return raw, err
}

// fileSegment is a file's id as the segment of a path. What is no UUID is no file
// of SuperDuperAI's, and is never asked for: with the token it could ask for
// anything.
func fileSegment(id string) (string, error) {
	if _, ok := store.FileUUID(id); !ok {
		return "", &Error{Kind: Rejected, Err: errors.New("not the id of a file")}
	}
	return id, nil
}

// escape makes an id a single segment of a path. An id that would be another
// path is refused.
func escape(id string) (string, error) {
	if id == "" || id == "." || id == ".." || len(id) > 200 {
		return "", &Error{Kind: Rejected, Err: errors.New("not an id")}
	}
	return url.PathEscape(id), nil
}

// object reads an answer that has to be a JSON object.
func object(raw []byte) (map[string]json.RawMessage, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return nil, fmt.Errorf("not JSON at byte %d", syntax.Offset)
		}
		return nil, errors.New("not a JSON object")
	}
	if members == nil {
		return nil, errors.New("null instead of an object")
	}
	return members, nil
}
