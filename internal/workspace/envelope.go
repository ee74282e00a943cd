package workspace

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"
)

// envelope is what is sent to the app and has to be acknowledged.
type envelope struct {
	id      string
	kind    string // slash_commands, interactive or events_api
	payload object
	extra   object // further members of the frame
}

func newEnvelope(kind string, payload, extra object) envelope {
	return envelope{id: uuid(), kind: kind, payload: payload, extra: extra}
}

func (e envelope) frame() object {
	f := object{"type": e.kind, "envelope_id": e.id, "payload": e.payload}
	for name, value := range e.extra {
		f[name] = value
	}
	return f
}

// deliver sends an envelope over one connection, any one, and returns the
// payload of its ack. The error is ErrDispatchFailed or ErrOperationTimeout.
func (s *Server) deliver(e envelope) (json.RawMessage, error) {
	acked := s.sockets.expect(e.id)
	defer s.sockets.forget(e.id)
	if !s.dispatch(e) {
		return nil, ErrDispatchFailed
	}
	timer := time.NewTimer(s.timing.ack)
	defer timer.Stop()
	select {
	case payload := <-acked:
		return payload, nil
	case <-timer.C:
	case <-s.ctx.Done():
	}
	return nil, ErrOperationTimeout
}

// dispatch writes an envelope to a random connection, and to the next where the
// write fails. It reports whether one succeeded.
func (s *Server) dispatch(e envelope) bool {
	frame := e.frame()
	if s.faults.has(Garble, "") {
		frame["payload"] = "this payload cannot be decoded"
	}
	for _, c := range s.sockets.all() {
		err := s.write(c, frame)
		if err == nil {
			return true
		}
		s.log.Warn("envelope not sent, connection dropped", "error", err)
		s.sockets.drop(c)
	}
	return false
}

// uuid makes a random (version 4) UUID.
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails: the program ends first
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
