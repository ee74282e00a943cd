package bot

import (
	"errors"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack/socketmode"

	"github.com/superduperai/sessionbot/internal/requestid"
)

// The kinds of envelopes, as Slack names them.
const (
	kindHello       = string(socketmode.RequestTypeHello)
	kindDisconnect  = string(socketmode.RequestTypeDisconnect)
	kindCommand     = string(socketmode.RequestTypeSlashCommands)
	kindInteraction = string(socketmode.RequestTypeInteractive)
	kindEvent       = string(socketmode.RequestTypeEventsAPI)
)

// hear acks an envelope and queues what it asks for, unless it came before. What
// could not even be told that we are busy is not acked.
func (s *socket) hear(frame []byte, e envelope) error {
	ref := requestid.New()
	if s.bot.swamped(ref) {
		return nil
	}
	acked := s.ack(ref, e.id)
	if s.bot.seen.before(s.bot.now(), e.id, eventID(e)) {
		s.bot.log.Info("an envelope came again: acked and done with", "ref", ref, "attempt", e.attempt)
		return acked
	}
	s.bot.log.Debug("heard", "ref", ref, "type", e.kind, "envelope", e.id[:min(len(e.id), 64)])
	switch e.kind {
	case kindCommand:
		c, err := readCommand(e.payload)
		if err != nil || s.foreign(ref, c.app) {
			s.sorry(ref, frame)
			return acked
		}
		s.bot.heardCommand(ref, c)
	case kindInteraction:
		i, err := readInteraction(e.payload)
		if err != nil || s.foreign(ref, i.app) {
			s.sorry(ref, frame)
			return acked
		}
		s.bot.heardClick(ref, i)
	default:
		s.bot.log.Debug("acked what nobody here waits for", "ref", ref, "type", e.kind)
	}
	return acked
}

// foreign reports whether a payload names another app than Slack's greeting did.
func (s *socket) foreign(ref, app string) bool {
	if app == "" || s.app == "" || app == s.app {
		return false
	}
	s.bot.log.Warn("a payload is another app's", "ref", ref)
	return true
}

// ack is empty and comes before any work. Where it cannot be written the
// connection is dead; what was asked for is answered all the same.
func (s *socket) ack(ref, envelopeID string) error {
	if envelopeID == "" {
		return nil
	}
	started := time.Now()
	err := s.conn.SetWriteDeadline(started.Add(s.bot.patience.times(writeFor)))
	if err == nil {
		err = s.conn.WriteJSON(socketmode.Response{EnvelopeID: envelopeID})
	}
	if err != nil {
		s.bot.log.Error("an envelope could not be acked: Slack tells the person that nobody answered", "ref", ref, "error", err)
		if errors.Is(err, websocket.ErrCloseSent) {
			return nil // it is being closed; the rest is still read
		}
		return errNotTaken
	}
	s.bot.metrics.Acked(time.Since(started))
	return nil
}

// refuse acks an envelope that cannot be read, so that Slack does not call us
// deaf, and tells the one who sent it where that much can be read.
func (s *socket) refuse(frame []byte) error {
	ref := requestid.New()
	if s.bot.swamped(ref) {
		return nil
	}
	id, _ := salvage(frame)
	acked := s.ack(ref, id)
	if id != "" && s.bot.seen.before(s.bot.now(), id) {
		return acked
	}
	s.sorry(ref, frame)
	return acked
}

func (s *socket) sorry(ref string, frame []byte) {
	id, responseURL := salvage(frame)
	s.bot.log.Error("an envelope could not be read", "ref", ref, "bytes", len(frame), "has_id", id != "")
	if id != "" && responseURL != "" {
		s.bot.apologise(asker{ref: ref, responseURL: responseURL})
	}
}

// salvage finds the id of an envelope and where it may be answered in a frame
// that could not be read; "" = not there.
func salvage(frame []byte) (envelopeID, responseURL string) {
	m, err := object(frame)
	if err != nil {
		return "", ""
	}
	return text(m["envelope_id"]), text(m.inner("payload")["response_url"])
}

// eventID is what stays the same when Slack delivers an event again in another
// envelope; "" = this is no event.
func eventID(e envelope) string {
	if e.kind != kindEvent {
		return ""
	}
	return text(members{"payload": e.payload}.inner("payload")["event_id"])
}
