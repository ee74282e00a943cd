package workspace

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Click is a person's press of a button.
type Click struct {
	User     string `json:"user"`
	Channel  string `json:"channel"`
	TS       string `json:"ts"`                 // of the message
	BlockID  string `json:"block_id,omitempty"` // empty = any block
	ActionID string `json:"action_id"`
	Value    string `json:"value,omitempty"` // empty = any value
}

// errNotInteractive is the error of a click where the app takes none.
var errNotInteractive = errors.New("the app has interactivity switched off in its manifest")

// Click presses the first button that fits and waits for the ack. The error is
// in words for whoever plays the person, or ErrDispatchFailed or
// ErrOperationTimeout.
func (s *Server) Click(c Click) error {
	p, ch, err := s.world.participant(c.User, c.Channel)
	if err != nil {
		return err
	}
	m, ok := s.world.message(ch.ID, c.TS)
	if !ok || (m.Ephemeral && m.VisibleTo != p.ID) {
		return fmt.Errorf("%s sees no message %s in #%s", p.ID, c.TS, ch.Name)
	}
	pressed, ok := findButton(m.Blocks, c)
	if !ok {
		return fmt.Errorf("message %s has no such button: action_id %q, value %q", c.TS, c.ActionID, c.Value)
	}
	if !s.app.interactive() {
		return errNotInteractive
	}
	_, err = s.deliver(newEnvelope("interactive", s.clickPayload(p, ch, m, pressed), object{"accepts_response_payload": false}))
	return err
}

func (s *Server) clickPayload(p person, ch channel, m Message, pressed button) object {
	token := s.responses.issue(response{user: p.ID, channel: ch.ID, original: m.TS, thread: m.ThreadTS})
	container := object{"type": "message", "message_ts": m.TS, "channel_id": ch.ID, "is_ephemeral": m.Ephemeral}
	if m.ThreadTS != "" {
		container["thread_ts"] = m.ThreadTS
	}
	payload := object{
		"type":                  "block_actions",
		"token":                 verificationToken,
		"api_app_id":            appID,
		"team":                  object{"id": teamID, "domain": teamDomain},
		"enterprise":            nil,
		"is_enterprise_install": false,
		"user":                  object{"id": p.ID, "username": p.Name, "name": p.Name, "team_id": p.Team},
		"channel":               object{"id": ch.ID, "name": ch.Name},
		"container":             container,
		"state":                 object{"values": object{}},
		"response_url":          s.responseURL(token),
		"trigger_id":            s.triggers.issue(struct{}{}),
		"actions":               []object{pressed.action(stamp(s.now().UnixMicro()))},
	}
	if !m.Ephemeral { // Slack does not send the content of ephemeral messages
		payload["message"] = s.messageObject(m, false)
	}
	return payload
}

// button is a button of a message, as its JSON and its place have it.
type button struct {
	Type     string          `json:"type"`
	ActionID string          `json:"action_id"`
	Value    string          `json:"value"`
	Text     json.RawMessage `json:"text"`
	Style    string          `json:"style"`
	blockID  string
}

func (b button) action(at string) object {
	a := object{"type": b.Type, "block_id": b.blockID, "action_id": b.ActionID, "action_ts": at, "text": b.Text}
	if b.Value != "" {
		a["value"] = b.Value
	}
	if b.Style != "" {
		a["style"] = b.Style
	}
	return a
}

// findButton finds the first button of the blocks that fits the click.
func findButton(blocks json.RawMessage, c Click) (button, bool) {
	for _, b := range buttons(blocks, "") {
		if b.ActionID == c.ActionID && (c.Value == "" || b.Value == c.Value) && (c.BlockID == "" || b.blockID == c.BlockID) {
			return b, true
		}
	}
	return button{}, false
}

// buttons lists all buttons inside a JSON value, in order. blockID is that of
// the block around it.
func buttons(raw json.RawMessage, blockID string) []button {
	var found []button
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		for _, item := range list {
			found = append(found, buttons(item, blockID)...)
		}
		return found
	}
	var b struct {
		button
		BlockID     string          `json:"block_id"`
		Elements    json.RawMessage `json:"elements"`
		Accessory   json.RawMessage `json:"accessory"`
		Actions     json.RawMessage `json:"actions"`
		ChildBlocks json.RawMessage `json:"child_blocks"`
		Rows        json.RawMessage `json:"rows"`
		Element     json.RawMessage `json:"element"`
	}
	if json.Unmarshal(raw, &b) != nil {
		return nil
	}
	if b.BlockID != "" {
		blockID = b.BlockID
	}
	if b.Type == "button" || b.Type == "icon_button" {
		b.blockID = blockID
		return append(found, b.button)
	}
	for _, inner := range []json.RawMessage{b.Elements, b.Accessory, b.Actions, b.ChildBlocks, b.Rows, b.Element} {
		found = append(found, buttons(inner, blockID)...)
	}
	return found
}
