package health_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/superduperai/sessionbot/internal/health"
	"github.com/superduperai/sessionbot/internal/testenv"
)

// TestIdleConnectionsMakeRoom: of many connections that request nothing only a few
// are kept, and requests are answered.
func TestIdleConnectionsMakeRoom(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string]string{
		"nothing": "", "a byte": "G", "half a header": "GET /healthz HTTP/1.1\r\nHost:", "one request, and half of the next": wholeRequest + "GET",
		"another protocol": "PRI * HTTP/2.0\r\n\r\n", "a body that never comes": "POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); testMakesRoom(t, sent) })
	}
}

const wholeRequest = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"

// testMakesRoom opens more connections than are kept, each of which sends something.
func testMakesRoom(t *testing.T, sent string) {
	const most, more = 64, 40
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if err := health.Serve(t.Context(), listener, health.Handler(health.NewMetrics()), health.HandlerTimeout, slog.New(slog.DiscardHandler)); err != nil {
			t.Error(err)
		}
	}()
	var all []net.Conn
	for range most + more {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if err := conn.SetDeadline(time.Now().Add(testenv.Patience)); err != nil {
			t.Fatal(err)
		}
		all = append(all, conn)
		_, _ = io.WriteString(conn, sent) // it may have been closed already
	}
	last, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = last.Close() }()
	if err := last.SetDeadline(time.Now().Add(testenv.Patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(last, wholeRequest); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(last), nil)
	if err != nil || answer.Body.Close() != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("behind idle connections nobody is answered: %v", err)
	}
	if sent != "" { // whose turn it is depends on when it arrives
		return
	}
	for i, conn := range all[:more] {
		var late net.Error
		if _, err := conn.Read(make([]byte, 1)); err == nil || errors.As(err, &late) && late.Timeout() {
			t.Fatalf("connection %d of %d is still held, %v", i, len(all), err)
		}
	}
}

// TestUnreadAnswersMakeRoom: connections that take no answer keep nobody out.
func TestUnreadAnswersMakeRoom(t *testing.T) {
	t.Parallel()
	const most = 64
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stuck := make(chan struct{}, 2*most)
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			stuck <- struct{}{}
			<-r.Context().Done()
		}
	})
	go func() {
		if err := health.Serve(t.Context(), listener, handler, time.Hour, slog.New(slog.DiscardHandler)); err != nil {
			t.Error(err)
		}
	}()
	dial := func(request string) net.Conn {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() }) // it may be closed already
		if err := conn.SetDeadline(time.Now().Add(testenv.Patience)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	for range most {
		dial("POST / HTTP/1.1\r\nHost: x\r\n\r\n")
		<-stuck
	}
	for range most / 2 {
		answer, err := http.ReadResponse(bufio.NewReader(dial(wholeRequest)), nil)
		if err != nil || answer.Body.Close() != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("behind answers that nobody reads nobody is answered: %v", err)
		}
	}
}

// pipes is an in-memory listener: its deadlines use the bubble's clock.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// TestSlowConnectionsEnd: a connection that sends, reads or requests nothing is
// closed.
func TestSlowConnectionsEnd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, sent string
		reads      bool
		handler    http.Handler
	}{
		{"nothing is sent", "", true, nil},
		{"half a header", "GET /healthz HTTP/1.1\r\nHost:", true, nil},
		{"half a body", "POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx", true, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // until it is given up
		})},
		{"a body that never comes and nobody reads", "POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n", true, nil},
		{"a body that is waited for", "POST /healthz HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n", true, nil},
		{"chunks that do not end", "POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nxx", true, nil},
		{"pipelined, then nothing", strings.Repeat(wholeRequest, 20), true, nil},
		{"pipelined, the answers are not taken", strings.Repeat(wholeRequest, 20), false, nil},
		{"another protocol", "\x16\x03\x01\x02\x00\x01", true, nil},
		{"no further request", wholeRequest, true, nil},
		{"the answer is not taken", wholeRequest, false, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("x", 1<<20)) // until it is given up
		})},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				listener := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				handler := c.handler
				if handler == nil {
					handler = health.Handler(health.NewMetrics())
				}
				ended := make(chan error, 1)
				go func() {
					ended <- health.Serve(ctx, listener, handler, health.HandlerTimeout, slog.New(slog.DiscardHandler))
				}()
				ours, theirs := net.Pipe()
				gone := &noticed{Conn: theirs, closed: make(chan struct{})}
				listener.conns <- gone
				go func() {
					_, _ = io.WriteString(ours, c.sent) // cut where it is given up
					if c.reads {
						_, _ = io.Copy(io.Discard, ours) // likewise
					}
				}()
				select {
				case <-gone.closed:
				case <-time.After(5 * time.Minute):
					t.Error("it is held for ever")
				}
				_ = ours.Close() // given up already
				cancel()
				_ = listener.Close() // it never fails
				if err := <-ended; err != nil && !errors.Is(err, net.ErrClosed) {
					t.Error(err)
				}
			})
		})
	}
}

// noticed is a connection that reports when the server has closed it.
type noticed struct {
	net.Conn
	closed chan struct{}
	once   sync.Once
}

func (n *noticed) Close() error {
	n.once.Do(func() { close(n.closed) })
	return n.Conn.Close()
}

// TestServerErrorsAreLogged: through slog, like everything.
func TestServerErrorsAreLogged(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	logged := make(lines, 10)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- health.Serve(ctx, listener, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("at the disco") }),
			health.HandlerTimeout, slog.New(slog.NewJSONHandler(logged, nil)))
	}()
	if res, err := http.Get("http://" + listener.Addr().String()); err == nil {
		_ = res.Body.Close() // nothing is in it
		t.Error("a panic is answered")
	}
	if line := <-logged; !strings.HasPrefix(line, `{"time":`) || !strings.Contains(line, `"level":"WARN"`) {
		t.Errorf("logged %q", line)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// lines are those of a log.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}
