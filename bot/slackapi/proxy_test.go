package slackapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/superduperai/sessionbot/internal/testenv"
)

// TestProxyThatRefusesIsAFailedDial: whatever a proxy answers, the process lives
// and the fault names the proxy's host and status.
func TestProxyThatRefusesIsAFailedDial(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, answer, says, advice string }{
		{"no reason phrase", "HTTP/1.1 403\r\n\r\n", "answered CONNECT with HTTP 403", "NO_PROXY"},
		{"an empty reason phrase", "HTTP/1.1 403 \r\n\r\n", "answered CONNECT with HTTP 403", "NO_PROXY"},
		{"a reason phrase", "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 6\r\n\r\ncanary", "answered CONNECT with HTTP 502", "NO_PROXY"},
		{"credentials wanted", "HTTP/1.1 407\r\n\r\n", "answered CONNECT with HTTP 407", "user:password@host"},
		{"a redirect", "HTTP/1.0 302 canary\r\nLocation: /canary\r\n\r\n", "answered CONNECT with HTTP 302", "NO_PROXY"},
		{"no HTTP", "canary\r\n\r\n", "no connection through the proxy", "HTTPS_PROXY"},
		{"a status that is no number", "HTTP/1.1 canary\r\n\r\n", "no connection through the proxy", "HTTPS_PROXY"},
		{"nothing", "", "no connection through the proxy", "HTTPS_PROXY"},
		{"an answer of TLS", "\x15\x03\x01\x00\x02\x02P", "no connection through the proxy", "HTTPS_PROXY"},
		{"a header without an end", "HTTP/1.1 403 " + strings.Repeat("canary", maxProxyAnswer), "no connection through the proxy", "HTTPS_PROXY"},
		{"a length below zero", "HTTP/1.1 403\r\nContent-Length: -1\r\n\r\n", "no connection through the proxy", "HTTPS_PROXY"},
		{"an interim answer", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "answered CONNECT with HTTP 100", "NO_PROXY"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			proxy := listen(t, func(conn net.Conn) {
				_, _ = http.ReadRequest(bufio.NewReader(conn)) // whatever it is
				_, _ = io.WriteString(conn, c.answer)          // the caller notices
			})
			at := &url.URL{Scheme: "http", Host: proxy, User: url.UserPassword("canary", "canary")}
			for _, address := range []string{"wss://slack.test/socket", "ws://slack.test/socket"} {
				_, err := Dial(t.Context(), dialerThrough(at), address)
				expectFault(t, err, proxy, c.says, c.advice)
			}
			client := NewHTTPClient(testenv.Patience, testenv.Patience)
			client.Transport.(*Transport).Proxy = http.ProxyURL(at)
			_, err := client.Get("https://slack.test/api/auth.test") //nolint:bodyclose // there is none
			expectFault(t, err, proxy, c.says, c.advice)
		})
	}
}

func expectFault(t *testing.T, err error, parts ...string) {
	t.Helper()
	fault := FaultOf(err)
	if err == nil || fault.Permanent() || fault.Unclear() {
		t.Fatalf("got %v: permanent %v, unclear %v", err, fault.Permanent(), fault.Unclear())
	}
	text := fault.Error() + " " + fault.Advice()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q does not say %q", text, part)
		}
	}
	if strings.Contains(text, "canary") {
		t.Errorf("%q holds what it must not", text)
	}
}

// TestSocketsGoThroughTheProxy: any kind of proxy, with the authorisation that the Web
// API's client would send.
func TestSocketsGoThroughTheProxy(t *testing.T) {
	t.Parallel()
	slack := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		_ = conn.WriteMessage(websocket.TextMessage, []byte("hello")) // the reader notices
		_ = conn.Close()
	}))
	t.Cleanup(slack.Close)
	for _, c := range []struct {
		name, scheme string
		user         *url.Userinfo
		want         string // Proxy-Authorization
	}{
		{"http", "http", nil, ""},
		{"https", "https", nil, ""},
		{"a token", "http", url.User("token"), "Basic dG9rZW46"},
		{"a token over https", "https", url.User("token"), "Basic dG9rZW46"},
		{"a password", "http", url.UserPassword("ann", "p@ss"), "Basic YW5uOnBAc3M="},
		{"a password alone", "http", url.UserPassword("", "p"), "Basic OnA="},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			seen := make(chan string, 1)
			proxy := httptest.NewUnstartedServer(forward(t, seen))
			if c.scheme == "https" {
				proxy.StartTLS()
			} else {
				proxy.Start()
			}
			t.Cleanup(proxy.Close)
			dialer := dialerThrough(&url.URL{Scheme: c.scheme, Host: proxy.Listener.Addr().String(), User: c.user})
			if c.scheme == "https" {
				dialer.TLSClientConfig = proxy.Client().Transport.(*http.Transport).TLSClientConfig
			}
			conn, err := Dial(t.Context(), dialer, "ws://"+slack.Listener.Addr().String()+"/socket")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if _, frame, err := conn.ReadMessage(); err != nil || string(frame) != "hello" {
				t.Errorf("read %q: %v", frame, err)
			}
			if got := <-seen; got != c.want {
				t.Errorf("Proxy-Authorization %q, want %q", got, c.want)
			}
		})
	}
}

