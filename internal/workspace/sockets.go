package workspace

import (
	"encoding/json"
	"errors"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

const (
	maxSockets   = 10
	ticketLife   = 30 * time.Second // of a connection URL
	maxAck       = 20_480           // acks of this many bytes and more are dropped
	maxFrame     = 1 << 20
	writeTimeout = 5 * time.Second
)

// Why an envelope was not answered. The texts are Slack's own.
var (
	ErrDispatchFailed   = errors.New("dispatch_failed")   // no connection to send it over
	ErrOperationTimeout = errors.New("operation_timeout") // no ack in time
)

// sockets are the app's Socket Mode connections and what was sent over them.
type sockets struct {
	tickets *tokens[struct{}] // in connection URLs
	changed broadcast         // of open

	mu      sync.Mutex
	open    []*socket
	pending map[string]chan json.RawMessage // envelope id → payload of its ack
}

// socket is one connection. Its writes are serialised.
type socket struct {
	ws       *websocket.Conn
	writing  sync.Mutex
	halfOpen atomic.Bool // nothing goes in or out any more
}

func newSockets(now func() time.Time) *sockets {
	return &sockets{
		tickets: newTokens[struct{}](now, ticketLife, 1), pending: map[string]chan json.RawMessage{},
	}
}

// add keeps a connection and returns how many there are; 0 means that there
// were too many already.
func (k *sockets) add(c *socket) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.open) >= maxSockets {
		return 0
	}
	k.open = append(k.open, c)
	k.changed.wake()
	return len(k.open)
}

func (k *sockets) drop(c *socket) {
	_ = c.ws.Close() // it is given up either way
	k.mu.Lock()
	defer k.mu.Unlock()
	k.open = slices.DeleteFunc(k.open, func(o *socket) bool { return o == c })
	k.changed.wake()
}

// count returns the number of connections, and what is closed when it changes.
func (k *sockets) count() (int, <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.open), k.changed.next()
}

// byAge returns the connections, oldest first.
func (k *sockets) byAge() []*socket {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.open)
}

// all returns the connections in random order.
func (k *sockets) all() []*socket {
	list := k.byAge()
	mathrand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

func (k *sockets) closeAll() {
	for _, c := range k.all() {
		k.drop(c)
	}
}

// expect prepares for the ack of an envelope. The channel never blocks a sender.
func (k *sockets) expect(envelopeID string) <-chan json.RawMessage {
	k.mu.Lock()
	defer k.mu.Unlock()
	acked := make(chan json.RawMessage, 1)
	k.pending[envelopeID] = acked
	return acked
}

func (k *sockets) forget(envelopeID string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.pending, envelopeID)
}

// acknowledge passes an ack's payload to the goroutine that waits for it, and
// reports whether there is one.
func (k *sockets) acknowledge(envelopeID string, payload json.RawMessage) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	acked, ok := k.pending[envelopeID]
	if ok {
		delete(k.pending, envelopeID)
		acked <- payload
	}
	return ok
}

// send writes a frame. A half-open connection swallows it.
func (c *socket) send(frame []byte) error {
	if c.halfOpen.Load() {
		return nil
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	if err := c.ws.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	return c.ws.WriteMessage(websocket.TextMessage, frame)
}

// control sends a PING, PONG or close. A half-open connection swallows it.
func (c *socket) control(messageType int, data string) error {
	if c.halfOpen.Load() {
		return nil
	}
	return c.ws.WriteControl(messageType, []byte(data), time.Now().Add(writeTimeout))
}

// sendClose closes the connection properly. Whether the other side gets it does
// not matter: the connection is dropped next.
func (c *socket) sendClose() {
	_ = c.control(websocket.CloseMessage, string(websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")))
}

// extend moves the deadline for reading. A half-open connection lives on whatever
// the other side does.
func (c *socket) extend(life time.Duration) error {
	if c.halfOpen.Load() {
		return c.ws.NetConn().SetReadDeadline(time.Time{})
	}
	return c.ws.NetConn().SetReadDeadline(time.Now().Add(life))
}

func (c *socket) setHalfOpen(halfOpen bool) error {
	c.halfOpen.Store(halfOpen)
	return c.extend(time.Minute)
}

var upgrader = websocket.Upgrader{
	// The single-use ticket is what admits; clients send Origins of all kinds.
	CheckOrigin: func(*http.Request) bool { return true },
}
