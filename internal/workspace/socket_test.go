package workspace

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func TestHelloAndSingleUseURL(t *testing.T) {
	t.Parallel()
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
	if status := refusedDial(t, url); status != http.StatusForbidden {
		t.Errorf("a used URL: HTTP %d", status)
	}
}

func TestTicketExpires(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	k := newSockets(func() time.Time { return time.UnixMilli(now.Load()) }).tickets
	late, good := k.issue(struct{}{}), k.issue(struct{}{})
	now.Store(ticketLife.Milliseconds())
	_, first := k.use(good)
	if _, second := k.use(good); first != nil || second == nil {
		t.Error("a ticket is good once within its life")
	}
	now.Add(1)
	if _, err := k.use(late); err == nil {
		t.Error("an expired ticket was good")
	}
}

func TestElevenConnections(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
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
			t.Parallel()
			inBubble(t, func(t *testing.T, s *Server, m *memory) {
				app := m.connected(t, s)
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
		})
	}
}

func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *Server, m *memory) {
		if err := <-command(s); !errors.Is(err, ErrDispatchFailed) {
			t.Errorf("without a connection: %v", err)
		}
		app := m.connected(t, s)
		result := command(s)
		app.next(t)
		if err := <-result; !errors.Is(err, ErrOperationTimeout) {
			t.Errorf("without an ack: %v", err)
		}
		want := `USLACKBOT: /x failed with the error "dispatch_failed"` + "\n" + `USLACKBOT: /x failed with the error "operation_timeout"`
		if got := strings.Join(shown(s, "U0SUPPORT"), "\n"); got != want {
			t.Errorf("shown %q", got)
		}
	})
}
