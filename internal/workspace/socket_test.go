package workspace

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// fast are waits that a test does not mind.
var fast = timing{
	ack: 300 * time.Millisecond, ping: 50 * time.Millisecond,
	redeliver: []time.Duration{0, time.Millisecond, time.Millisecond}, refresh: 20 * time.Millisecond,
}

// within bounds what a test waits for.
const within = 10 * time.Second

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
	t.Cleanup(func() { _ = ws.Close() })
	return c
}

// connected is connect past the hello.
func connected(t *testing.T, s *Server) *client {
	t.Helper()
	c := connect(t, s)
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

func TestHelloAndSingleUseURL(t *testing.T) {
	s := startFast(t, Config{})
	first := connect(t, s)
	if f := first.next(t); f.Type != "hello" || f.NumConnections != 1 || !strings.Contains(string(f.raw), `"app_id":"A0APP"`) {
		t.Errorf("hello %s", f.raw)
	}
	url := connectionURL(t, s)
	ws, res, err := websocket.DefaultDialer.DialContext(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	defer func() { _ = ws.Close() }()
	var hello frame
	if err := ws.ReadJSON(&hello); err != nil || hello.NumConnections != 2 {
		t.Errorf("second hello %+v, %v", hello, err)
	}
	if _, res, err = websocket.DefaultDialer.DialContext(t.Context(), url, nil); err == nil || res.StatusCode != http.StatusForbidden {
		t.Errorf("a used URL was good again: %v", err)
	}
}

func TestTicketExpires(t *testing.T) {
	var now atomic.Int64
	k := newSockets(func() time.Time { return time.UnixMilli(now.Load()) })
	late, good := k.ticket(), k.ticket()
	now.Store(ticketLife.Milliseconds())
	if !k.redeem(good) || k.redeem(good) {
		t.Error("a ticket is good once within its life")
	}
	now.Add(1)
	if k.redeem(late) {
		t.Error("an expired ticket was good")
	}
}

func TestElevenConnections(t *testing.T) {
	s := startFast(t, Config{})
	for range maxSockets {
		connected(t, s)
	}
	c := connect(t, s)
	if f := c.next(t); f.Type != "disconnect" || f.Reason != "too_many_websockets" {
		t.Errorf("the eleventh got %s", f.raw)
	}
	if f := c.next(t); f.Type != "" {
		t.Errorf("the eleventh got more: %s", f.raw)
	}
}

func TestPing(t *testing.T) {
	c := connected(t, startFast(t, Config{}))
	for range 3 {
		select {
		case <-c.pinged:
		case <-time.After(within):
			t.Fatal("no PING")
		}
	}
}

func TestEachEnvelopeGoesToOneConnection(t *testing.T) {
	s := startFast(t, Config{})
	clients := []*client{connected(t, s), connected(t, s), connected(t, s)}
	got := [3]int{}
	for range 60 {
		result := command(s)
		var f frame
		select {
		case f = <-clients[0].frames:
			got[0]++
			clients[0].ack(t, f, nil)
		case f = <-clients[1].frames:
			got[1]++
			clients[1].ack(t, f, nil)
		case f = <-clients[2].frames:
			got[2]++
			clients[2].ack(t, f, nil)
		}
		if err := <-result; err != nil {
			t.Fatalf("%s: %v", f.raw, err)
		}
	}
	for i, n := range got {
		clients[i].nothingYet(t)
		if n == 0 {
			t.Errorf("of 60 envelopes, none went to connection %d: %v", i, got)
		}
	}
}

func TestAck(t *testing.T) {
	envelopeRoom := len(`{"envelope_id":"","payload":{"text":""}}`) + len(uuid())
	for _, c := range []struct {
		name    string
		payload any
		err     error
		shown   []string
	}{
		{"empty", nil, nil, []string{}},
		{"empty object", object{}, nil, []string{}},
		{"text", object{"text": "hi"}, nil, []string{"U0BOT: hi"}},
		{"string", "hi", nil, []string{"U0BOT: hi"}},
		{"just short enough", object{"text": strings.Repeat("x", 100), "pad": strings.Repeat("x", maxAck-1-envelopeRoom-100-len(`,"pad":""`))}, nil,
			[]string{"U0BOT: " + strings.Repeat("x", 100)}},
		{"too long", object{"text": strings.Repeat("x", 100), "pad": strings.Repeat("x", maxAck-envelopeRoom-100-len(`,"pad":""`))}, ErrOperationTimeout,
			[]string{`USLACKBOT: /x failed with the error "operation_timeout"`}},
		{"bad blocks", object{"blocks": []object{{"type": "nonsense"}}}, fail("invalid_blocks"),
			[]string{`USLACKBOT: /x failed because the app sent an invalid response`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startFast(t, Config{})
			app := connected(t, s)
			result := command(s)
			app.ack(t, app.next(t), c.payload)
			err := <-result
			if (err == nil) != (c.err == nil) || (err != nil && err.Error() != c.err.Error()) {
				t.Errorf("error %v, want %v", err, c.err)
			}
			if got := shown(s, "U0SUPPORT"); strings.Join(got, "\n") != strings.Join(c.shown, "\n") {
				t.Errorf("shown %q, want %q", got, c.shown)
			}
			if got := shown(s, "U0LEAD"); len(got) > 0 {
				t.Errorf("others see %q", got)
			}
		})
	}
}

func TestNobodyAnswers(t *testing.T) {
	s := startFast(t, Config{})
	if err := <-command(s); !errors.Is(err, ErrDispatchFailed) {
		t.Errorf("without a connection: %v", err)
	}
	app := connected(t, s)
	result := command(s)
	app.next(t)
	if err := <-result; !errors.Is(err, ErrOperationTimeout) {
		t.Errorf("without an ack: %v", err)
	}
	want := `USLACKBOT: /x failed with the error "dispatch_failed"` + "\n" + `USLACKBOT: /x failed with the error "operation_timeout"`
	if got := strings.Join(shown(s, "U0SUPPORT"), "\n"); got != want {
		t.Errorf("shown %q", got)
	}
}

func TestDisconnectWarning(t *testing.T) {
	s := startFast(t, Config{})
	app := connected(t, s)
	if err := s.Fault(Fault{Kind: DisconnectWarning}); err != nil {
		t.Fatal(err)
	}
	later := connected(t, s)
	for _, reason := range []string{"warning", "refresh_requested", ""} {
		if f := app.next(t); f.Reason != reason {
			t.Errorf("got %s, want reason %q", f.raw, reason)
		}
	}
	result := command(s)
	later.ack(t, later.next(t), nil)
	if err := <-result; err != nil {
		t.Errorf("over the connection opened after the warning: %v", err)
	}
}

func TestHalfOpen(t *testing.T) {
	s := startFast(t, Config{})
	app := connected(t, s)
	if err := s.Fault(Fault{Kind: HalfOpen}); err != nil {
		t.Fatal(err)
	}
	if err := <-command(s); !errors.Is(err, ErrOperationTimeout) {
		t.Errorf("half open: %v", err)
	}
	app.nothingYet(t)
	if err := s.Fault(Fault{Kind: Clear}); err != nil {
		t.Fatal(err)
	}
	result := command(s)
	app.ack(t, app.next(t), nil)
	if err := <-result; err != nil {
		t.Errorf("after clear: %v", err)
	}
}

func TestDropAndRefuse(t *testing.T) {
	s := startFast(t, Config{})
	app := connected(t, s)
	url := connectionURL(t, s)
	if err := s.Fault(Fault{Kind: DropConnections, Seconds: 60}); err != nil {
		t.Fatal(err)
	}
	if f := app.next(t); f.Type != "" {
		t.Errorf("a cut connection got %s", f.raw)
	}
	if answer := post(t, s, s.AppToken(), "apps.connections.open", object{}); answer["error"] != "internal_error" {
		t.Errorf("apps.connections.open: %v", answer)
	}
	if _, res, err := websocket.DefaultDialer.DialContext(t.Context(), url, nil); err == nil || res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a connection was let in: %v", err)
	}
	if err := s.Fault(Fault{Kind: Clear}); err != nil {
		t.Fatal(err)
	}
	connected(t, s)
}

func TestEventRedelivery(t *testing.T) {
	s := startFast(t, Config{})
	app := connected(t, s)
	if _, err := s.Write("U0SUPPORT", "C0RANDOM", "", "the bot is not here"); err != nil {
		t.Fatal(err)
	}
	ts, err := s.Write("U0SUPPORT", "C0SUPPORT", "", "is <@U0BOT> there?")
	if err != nil {
		t.Fatal(err)
	}
	attempts, ids, envelopes := map[string][]string{}, map[string]string{}, map[string]bool{}
	for range 8 {
		f := app.next(t)
		var event struct{ Type, Channel, TS, Text string }
		if err := json.Unmarshal(f.Payload.Event, &event); err != nil || event.Channel != "C0SUPPORT" || event.TS != ts {
			t.Fatalf("event %s: %v", f.raw, err)
		}
		attempts[event.Type] = append(attempts[event.Type], f.RetryReason+string(rune('0'+f.RetryAttempt)))
		if ids[event.Type] == "" {
			ids[event.Type] = f.Payload.EventID
		}
		if ids[event.Type] != f.Payload.EventID || envelopes[f.EnvelopeID] {
			t.Errorf("redelivery needs the same event under a new envelope: %s", f.raw)
		}
		envelopes[f.EnvelopeID] = true
	}
	for _, kind := range []string{"message", "app_mention"} {
		if got := strings.Join(attempts[kind], " "); got != "0 timeout1 timeout2 timeout3" {
			t.Errorf("%s was delivered as %q", kind, got)
		}
	}
}
