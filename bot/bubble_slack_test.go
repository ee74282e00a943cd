package bot

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// line is one connection from Slack's side.
type line struct {
	*websocket.Conn
	acks   chan string
	code   int // of the bot's close frame, to be read after gone is closed
	gone   chan struct{}
	silent atomic.Bool // Slack sends no more PINGs
}

func (s *bubble) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/auth.test", func(w http.ResponseWriter, _ *http.Request) {
		refusal, _ := s.refusal.Load().(string)                                                             // "" = none
		_, _ = fmt.Fprintf(w, `{"ok":%v,"team_id":"T1","user_id":"U9","error":%q}`, refusal == "", refusal) // the caller notices
	})
	mux.HandleFunc("/api/apps.connections.open", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		s.opened = append(s.opened, time.Now())
		n := len(s.opened)
		s.mu.Unlock()
		status, retryAfter, body := s.opening(n)
		if body == "" {
			body = fmt.Sprintf(`{"ok":true,"url":"ws://slack.test/socket/%d"}`, n)
		}
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
	mux.HandleFunc("/socket/{n}", s.serve)
	mux.HandleFunc("/refused", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", s.pause)
		w.WriteHeader(http.StatusTooManyRequests)
	})
	mux.HandleFunc("/api/chat.postEphemeral", func(w http.ResponseWriter, r *http.Request) {
		if s.posting(w, true) {
			return
		}
		s.answers <- "as the bot: " + r.FormValue("text")
		_, _ = io.WriteString(w, `{"ok":true}`) // the caller notices
	})
	mux.HandleFunc("/api/views.publish", s.publish)
	mux.HandleFunc("/response", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			s.t.Error(err)
		}
		if s.hangs.Load() {
			<-r.Context().Done()
			return
		}
		if s.posting(w, false) {
			return
		}
		s.answers <- string(body)
	})
	return mux
}

// serve is one connection: a hello, a PING every ten seconds, acks.
func (s *bubble) serve(w http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		s.t.Error(err)
		return
	}
	l := &line{Conn: conn, acks: make(chan string, 1000), gone: make(chan struct{})}
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil {
		s.t.Error(err)
	}
	go s.speak(l, n)
	defer close(l.gone)
	for {
		var ack struct {
			EnvelopeID string `json:"envelope_id"`
		}
		if err := conn.ReadJSON(&ack); err != nil {
			if closed, ok := err.(*websocket.CloseError); ok { //nolint:errorlint // the library does not wrap it
				l.code = closed.Code
			}
			return
		}
		l.acks <- ack.EnvelopeID
	}
}

// speak sends a hello, then PINGs.
func (s *bubble) speak(l *line, n int) {
	if s.hello {
		l.send(s.t, fmt.Sprintf(`{"type":"hello","num_connections":%d}`, s.counted(n)))
	}
	s.lines <- l
	for {
		select {
		case <-time.After(10 * time.Second):
		case <-l.gone:
			return
		}
		if !l.silent.Load() {
			_ = l.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second)) // the reader notices
		}
	}
}

func (l *line) send(t *testing.T, frame string) {
	t.Helper()
	if err := l.WriteMessage(websocket.TextMessage, []byte(frame)); err != nil {
		t.Errorf("Slack could not send %.100s: %v", frame, err)
	}
}

// types sends a command over the connection.
func (l *line) types(t *testing.T, envelope, text string) {
	t.Helper()
	l.typesFrom(t, envelope, text, "http://slack.test/response")
}

func (l *line) typesFrom(t *testing.T, envelope, text, responseURL string) {
	t.Helper()
	raw, err := json.Marshal(map[string]any{"type": "slash_commands", "envelope_id": envelope, "payload": map[string]string{
		"user_id": "U1", "channel_id": "C1", "command": "/session", "text": text, "response_url": responseURL}})
	if err != nil {
		t.Fatal(err)
	}
	l.send(t, string(raw))
}

func (l *line) isUp() bool {
	select {
	case <-l.gone:
		return false
	default:
		return true
	}
}

// proxyAddr is where the bubble's proxy is.
const proxyAddr = "proxy.test:3128"

// Accept, Close and Addr make it a listener.
func (s *bubble) Accept() (net.Conn, error) {
	select {
	case conn := <-s.waiting:
		return conn, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

func (s *bubble) Close() error {
	close(s.closed)
	return nil
}

func (s *bubble) Addr() net.Addr { return &net.IPAddr{} }

func (s *bubble) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	s.mu.Lock()
	s.dialled = append(s.dialled, addr)
	s.mu.Unlock()
	if addr == proxyAddr {
		here, there := net.Pipe()
		go func() {
			if _, err := http.ReadRequest(bufio.NewReader(there)); err != nil {
				s.t.Error(err)
			}
			s.proxy(there)
		}()
		return here, nil
	}
	if addr != "slack.test:80" {
		return nil, errors.New("no such host in this bubble")
	}
	here, there := net.Pipe()
	select {
	case s.waiting <- there:
		return here, nil
	case <-s.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
