package workspace

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// within bounds what a test waits for; only what hangs takes longer.
const within = 2 * time.Minute

// fast are waits that a test does not mind. Where none of the app's answers may
// be late they are as long as a busy machine needs.
var fast = timing{
	ack: within, ping: 50 * time.Millisecond,
	redeliver: []time.Duration{0, time.Millisecond, time.Millisecond}, refresh: 20 * time.Millisecond,
	silence: time.Hour, life: time.Hour, debugLife: time.Hour,
}

// startFast starts a workspace that ends with the test.
func startFast(t *testing.T, cfg Config) *Server {
	t.Helper()
	cfg.Addr = "127.0.0.1:0"
	s, err := start(cfg, fast)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// post calls a Web API method with a token and JSON arguments.
func post(t *testing.T, s *Server, token, method string, args any) map[string]any {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.APIURL()+method, strings.NewReader(string(encode(args))))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var answer map[string]any
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		t.Fatalf("%s: HTTP %d: %v", method, res.StatusCode, err)
	}
	return answer
}

// raw sends a request as it is. Empty headers are left out; Host is set apart.
func raw(t *testing.T, method, url, body string, headers map[string]string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range headers {
		switch {
		case name == "Host":
			req.Host = value
		case value != "" && value != "Bearer":
			req.Header.Set(name, value)
		}
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(answer)
}

// clock is a clock that a test turns.
type clock struct{ nanos atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.nanos.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time { return time.Unix(0, c.nanos.Load()) }

func (c *clock) turn(d time.Duration) { c.nanos.Add(int64(d)) }

// frame is what comes over a socket.
type frame struct {
	Type           string `json:"type"`
	Reason         string `json:"reason"`
	NumConnections int    `json:"num_connections"`
	EnvelopeID     string `json:"envelope_id"`
	RetryAttempt   int    `json:"retry_attempt"`
	RetryReason    string `json:"retry_reason"`
	Payload        struct {
		EventID string          `json:"event_id"`
		Event   json.RawMessage `json:"event"`
	} `json:"payload"`
	raw []byte
}

// client is a Socket Mode client that a test holds in its hands.
type client struct {
	*websocket.Conn
	frames chan frame
	pinged chan struct{}
}

func connectionURL(t *testing.T, s *Server) string {
	t.Helper()
	answer := post(t, s, s.AppToken(), "apps.connections.open", object{})
	url, ok := answer["url"].(string)
	if !ok {
		t.Fatalf("apps.connections.open: %v", answer)
	}
	return url
}

func connect(t *testing.T, s *Server) *client {
	t.Helper()
	ws, res, err := websocket.DefaultDialer.DialContext(t.Context(), connectionURL(t, s), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	t.Cleanup(func() { _ = ws.Close() })
	return newClient(ws)
}

// connected is connect past the hello.
func connected(t *testing.T, s *Server) *client {
	t.Helper()
	return connect(t, s).greeted(t)
}

// connected is likewise, within a bubble.
func (m *memory) connected(t *testing.T, s *Server) *client {
	t.Helper()
	return newClient(m.socket(t, s)).greeted(t)
}

// socket opens a connection within a bubble.
func (m *memory) socket(t *testing.T, s *Server) *websocket.Conn {
	t.Helper()
	_, url, err := goAPI(s, over(m)).StartSocketModeContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dialer := websocket.Dialer{NetDialContext: m.dial}
	ws, res, err := dialer.DialContext(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	t.Cleanup(func() { _ = ws.Close() })
	return ws
}

// newClient listens on a connection.
func newClient(ws *websocket.Conn) *client {
	c := &client{Conn: ws, frames: make(chan frame, 100), pinged: make(chan struct{}, 100)}
	pong := ws.PingHandler()
	ws.SetPingHandler(func(data string) error {
		select {
		case c.pinged <- struct{}{}:
		default:
		}
		return pong(data)
	})
	go func() {
		defer close(c.frames)
		for {
			var f frame
			_, raw, err := ws.ReadMessage()
			if err != nil {
				return
			}
			f.raw = raw
			if json.Unmarshal(raw, &f) != nil {
				return
			}
			c.frames <- f
		}
	}()
	return c
}

// greeted is the client past the hello.
func (c *client) greeted(t *testing.T) *client {
	t.Helper()
	if f := c.next(t); f.Type != "hello" {
		t.Fatalf("first frame %s", f.raw)
	}
	return c
}

// next is the next frame; its zero value means that the connection has ended.
func (c *client) next(t *testing.T) frame {
	t.Helper()
	select {
	case f := <-c.frames:
		return f
	case <-time.After(within):
		t.Fatal("no frame")
		return frame{}
	}
}

// nothingYet fails the test if a frame is there already.
func (c *client) nothingYet(t *testing.T) {
	t.Helper()
	select {
	case f, open := <-c.frames:
		if open {
			t.Errorf("unexpected frame %s", f.raw)
		}
	default:
	}
}

func (c *client) ack(t *testing.T, f frame, payload any) {
	t.Helper()
	answer := object{"envelope_id": f.EnvelopeID}
	if payload != nil {
		answer["payload"] = payload
	}
	if err := c.WriteMessage(websocket.TextMessage, encode(answer)); err != nil {
		t.Fatal(err)
	}
}

// command has Sam type /x and returns what comes of it.
func command(s *Server) <-chan error {
	result := make(chan error, 1)
	go func() {
		_, err := s.Command("U0SUPPORT", "C0SUPPORT", "/x", "y")
		result <- err
	}()
	return result
}

// shown lists the texts that a user sees in C0SUPPORT.
func shown(s *Server, user string) []string {
	list, _ := s.Messages("C0SUPPORT", user)
	texts := []string{}
	for _, m := range list {
		texts = append(texts, m.User+": "+m.Text)
	}
	return texts
}

// refusedDial dials a URL that does not let anybody in and returns the status.
func refusedDial(t *testing.T, url string) int {
	t.Helper()
	ws, res, err := websocket.DefaultDialer.DialContext(t.Context(), url, nil)
	if err == nil {
		_ = ws.Close()
		t.Fatal("the connection was let in")
	}
	defer func() { _ = res.Body.Close() }()
	return res.StatusCode
}
