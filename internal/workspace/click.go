package workspace

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/superduperai/sessionbot/internal/workspace/form"
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

// Input is what a person chooses or fills in in a message.
type Input struct {
	User     string          `json:"user"`
	Channel  string          `json:"channel"`
	TS       string          `json:"ts"`                 // of the message
	BlockID  string          `json:"block_id,omitempty"` // empty = any block
	ActionID string          `json:"action_id"`
	Value    json.RawMessage `json:"value"` // a string, or an array where several may be chosen
}

// errNotInteractive is the error of a click where the app takes none.
var errNotInteractive = errors.New("the app has interactivity switched off in its manifest")

// Click presses the first button that fits and waits for the ack. The error is
// in words for whoever plays the person, or ErrDispatchFailed or
// ErrOperationTimeout.
func (s *Server) Click(c Click) error {
	at, err := s.scene(c.User, c.Channel, c.TS)
	if err != nil {
		return err
	}
	pressed, ok := findElement(at.blocks, func(e form.Element) bool {
		return e.Pressed() && e.ActionID == c.ActionID &&
			(c.Value == "" || e.Value == c.Value) && (c.BlockID == "" || e.BlockID == c.BlockID)
	})
	if !ok {
		return fmt.Errorf("message %s has no such button: action_id %q, value %q", c.TS, c.ActionID, c.Value)
	}
	return s.sendAction(at, pressed, nil)
}

// Input chooses an option or fills a field, and waits for the ack where the app
// is to know of it at once. Its error is as Click's.
func (s *Server) Input(in Input) error {
	at, err := s.scene(in.User, in.Channel, in.TS)
	if err != nil {
		return err
	}
	filled, state, err := s.fill(at, in)
	if err != nil {
		return err
	}
	s.inputs.set(at.key, filled, state)
	s.world.changed.wake()
	if !filled.Immediate() {
		return nil
	}
	return s.sendAction(at, filled, state)
}

// fill finds the first element that fits and takes the value.
func (s *Server) fill(at scene, in Input) (e form.Element, state form.State, err error) {
	err = fmt.Errorf("there is nothing to choose or fill in with block_id %q, action_id %q", in.BlockID, in.ActionID)
	for _, e = range form.Elements(at.blocks) {
		if e.Pressed() || e.ActionID != in.ActionID || (in.BlockID != "" && e.BlockID != in.BlockID) {
			continue
		}
		if state, err = e.Fill(in.Value, s.formWorld(at.person)); err == nil {
			break
		}
	}
	return e, state, err
}

// formWorld is what a person's form has to know of the workspace.
func (s *Server) formWorld(p person) form.World {
	return form.World{
		HasUser: func(id string) bool { _, ok := s.world.person(id); return ok },
		HasChannel: func(id string) bool {
			ch, ok := s.world.findChannel(id)
			return ok && ch.ID == id && (ch.Kind == public || ch.has(p.ID))
		},
	}
}

func findElement(blocks json.RawMessage, fits func(form.Element) bool) (form.Element, bool) {
	for _, e := range form.Elements(blocks) {
		if fits(e) {
			return e, true
		}
	}
	return form.Element{}, false
}

// scene is where a person uses an element.
type scene struct {
	person  person
	channel channel
	message Message
	blocks  json.RawMessage
	key     inputKey
}

// scene finds the message that a person uses.
func (s *Server) scene(user, place, ts string) (scene, error) {
	p, ch, err := s.world.participant(user, place)
	if err != nil {
		return scene{}, err
	}
	m, ok := s.world.message(ch.ID, ts)
	if !ok || (m.Ephemeral && m.VisibleTo != p.ID) {
		return scene{}, fmt.Errorf("%s sees no message %s in #%s", p.ID, ts, ch.Name)
	}
	return scene{person: p, channel: ch, message: m, blocks: m.Blocks, key: inputKey{user: p.ID, channel: ch.ID, ts: m.TS}}, nil
}

// sendAction tells the app what was pressed or chosen, and waits for the ack.
func (s *Server) sendAction(at scene, e form.Element, state form.State) error {
	if !s.app.interactive() {
		return errNotInteractive
	}
	payload := s.actionPayload(at, e.Action(state, stamp(s.now().UnixMicro())))
	_, err := s.deliver(newEnvelope("interactive", payload, object{"accepts_response_payload": false}))
	return err
}

func (s *Server) actionPayload(at scene, action object) object {
	p, ch, m := at.person, at.channel, at.message
	token := s.responses.issue(response{user: p.ID, channel: ch.ID, original: m.TS, thread: m.ThreadTS})
	container := object{"type": "message", "message_ts": m.TS, "channel_id": ch.ID, "is_ephemeral": m.Ephemeral}
	if m.ThreadTS != "" {
		container["thread_ts"] = m.ThreadTS
	}
	payload := s.interaction("block_actions", p)
	payload["channel"] = object{"id": ch.ID, "name": ch.Name}
	payload["container"] = container
	payload["state"] = object{"values": s.inputs.of(at.key).In(at.blocks)}
	payload["response_url"] = s.responseURL(token)
	payload["trigger_id"] = s.triggers.issue(struct{}{})
	payload["actions"] = []object{action}
	if !m.Ephemeral { // Slack does not send the content of ephemeral messages
		payload["message"] = s.messageObject(m, false)
	}
	return payload
}

// interaction is what every payload of the interactive envelope has.
func (s *Server) interaction(kind string, p person) object {
	return object{
		"type":                  kind,
		"token":                 verificationToken,
		"api_app_id":            appID,
		"team":                  object{"id": teamID, "domain": teamDomain},
		"enterprise":            nil,
		"is_enterprise_install": false,
		"user":                  object{"id": p.ID, "username": p.Name, "name": p.Name, "team_id": p.Team},
	}
}
