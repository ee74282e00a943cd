package bot

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/gorilla/websocket"
)

const (
	maxFrame = 1 << 20          // bytes
	helloFor = 10 * time.Second // from the handshake to Slack's greeting

	// Slack sends a PING every ten seconds or so. A connection that has been
	// silent for longer is taken for dead: nothing else would tell.
	silentFor = 25 * time.Second

	writeFor  = time.Second      // an ack or a PONG; what takes longer is dead
	lingerFor = 30 * time.Second // with a connection that is being replaced
)

// Why a connection ended, beside what the network and Slack say.
const (
	errSilent   = ending("nothing came, not even a PING: the connection was half open")
	errTooLarge = ending("a frame was larger than Slack's ever are")
	errNotTaken = ending("an ack could not be written")
	errReplace  = ending("to be replaced, says Slack")
	errDismiss  = ending("to be closed, says Slack")
)

// ending says why a connection ended, in words of our own.
type ending string

func (e ending) Error() string { return string(e) }

// socket is one connection to Slack. Its reader owns it.
type socket struct {
	bot   *Bot
	conn  *websocket.Conn
	since time.Time // of Slack's greeting; zero = not greeted yet
	app   string    // whose connection it is, says the greeting; "" = it does not

	over  chan struct{} // closed when it has ended or the next one is to be opened
	why   error         // to be read after over is closed
	ended chan struct{} // closed when the last frame has been taken
}

func newSocket(b *Bot, conn *websocket.Conn) *socket {
	s := &socket{bot: b, conn: conn, over: make(chan struct{}), ended: make(chan struct{})}
	conn.SetReadLimit(maxFrame)
	conn.SetPingHandler(s.pong)
	return s
}

// use reads the connection, and returns why it is over: it has ended, or Slack
// has announced that it will. In the latter case it is read on until it does.
// When ctx ends, what is under way is still taken.
func (s *socket) use(ctx context.Context) error {
	s.bot.reading.Go(func() { s.read(ctx) })
	select {
	case <-s.over:
		return s.why
	case <-ctx.Done():
		return ctx.Err()
	}
}

// age is how long Slack has been listened to on it, 0 = never. It may be asked
// for once over is closed.
func (s *socket) age() time.Duration {
	if s.since.IsZero() {
		return 0
	}
	return s.bot.now().Sub(s.since)
}

func (s *socket) read(ctx context.Context) {
	defer context.AfterFunc(ctx, s.hangUp)()
	err := s.frames()
	s.down()
	s.finish(endOf(err))
}

// frames takes what comes until the connection ends, and returns why it did.
func (s *socket) frames() error {
	s.patience(s.bot.patience.times(helloFor))
	for {
		_, frame, err := s.conn.ReadMessage()
		if err != nil {
			return err
		}
		s.alive()
		if err := s.take(frame); err != nil {
			return err
		}
	}
}

// endOf says why reading ended in words of our own: Slack's may hold anything.
func endOf(err error) error {
	var closed *websocket.CloseError
	var late interface{ Timeout() bool }
	switch {
	case errors.As(err, &closed):
		return ending(fmt.Sprintf("closed by Slack (code %d)", closed.Code))
	case errors.As(err, &late) && late.Timeout():
		return errSilent
	case errors.Is(err, websocket.ErrReadLimit):
		return errTooLarge
	}
	return err
}

// alive is called for all that comes, PINGs included.
func (s *socket) alive() {
	if !s.since.IsZero() {
		s.patience(s.bot.patience.times(silentFor))
	}
}

// patience is how long the connection may be silent. A connection that cannot
// be told is closed, which the next read notices.
func (s *socket) patience(d time.Duration) {
	_ = s.conn.SetReadDeadline(time.Now().Add(d))
}

func (s *socket) pong(data string) error {
	s.alive()
	err := s.conn.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(s.bot.patience.times(writeFor)))
	if errors.Is(err, websocket.ErrCloseSent) {
		return nil
	}
	return err
}

// take handles a frame. Nothing here waits for Redis, Stripe or a person. An
// error ends the connection; no frame ends the process.
func (s *socket) take(frame []byte) (err error) {
	defer func() {
		if value := recover(); value != nil {
			s.bot.log.Error("a frame made the program panic", "bytes", len(frame), "panic", panicOf(value), "stack", string(debug.Stack()))
		}
	}()
	e, err := readEnvelope(frame)
	if err != nil {
		return s.refuse(frame)
	}
	switch e.kind {
	case kindHello:
		s.greet(e)
		return nil
	case kindDisconnect:
		return s.disconnect(e.reason)
	case kindCommand, kindInteraction, kindEvent:
		return s.hear(frame, e)
	}
	return s.refuse(frame)
}

// greet takes Slack's hello, which counts the connections of the app. One that
// comes twice, or after the goodbye, says nothing.
func (s *socket) greet(hello envelope) {
	if s.isOver() || !s.since.IsZero() {
		return
	}
	s.since, s.app = s.bot.now(), hello.app
	s.alive()
	s.bot.up(hello.connections)
}

// disconnect takes Slack's word that the connection is to end: at once, or, as
// when Slack moves it to another server, in some seconds.
func (s *socket) disconnect(reason string) error {
	switch reason {
	case "link_disabled", "too_many_websockets":
		return &Fault{Code: reason, err: errDismiss}
	}
	if s.finish(errReplace) {
		time.AfterFunc(lingerFor, s.hangUp)
	}
	return nil
}

// finish says that the connection is over, and why. It reports whether that is
// news.
func (s *socket) finish(why error) bool {
	if s.isOver() {
		return false
	}
	s.why = why
	close(s.over)
	return true
}

func (s *socket) isOver() bool {
	select {
	case <-s.over:
		return true
	default:
		return false
	}
}

func (s *socket) down() {
	_ = s.conn.Close() // it has ended either way
	if !s.since.IsZero() {
		s.bot.down()
	}
	close(s.ended)
}

// hangUp ends the connection in good order: what is under way is taken, then
// Slack is told, and what it had sent by then is taken, too.
func (s *socket) hangUp() {
	if s.endsWithin(ackFor) {
		return
	}
	bye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	_ = s.conn.WriteControl(websocket.CloseMessage, bye, time.Now().Add(ackFor)) // closed below
	s.endsWithin(ackFor)
	_ = s.conn.Close() // it has ended either way
}

func (s *socket) endsWithin(atMost time.Duration) bool {
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-s.ended:
		return true
	case <-timer.C:
		return false
	}
}
