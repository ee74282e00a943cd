package bot

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/superduperai/sessionbot/internal/refs"
)

// slashCommand is what we need to know of one. Slack's library would read the
// payload twice.
type slashCommand struct {
	Command     string `json:"command"`
	Text        string `json:"text"`
	User        string `json:"user_id"`
	Channel     string `json:"channel_id"`
	ResponseURL string `json:"response_url"`
}

// hear acks an envelope and queues what it asks for, unless it came before. What
// could not even be told that we are busy is not acked.
func (s *socket) hear(frame []byte, r socketmode.Request) error {
	ref := refs.New()
	if s.bot.swamped(ref) {
		return nil
	}
	acked := s.ack(ref, r.EnvelopeID)
	if s.bot.seen.before(s.bot.now(), r.EnvelopeID, eventID(r)) {
		s.bot.log.Info("an envelope came again: acked and done with", "ref", ref, "attempt", r.RetryAttempt)
		return acked
	}
	s.bot.log.Debug("heard", "ref", ref, "type", r.Type, "envelope", r.EnvelopeID[:min(len(r.EnvelopeID), 64)])
	switch r.Type {
	case socketmode.RequestTypeSlashCommands:
		var c slashCommand
		if json.Unmarshal(r.Payload, &c) != nil {
			s.sorry(ref, frame)
			return acked
		}
		s.bot.heardCommand(ref, c)
	case socketmode.RequestTypeInteractive:
		var c slack.InteractionCallback
		if json.Unmarshal(r.Payload, &c) != nil {
			s.sorry(ref, frame)
			return acked
		}
		s.bot.heardClick(ref, c)
	default:
		s.bot.log.Debug("acked what nobody here waits for", "ref", ref, "type", r.Type)
	}
	return acked
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
	ref := refs.New()
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
	var members, payload map[string]json.RawMessage
	if json.Unmarshal(frame, &members) != nil {
		return "", ""
	}
	if json.Unmarshal(members["payload"], &payload) == nil {
		responseURL = text(payload["response_url"])
	}
	return text(members["envelope_id"]), responseURL
}

// eventID is what stays the same when Slack delivers an event again in another
// envelope; "" = this is no event.
func eventID(r socketmode.Request) string {
	var payload map[string]json.RawMessage
	if r.Type != socketmode.RequestTypeEventsAPI || json.Unmarshal(r.Payload, &payload) != nil {
		return ""
	}
	return text(payload["event_id"])
}

// text is a JSON string, "" where it is none.
func text(raw json.RawMessage) (s string) {
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}
