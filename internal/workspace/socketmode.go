package workspace

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// socketMode is the workspace's side of Socket Mode.
type socketMode struct {
	*background
	sockets *sockets
	log     *slog.Logger
	timing  timing
	faults  *faults
	frames  *frames
}

// timing holds the protocol's waits. Tests shorten them.
type timing struct {
	ack       time.Duration   // until an envelope counts as not acknowledged
	ping      time.Duration   // between two PINGs of a connection
	silence   time.Duration   // of an app, after which its connection counts as dead
	redeliver []time.Duration // before each redelivery of an event
	refresh   time.Duration   // from a disconnect warning to the disconnect
	life      time.Duration   // of a connection, until the disconnect
	debugLife time.Duration   // of one that was opened with debug_reconnects=true
}

var slackTiming = timing{
	ack:       3 * time.Second,
	ping:      10 * time.Second,
	silence:   40 * time.Second,
	redeliver: []time.Duration{0, time.Minute, 5 * time.Minute},
	refresh:   10 * time.Second,
	life:      18_060 * time.Second,
	debugLife: 360 * time.Second,
}

// serveSocket is one Socket Mode connection, from its hello to its end.
func (m *socketMode) serveSocket(w http.ResponseWriter, r *http.Request) {
	if m.faults.has(DropConnections, "") {
		http.Error(w, "connections are being refused", http.StatusServiceUnavailable)
		return
	}
	if _, err := m.sockets.tickets.use(r.PathValue("ticket")); err != nil {
		http.Error(w, "this connection URL has been used or has expired", http.StatusForbidden)
		return
	}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		m.log.Warn("socket handshake failed", "error", err)
		return
	}
	c := &socket{ws: ws}
	count := m.sockets.add(c)
	defer m.sockets.drop(c)
	if count == 0 {
		m.log.Warn("too many connections", "limit", maxSockets)
		m.sendDisconnect(c, "too_many_websockets")
		c.sendClose()
		return
	}
	if m.ctx.Err() != nil { // closed while this one was being opened
		return
	}
	life := m.timing.life
	if r.URL.Query().Get("debug_reconnects") == "true" {
		life = m.timing.debugLife
	}
	if err := m.write(c, hello(count, life)); err != nil {
		m.log.Warn("hello not sent", "error", err)
		return
	}
	ended := make(chan struct{})
	defer close(ended)
	go m.keepAlive(c, life, ended)
	m.read(c)
}

// read handles what the app sends until the connection ends.
func (m *socketMode) read(c *socket) {
	c.ws.SetReadLimit(maxFrame)
	alive := func() error { return c.extend(m.timing.silence) }
	c.ws.SetPongHandler(func(string) error { return alive() })
	c.ws.SetPingHandler(func(data string) error {
		if err := c.control(websocket.PongMessage, data); err != nil {
			return err
		}
		return alive()
	})
	for {
		if err := alive(); err != nil {
			return
		}
		_, frame, err := c.ws.ReadMessage()
		if err != nil {
			m.log.Debug("connection closed", "error", err)
			return
		}
		if !c.halfOpen.Load() {
			m.handleAck(frame)
		}
	}
}

// handleAck takes an app's answer to an envelope.
func (m *socketMode) handleAck(frame []byte) {
	m.frames.add("in", "frame", "ack", frame)
	if len(frame) >= maxAck {
		m.log.Error("ack dropped, too long", "bytes", len(frame), "limit", maxAck)
		return
	}
	var ack struct {
		EnvelopeID string          `json:"envelope_id"`
		Payload    json.RawMessage `json:"payload"`
	}
	if err := json.Unmarshal(frame, &ack); err != nil {
		m.log.Error("invalid ack", "error", err)
		return
	}
	if !m.sockets.acknowledge(ack.EnvelopeID, ack.Payload) {
		m.log.Warn("ack for unknown envelope", "envelope_id", ack.EnvelopeID)
	}
}

// keepAlive sends a PING regularly, and a warning before the life of the connection
// is over, until it ends.
func (m *socketMode) keepAlive(c *socket, life time.Duration, ended <-chan struct{}) {
	ticker := time.NewTicker(m.timing.ping)
	defer ticker.Stop()
	aged := time.NewTimer(life - m.timing.refresh)
	defer aged.Stop()
	for {
		select {
		case <-aged.C:
			m.warnDisconnect([]*socket{c}, m.timing.refresh)
		case <-ticker.C:
			if err := c.control(websocket.PingMessage, "Ping from workspace"); err != nil {
				m.sockets.drop(c)
				return
			}
		case <-ended:
			return
		}
	}
}

// write sends a frame and shows it among the frames.
func (m *socketMode) write(c *socket, frame object) error {
	raw := encode(frame)
	m.frames.add("out", "frame", frame["type"].(string), raw)
	return c.send(raw)
}

func hello(count int, life time.Duration) object {
	return object{
		"type":            "hello",
		"num_connections": count,
		"connection_info": object{"app_id": appID},
		"debug_info": object{
			"host": "workspace", "build_number": 1, "approximate_connection_time": int(life.Seconds()),
		},
	}
}

// sendDisconnect asks the app to leave. The write's error does not matter: the
// connection ends anyway, or the next write finds it dead.
func (m *socketMode) sendDisconnect(c *socket, reason string) {
	_ = m.write(c, object{"type": "disconnect", "reason": reason, "debug_info": object{"host": "workspace"}})
}
