package workspace

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Write has a person write a message, in a thread where thread is a ts. The app
// gets events where it is a member and its manifest subscribes to them. It
// returns the message's ts; the error is worded for the user of the page.
func (s *Server) Write(user, place, thread, text string) (string, error) {
	_, ch, err := s.world.participant(user, place)
	if err != nil {
		return "", err
	}
	if strings.TrimSpace(text) == "" {
		return "", fmt.Errorf("an empty message cannot be sent")
	}
	if thread, err = s.world.threadOf(ch.ID, thread); err != nil {
		return "", fmt.Errorf("there is no message %s in #%s to reply to", thread, ch.Name)
	}
	m := s.world.post(Message{
		Channel: ch.ID, User: user, ThreadTS: thread, Text: s.world.escapeMessage(text), clientID: uuid(),
	})
	s.notifyPosted(m)
	if ch.has(botUser) && ch.Kind != direct && mentions(m.Text, botUser) && s.app.subscribes("app_mention") {
		s.sendEvent(s.eventPayload(s.messageEvent("app_mention", ch, m)))
	}
	return m.TS, nil
}

// mentions reports whether an escaped text mentions a user.
func mentions(text, user string) bool {
	return strings.Contains(text, "<@"+user+">") || strings.Contains(text, "<@"+user+"|")
}

// messageEvent is the event of a message as it was written.
func (s *Server) messageEvent(kind string, ch channel, m Message) object {
	event := s.messageObject(m, false)
	event["type"], event["channel"], event["event_ts"] = kind, ch.ID, m.TS
	if kind == "message" {
		event["channel_type"] = ch.kindName()
	}
	return event
}

// notifyPosted sends the app the event of a new message, its own ones included.
func (s *Server) notifyPosted(m Message) {
	s.notify(m, func(ch channel) object {
		event := s.messageEvent("message", ch, m)
		if m.User == botUser {
			event["subtype"] = "bot_message"
		}
		return event
	})
}

// notifyChanged sends the app the event of a message that was edited.
func (s *Server) notifyChanged(before, after Message) {
	s.notify(after, func(ch channel) object {
		event := s.changeEvent("message_changed", ch)
		event["message"], event["previous_message"] = s.messageObject(after, false), s.messageObject(before, false)
		return event
	})
}

// notifyDeleted sends the app the event of a message that was deleted.
func (s *Server) notifyDeleted(before Message) {
	s.notify(before, func(ch channel) object {
		event := s.changeEvent("message_deleted", ch)
		event["deleted_ts"], event["previous_message"] = before.TS, s.messageObject(before, false)
		return event
	})
}

// changeEvent is an event about a message that is there already.
func (s *Server) changeEvent(subtype string, ch channel) object {
	now := s.stamp()
	return object{
		"type": "message", "subtype": subtype, "hidden": true, "channel": ch.ID, "channel_type": ch.kindName(),
		"ts": now, "event_ts": now,
	}
}

// notify sends an event about a message, where the app is a member and subscribes
// to it. There is none about ephemeral messages.
func (s *Server) notify(m Message, event func(channel) object) {
	ch, ok := s.world.channel(m.Channel)
	if ok && ch.has(botUser) && !m.Ephemeral && s.app.subscribes("message."+string(ch.Kind)) {
		s.sendEvent(s.eventPayload(event(ch)))
	}
}

// eventPayload is what every payload of the events_api envelope has.
func (s *Server) eventPayload(event object) object {
	place, _ := event["channel"].(string)
	return object{
		"token": verificationToken, "team_id": teamID, "api_app_id": appID, "type": "event_callback",
		"event": event, "event_id": "Ev" + rand.Text()[:10], "event_time": s.now().Unix(),
		"authorizations": []object{{
			"enterprise_id": nil, "team_id": teamID, "user_id": botUser, "is_bot": true, "is_enterprise_install": false,
		}},
		"is_ext_shared_channel": s.world.shared(place), "event_context": rand.Text(),
	}
}

// sendEvent delivers an event, and again under a new envelope id where it is
// not acknowledged.
func (s *Server) sendEvent(payload object) {
	s.run(func() {
		reason := ""
		for attempt := 0; ; attempt++ {
			_, err := s.deliver(newEnvelope("events_api", payload, object{
				"accepts_response_payload": false, "retry_attempt": attempt, "retry_reason": reason,
			}))
			if err == nil {
				return
			}
			reason = "timeout"
			if errors.Is(err, ErrDispatchFailed) {
				reason = "connection_failed"
			}
			s.log.Warn("event not acknowledged", "attempt", attempt, "error", err)
			if attempt == len(s.timing.redeliver) {
				return
			}
			select {
			case <-time.After(s.timing.redeliver[attempt]):
			case <-s.ctx.Done():
				return
			}
		}
	})
}
