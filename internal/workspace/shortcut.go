package workspace

import "fmt"

// Shortcut is a person's use of a shortcut: of a message where TS is set, else a
// global one.
type Shortcut struct {
	User       string `json:"user"`
	Channel    string `json:"channel,omitempty"`
	TS         string `json:"ts,omitempty"`
	CallbackID string `json:"callback_id"`
}

// Shortcut uses a shortcut and waits for the ack. Its error is as Click's.
func (s *Server) Shortcut(in Shortcut) error {
	payload, err := s.shortcutPayload(in)
	if err != nil {
		return err
	}
	if !s.app.interactive() {
		return errNotInteractive
	}
	payload["callback_id"], payload["action_ts"] = in.CallbackID, s.stamp()
	payload["trigger_id"] = s.triggerID(in.User, "")
	_, err = s.deliver(newEnvelope("interactive", payload, object{"accepts_response_payload": false}))
	return err
}

func (s *Server) shortcutPayload(in Shortcut) (object, error) {
	kind := globalShortcut
	if in.TS != "" {
		kind = messageShortcut
	}
	if !s.app.hasShortcut(kind, in.CallbackID) {
		return nil, fmt.Errorf("the app has no %s shortcut %q in its manifest", kind, in.CallbackID)
	}
	if kind == globalShortcut {
		p, ok := s.world.person(in.User)
		if !ok {
			return nil, fmt.Errorf("there is no user %s", in.User)
		}
		return s.interaction("shortcut", p), nil
	}
	at, err := s.scene(in.User, "", in.Channel, in.TS)
	switch {
	case err != nil:
		return nil, err
	case at.message.Ephemeral:
		return nil, fmt.Errorf("%s is visible to one person only, and has no shortcuts", at)
	}
	payload := s.interactionAt(at, "message_action")
	delete(payload, "container")
	payload["message_ts"] = at.message.TS
	token := s.responses.issue(response{user: in.User, channel: at.channel.ID, thread: at.message.ThreadTS})
	payload["response_url"] = s.responseURL(token)
	return payload, nil
}
