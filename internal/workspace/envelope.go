package workspace

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"time"
)

// newEnvelope makes a frame that the app has to acknowledge, and its id. kind is
// slash_commands, interactive or events_api; extra are further members.
func newEnvelope(kind string, payload, extra object) (id string, envelope object) {
	id = uuid()
	envelope = object{"type": kind, "envelope_id": id, "payload": payload}
	maps.Copy(envelope, extra)
	return id, envelope
}

// deliver sends an envelope over one connection, any one, and returns the
// payload of its ack. The error is ErrDispatchFailed or ErrOperationTimeout.
func (m *socketMode) deliver(id string, envelope object) (json.RawMessage, error) {
	acked := m.sockets.expect(id)
	defer m.sockets.forget(id)
	if !m.dispatch(envelope) {
		return nil, ErrDispatchFailed
	}
	select {
	case payload := <-acked:
		return payload, nil
	case <-time.After(m.timing.ack):
	case <-m.ctx.Done():
	}
	return nil, ErrOperationTimeout
}

// dispatch writes an envelope to a random connection, and to the next where the
// write fails. It reports whether one succeeded.
func (m *socketMode) dispatch(envelope object) bool {
	if m.faults.has(Garble, "") {
		envelope["payload"] = "this payload cannot be decoded"
	}
	for _, c := range m.sockets.all() {
		err := m.write(c, envelope)
		if err == nil {
			return true
		}
		m.log.Warn("envelope not sent, connection dropped", "error", err)
		m.sockets.drop(c)
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
