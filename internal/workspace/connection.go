package workspace

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// serveSocket is one Socket Mode connection, from its hello to its end.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	if s.faults.has(DropConnections, "") {
		http.Error(w, "connections are being refused", http.StatusServiceUnavailable)
		return
	}
	if _, err := s.sockets.tickets.use(r.PathValue("ticket")); err != nil {
		http.Error(w, "this connection URL has been used or has expired", http.StatusForbidden)
		return
	}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		s.log.Warn("socket handshake failed", "error", err)
		return
	}
	c := &socket{ws: ws}
	count := s.sockets.add(c)
	defer s.sockets.drop(c)
	if count == 0 {
		s.log.Warn("too many connections", "limit", maxSockets)
		s.sendDisconnect(c, "too_many_websockets")
		c.sendClose()
		return
	}
	if s.ctx.Err() != nil { // closed while this one was being opened
		return
	}
	life := s.timing.life
	if r.URL.Query().Get("debug_reconnects") == "true" {
		life = s.timing.debugLife
	}
	if err := s.write(c, hello(count, life)); err != nil {
		s.log.Warn("hello not sent", "error", err)
		return
	}
	ended := make(chan struct{})
	defer close(ended)
	go s.keepAlive(c, life, ended)
	s.read(c)
}

// read handles what the app sends until the connection ends.
func (s *Server) read(c *socket) {
	c.ws.SetReadLimit(maxFrame)
	alive := func() error { return c.extend(s.timing.silence) }
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
			s.log.Debug("connection closed", "error", err)
			return
		}
		if !c.halfOpen.Load() {
			s.handleAck(frame)
		}
	}
}

// handleAck takes an app's answer to an envelope.
func (s *Server) handleAck(frame []byte) {
	s.frames.add("in", "frame", "ack", frame)
	if len(frame) >= maxAck {
		s.log.Error("ack dropped, too long", "bytes", len(frame), "limit", maxAck)
		return
	}
	var ack struct {
		EnvelopeID string          `json:"envelope_id"`
		Payload    json.RawMessage `json:"payload"`
	}
	if err := json.Unmarshal(frame, &ack); err != nil {
		s.log.Error("invalid ack", "error", err)
		return
	}
	if !s.sockets.acknowledge(ack.EnvelopeID, ack.Payload) {
		s.log.Warn("ack for unknown envelope", "envelope_id", ack.EnvelopeID)
	}
}

// keepAlive sends a PING regularly, and a warning before the life of the connection
// is over, until it ends.
func (s *Server) keepAlive(c *socket, life time.Duration, ended <-chan struct{}) {
	ticker := time.NewTicker(s.timing.ping)
	defer ticker.Stop()
	aged := time.NewTimer(life - s.timing.refresh)
	defer aged.Stop()
	for {
		select {
		case <-aged.C:
			s.warnDisconnect([]*socket{c}, s.timing.refresh)
		case <-ticker.C:
			if err := c.control(websocket.PingMessage, "Ping from workspace"); err != nil {
				s.sockets.drop(c)
				return
			}
		case <-ended:
			return
		}
	}
}

// write sends a frame and shows it among the frames.
func (s *Server) write(c *socket, frame object) error {
	raw := encode(frame)
	s.frames.add("out", "frame", frame["type"].(string), raw)
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
func (s *Server) sendDisconnect(c *socket, reason string) {
	_ = s.write(c, object{"type": "disconnect", "reason": reason, "debug_info": object{"host": "workspace"}})
}
