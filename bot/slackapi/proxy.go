package slackapi

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/superduperai/sessionbot/internal/panics"
	"github.com/superduperai/sessionbot/internal/redact"
	"github.com/superduperai/sessionbot/internal/retryafter"
)

// maxProxyAnswer is how much of a proxy's answer to CONNECT is read, in bytes.
const maxProxyAnswer = 64 << 10

// ProxyError is why a proxy did not let us through. It holds no credentials.
type ProxyError struct {
	host   string // with its port, "" = it could not be read
	status int    // HTTP status, 0 = it gave none
	err    error  // with status 0
}

// Error names the proxy and what it answered.
func (e *ProxyError) Error() string {
	switch {
	case e.status != 0:
		return fmt.Sprintf("the proxy %s answered CONNECT with HTTP %d", e.host, e.status)
	case e.host == "":
		return e.err.Error()
	}
	return fmt.Sprintf("no connection through the proxy %s: %v", e.host, e.err)
}

// Unwrap returns why there was no answer, nil = there was one.
func (e *ProxyError) Unwrap() error { return e.err }

// advice names the remedy.
func (e *ProxyError) advice() string {
	switch e.status {
	case 0:
		return "Check HTTPS_PROXY, and that the proxy is up."
	case http.StatusProxyAuthRequired:
		return "The proxy rejected the credentials: write them percent-encoded into HTTPS_PROXY, as http://user:password@host:port."
	}
	return "Have the proxy allow CONNECT to port 443 of Slack's hosts (slack.com, hooks.slack.com, wss-primary.slack.com, wss-backup.slack.com), or name them in NO_PROXY."
}

// errProxyURL means that it is not even known which proxy is meant.
var errProxyURL = &ProxyError{err: Reason("HTTPS_PROXY is not the address of a proxy")}

// reachedKey is the key of a request's *atomic.Bool; see markReached.
type reachedKey struct{}

// markReached returns a context for a request, which notes whether it got a connection
// or at least an answer of the proxy. Before that nothing was sent to Slack.
func markReached(ctx context.Context) (context.Context, *atomic.Bool) {
	var reached atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { reached.Store(true) }})
	return context.WithValue(ctx, reachedKey{}, &reached), &reached
}

// checkProxy makes a refused CONNECT of the HTTP client a *ProxyError.
func checkProxy(ctx context.Context, proxy *url.URL, _ *http.Request, res *http.Response) error {
	if reached, ok := ctx.Value(reachedKey{}).(*atomic.Bool); ok {
		reached.Store(true)
	}
	if res.StatusCode != http.StatusOK {
		return &ProxyError{host: proxy.Host, status: res.StatusCode}
	}
	return nil
}

// NewDialer returns a dialer that reaches Slack as the Web API's client does.
func NewDialer(handshake time.Duration) *websocket.Dialer {
	return &websocket.Dialer{Proxy: http.ProxyFromEnvironment, HandshakeTimeout: handshake}
}

// Dial opens a connection to Slack. The error is a *Fault, also where the library
// panics.
func Dial(ctx context.Context, d *websocket.Dialer, address string) (conn *websocket.Conn, err error) {
	d, socks, err := throughProxy(d, address)
	if err != nil {
		return nil, FaultOf(err)
	}
	var res *http.Response
	err = panics.Catch(func() (err error) {
		conn, res, err = d.DialContext(ctx, address, nil) //nolint:bodyclose // the connection's, or read already
		return err
	})
	var panicked *panics.Error
	switch {
	case err == nil:
		return conn, nil
	case errors.As(err, &panicked):
		return nil, FaultOf(Reason("the socket library panicked: " + panicked.Message))
	case res != nil:
		return nil, &Fault{err: fmt.Errorf("%w: HTTP %d", err, res.StatusCode), RetryAfter: retryafter.Read(res.Header, maxRetryAfter)}
	case socks != "":
		return nil, FaultOf(&ProxyError{host: socks, err: redact.Error(err)})
	}
	return nil, FaultOf(err)
}

