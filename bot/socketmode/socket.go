package socketmode

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack/socketmode"

	"github.com/superduperai/sessionbot/bot/slackapi"
	"github.com/superduperai/sessionbot/bot/wire"
	"github.com/superduperai/sessionbot/internal/panics"
)

const (
	maxFrame      = 1 << 20                // bytes
	lingerTimeout = 30 * time.Second       // with a connection that is being replaced
	ackGrace      = 100 * time.Millisecond // for acks and envelopes in flight
)

// Why a connection ended, apart from what the network and Slack say.
const (
	errIdle     = slackapi.Reason("nothing arrived, not even a PING: the connection was half open")
	errTooLarge = slackapi.Reason("a frame was larger than Slack's ever are")
	errNotAcked = slackapi.Reason("an ack could not be written")
	errReplace  = slackapi.Reason("Slack asked to replace it")
	errClose    = slackapi.Reason("Slack asked to close it")
)

// Socket is one connection to Slack. Its reader owns it.
type Socket struct {
	c     *Connections
	conn  *websocket.Conn
	since time.Time // of Slack's hello; zero = none yet
	app   string    // id of the app whose connection it is; "" = not said

	over   context.Context // cancelled, with the reason, when it has ended or the next one is to be opened
	finish context.CancelCauseFunc
	ended  chan struct{} // closed when the last frame has been handled
}

func newSocket(c *Connections, conn *websocket.Conn) *Socket {
	s := &Socket{c: c, conn: conn, ended: make(chan struct{})}
	s.over, s.finish = context.WithCancelCause(context.Background())
	conn.SetReadLimit(maxFrame)
	conn.SetPingHandler(s.pong)
	return s
}

// run reads the connection until it ends, or returns errReplace as soon as Slack
// announces its end; reading goes on meanwhile. When ctx ends, frames that were
// received are still handled.
func (s *Socket) run(ctx context.Context) error {
	s.c.reading.Go(func() {
		defer context.AfterFunc(ctx, s.hangUp)()
		err := s.read()
		_ = s.conn.Close() // it has ended either way
		if !s.since.IsZero() {
			s.c.closed()
		}
		close(s.ended)
		s.finish(closeReasonOf(err))
	})
	select {
	case <-s.over.Done():
		return context.Cause(s.over)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// age is the time since Slack's hello, 0 = there was none. Call it after run.
func (s *Socket) age() time.Duration {
	if s.since.IsZero() {
		return 0
	}
	return s.c.Now().Sub(s.since)
}

// read handles frames until the connection ends, and returns why it did.
func (s *Socket) read() error {
	_ = s.conn.SetReadDeadline(time.Now().Add(s.c.Deadlines.Hello)) // the next read fails where this does
	for {
		_, frame, err := s.conn.ReadMessage()
		if err != nil {
			return err
		}
		s.extendDeadline()
		if err := s.handleFrame(frame); err != nil {
			return err
		}
	}
}

func closeReasonOf(err error) error {
	var closed *websocket.CloseError
	var late interface{ Timeout() bool }
	switch {
	case errors.As(err, &closed):
		return slackapi.Reason(fmt.Sprintf("closed by Slack (code %d)", closed.Code))
	case errors.As(err, &late) && late.Timeout():
		return errIdle
	case errors.Is(err, websocket.ErrReadLimit):
		return errTooLarge
	}
	return err
}

// extendDeadline is called for every frame, PINGs included.
func (s *Socket) extendDeadline() {
	if !s.since.IsZero() {
		_ = s.conn.SetReadDeadline(time.Now().Add(s.c.Deadlines.Silence)) // the next read fails where this does
	}
}

func (s *Socket) pong(data string) error {
	s.extendDeadline()
	err := s.conn.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(s.c.Deadlines.Write))
	if errors.Is(err, websocket.ErrCloseSent) {
		return nil
	}
	return err
}

// handleFrame handles a frame. An error ends the connection; a panic is logged.
func (s *Socket) handleFrame(frame []byte) error {
	err := panics.Catch(func() error {
		e, _ := wire.Decode[Envelope](frame) // empty where it cannot be read
		switch e.Kind {
		case string(socketmode.RequestTypeHello):
			s.handleHello(e)
			return nil
		case string(socketmode.RequestTypeDisconnect):
			return s.handleDisconnect(e.Reason)
		}
		return s.c.Handle(s, frame, e)
	})
	if panicked, ok := errors.AsType[*panics.Error](err); ok {
		s.c.Log.Error("frame handler panicked", "bytes", len(frame), "panic", panicked.Message, "stack", panicked.Stack)
		return nil
	}
	return err
}

// handleHello handles the first hello; any other is ignored.
func (s *Socket) handleHello(hello Envelope) {
	if s.over.Err() != nil || !s.since.IsZero() {
		return
	}
	s.since, s.app = s.c.Now(), hello.Info.Value.AppID
	s.extendDeadline()
	s.c.opened(hello.Connections.Value)
}

// handleDisconnect handles the announcement that the connection ends: at once, or
// in some seconds, as when Slack moves it to another server.
func (s *Socket) handleDisconnect(reason string) error {
	switch reason {
	case "link_disabled", "too_many_websockets":
		return slackapi.NewFault(reason, errClose)
	}
	if s.over.Err() == nil {
		s.finish(errReplace)
		time.AfterFunc(lingerTimeout, s.hangUp)
	}
	return nil
}

// Ack acknowledges an envelope before any work is done for it, empty unless the payload
// is not nil. If that fails the connection is dead, but the request is answered all the
// same.
func (s *Socket) Ack(ref, envelopeID string, payload any) error {
	if envelopeID == "" {
		return nil
	}
	started := time.Now()
	err := s.conn.SetWriteDeadline(started.Add(s.c.Deadlines.Write))
	if err == nil {
		err = s.conn.WriteJSON(socketmode.Response{EnvelopeID: envelopeID, Payload: payload})
	}
	if err != nil {
		s.c.Log.Error("envelope not acknowledged", "ref", ref, "error", err)
		if errors.Is(err, websocket.ErrCloseSent) {
			return nil // it is being closed; the rest is still read
		}
		return errNotAcked
	}
	s.c.Metrics.Acked(time.Since(started))
	return nil
}

// hangUp closes the connection gracefully: frames that arrive before Slack answers
// the close frame are handled.
func (s *Socket) hangUp() {
	if closedWithin(s.ended, ackGrace) {
		return
	}
	goodbye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	_ = s.conn.WriteControl(websocket.CloseMessage, goodbye, time.Now().Add(ackGrace)) // closed below
	closedWithin(s.ended, ackGrace)
	_ = s.conn.Close() // it has ended either way
}

// OfAnotherApp reports whether a payload names another app than Slack's hello did.
func (s *Socket) OfAnotherApp(ref, app string) bool {
	if app == "" || s.app == "" || app == s.app {
		return false
	}
	s.c.Log.Warn("payload of another app", "ref", ref)
	return true
}

func closedWithin(ch <-chan struct{}, atMost time.Duration) bool {
	select {
	case <-ch:
		return true
	case <-time.After(atMost):
		return false
	}
}