// TestUnusableProxyIsNamed: invalid schemes and addresses are reported.
func TestUnusableProxyIsNamed(t *testing.T) {
	t.Parallel()
	_, err := Dial(t.Context(), dialerThrough(&url.URL{Scheme: "ftp", Host: "proxy.test:21"}), "wss://slack.test/")
	expectFault(t, err, "proxy.test:21", "only http, https, socks5 and socks5h")
	for _, scheme := range []string{"socks5", "socks5h"} {
		proxy := listen(t, func(conn net.Conn) { _, _ = io.WriteString(conn, "canary") }) // which is no SOCKS
		_, err = Dial(t.Context(), dialerThrough(&url.URL{Scheme: scheme, Host: proxy}), "wss://slack.test/")
		expectFault(t, err, proxy)
	}
	broken := &websocket.Dialer{Proxy: func(*http.Request) (*url.URL, error) { return nil, errors.New(`invalid proxy "canary"`) }}
	_, err = Dial(t.Context(), broken, "wss://slack.test/")
	expectFault(t, err, "HTTPS_PROXY is not the address of a proxy", "Check HTTPS_PROXY")
	client := NewHTTPClient(testenv.Patience, testenv.Patience)
	client.Transport.(*Transport).Proxy = broken.Proxy
	_, err = client.Get("https://slack.test/api/auth.test") //nolint:bodyclose // there is none
	expectFault(t, err, "HTTPS_PROXY is not the address of a proxy", "Check HTTPS_PROXY")
	panics := &websocket.Dialer{NetDialContext: func(context.Context, string, string) (net.Conn, error) { panic("canary") }}
	_, err = Dial(t.Context(), panics, "ws://slack.test/")
	if fault := FaultOf(err); err == nil || strings.Contains(fault.Error(), "canary") || !strings.Contains(fault.Error(), "panicked") {
		t.Errorf("got %v", err)
	}
}

// TestUnreachableProxyIsNamed: an unreachable proxy is not reported as Slack, by the sockets
// or by the Web API's client.
func TestUnreachableProxyIsNamed(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	away := closed.Addr().String()
	_ = closed.Close()
	hangsUp := listen(t, func(net.Conn) {})
	for _, at := range []*url.URL{
		{Scheme: "http", Host: away}, {Scheme: "https", Host: away}, {Scheme: "socks5", Host: away}, {Scheme: "https", Host: hangsUp},
		{Scheme: "http", Host: "proxy.invalid:3128", User: url.UserPassword("canary", "canary")},
	} {
		t.Run(at.Redacted(), func(t *testing.T) {
			t.Parallel()
			_, err := Dial(t.Context(), dialerThrough(at), "wss://slack.test/socket")
			expectFault(t, err, "no connection through the proxy "+at.Host, "HTTPS_PROXY")
			client := NewHTTPClient(testenv.Patience, testenv.Patience)
			client.Transport.(*Transport).Proxy = http.ProxyURL(at)
			for _, address := range []string{"https://slack.test/api/auth.test", "http://slack.test/api/auth.test"} {
				_, err = client.Get(address) //nolint:bodyclose // there is none
				expectFault(t, err, "no connection through the proxy "+at.Host, "HTTPS_PROXY")
			}
		})
	}
}

// TestCutConnectionIsNotTheProxys: what was sent through a proxy may have arrived.
func TestCutConnectionIsNotTheProxys(t *testing.T) {
	t.Parallel()
	proxy := listen(t, func(conn net.Conn) { _, _ = http.ReadRequest(bufio.NewReader(conn)) }) // plain HTTP needs no CONNECT
	client := NewHTTPClient(testenv.Patience, testenv.Patience)
	client.Transport.(*Transport).Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: proxy})
	_, err := client.Post("http://slack.test/api/chat.postMessage", "application/json", strings.NewReader("{}")) //nolint:bodyclose // there is none
	if fault := FaultOf(err); err == nil || !fault.Unclear() {
		t.Errorf("%v counts as not sent", err)
	}
}

// TestSilentProxyTimesOut: after the handshake's timeout.
func TestSilentProxyTimesOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dialer := dialerThrough(&url.URL{Scheme: "http", Host: "proxy.test"})
		dialer.HandshakeTimeout = HandshakeTimeout
		here, there := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, there) }()
		dialer.NetDialContext = func(context.Context, string, string) (net.Conn, error) { return here, nil }
		began := time.Now()
		_, err := Dial(t.Context(), dialer, "wss://slack.test/")
		expectFault(t, err, "proxy.test")
		if took := time.Since(began); took != HandshakeTimeout {
			t.Errorf("given up after %v", took)
		}
	})
}

func dialerThrough(proxy *url.URL) *websocket.Dialer {
	d := NewDialer(testenv.Patience)
	d.Proxy = http.ProxyURL(proxy)
	return d
}

// listen serves connections, each once, and returns its address.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serve(conn)
			_ = conn.Close()
		}
	}()
	return l.Addr().String()
}

// forward is a proxy.
func forward(t *testing.T, seen chan<- string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header.Get("Proxy-Authorization")
		there, err := net.Dial("tcp", r.Host)
		if err != nil || r.Method != http.MethodConnect {
			t.Errorf("%s %s: %v", r.Method, r.Host, err)
			return
		}
		here, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = fmt.Fprint(here, "HTTP/1.1 200\r\n\r\n") // the caller notices
		go func() { _, _ = io.Copy(there, here); _ = there.Close() }()
		_, _ = io.Copy(here, there) // until Slack has said all
		_ = here.Close()
	}
}