// TryConnection opens a connection at an address of Slack's and closes it at once,
// before Slack sends anything over it. The error is a *Fault.
func TryConnection(ctx context.Context, address string) error {
	conn, err := Dial(ctx, NewDialer(HandshakeTimeout), address)
	if err != nil {
		return err
	}
	goodbye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	_ = conn.WriteControl(websocket.CloseMessage, goodbye, time.Now().Add(time.Second)) // closed below
	_ = conn.Close()                                                                    // opening it was the test
	return nil
}

// throughProxy returns a dialer that uses the proxy for an address as the Web API's
// client does: the library supports no https:// proxy, and no credentials without a
// password. SOCKS is left to the library; the host of such a proxy is returned.
func throughProxy(d *websocket.Dialer, address string) (dialer *websocket.Dialer, socks string, err error) {
	if d.Proxy == nil {
		return d, "", nil
	}
	target, err := url.Parse(address)
	if err != nil {
		return nil, "", Reason("Slack returned no connection address")
	}
	target.Scheme = map[string]string{"ws": "http", "wss": "https"}[target.Scheme]
	proxy, err := d.Proxy(&http.Request{URL: target})
	if err != nil {
		return nil, "", errProxyURL
	}
	through := *d
	through.Proxy = nil
	if proxy == nil {
		return &through, "", nil
	}
	switch proxy.Scheme {
	case "http", "https":
		through.NetDialContext = tunnel{proxy: proxy, dial: d.NetDialContext, tls: d.TLSClientConfig}.open
		return &through, "", nil
	case "socks5", "socks5h":
		socks5 := *proxy
		socks5.Scheme = "socks5" // the library has the proxy look names up either way
		through.Proxy = http.ProxyURL(&socks5)
		return &through, proxy.Host, nil
	}
	return nil, "", &ProxyError{host: proxy.Host, err: Reason("only http, https, socks5 and socks5h are supported")}
}

// tunnel opens connections through a proxy that speaks HTTP.
type tunnel struct {
	proxy *url.URL
	dial  func(ctx context.Context, network, addr string) (net.Conn, error) // nil = the network's
	tls   *tls.Config                                                       // with an https:// proxy; nil = the usual one
}

func (t tunnel) open(ctx context.Context, network, addr string) (net.Conn, error) {
	dial := t.dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	port := cmp.Or(t.proxy.Port(), map[string]string{"http": "80", "https": "443"}[t.proxy.Scheme])
	conn, err := dial(ctx, network, net.JoinHostPort(t.proxy.Hostname(), port))
	if err != nil {
		return nil, &ProxyError{host: t.proxy.Host, err: redact.Error(err)}
	}
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })() // what waits for the proxy gives up
	if t.proxy.Scheme == "https" {
		config := &tls.Config{MinVersion: tls.VersionTLS12}
		if t.tls != nil {
			config = t.tls.Clone()
		}
		config.ServerName = t.proxy.Hostname()
		conn = tls.Client(conn, config)
	}
	if err := t.connect(conn, addr); err != nil {
		_ = conn.Close() // unusable
		return nil, err
	}
	return conn, nil
}

// connect asks the proxy for a connection to addr. Slack sends nothing before the
// handshake, so nothing is lost in the reader's buffer.
func (t tunnel) connect(conn net.Conn, addr string) error {
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: addr}, Host: addr, Header: http.Header{}}
	if user := t.proxy.User; user != nil {
		password, _ := user.Password() // a token has none
		req.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)))
	}
	if err := req.Write(conn); err != nil {
		return &ProxyError{host: t.proxy.Host, err: redact.Error(err)}
	}
	res, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, maxProxyAnswer)), req) //nolint:bodyclose // it is the tunnel, or closed with it
	if err != nil {
		return &ProxyError{host: t.proxy.Host, err: redact.Error(err)}
	}
	return checkProxy(context.Background(), t.proxy, req, res)
}
