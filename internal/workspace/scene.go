package workspace

import (
	"encoding/json"
	"fmt"

	"github.com/superduperai/sessionbot/internal/workspace/form"
)

// scene is where a person uses an element: a message, or a modal or home tab.
type scene struct {
	person  person
	blocks  json.RawMessage
	key     inputKey
	inView  bool
	view    view
	channel channel // of the message
	message Message
}

// scene finds the view, or else the message, that a person uses.
func (s *Server) scene(user, viewID, place, ts string) (scene, error) {
	if viewID != "" {
		return s.viewScene(user, viewID)
	}
	p, ch, err := s.world.participant(user, place)
	if err != nil {
		return scene{}, err
	}
	m, ok := s.world.message(ch.ID, ts)
	if !ok || (m.Ephemeral && m.VisibleTo != p.ID) {
		return scene{}, fmt.Errorf("%s sees no message %s in #%s", p.ID, ts, ch.Name)
	}
	return scene{person: p, channel: ch, message: m, blocks: m.interactive(), key: inputKey{user: p.ID, channel: ch.ID, ts: m.TS}}, nil
}

func (s *Server) viewScene(user, viewID string) (scene, error) {
	p, ok := s.world.person(user)
	if !ok {
		return scene{}, fmt.Errorf("there is no user %s", user)
	}
	v, ok := s.views.find(viewID, "")
	if !ok || v.User != user {
		return scene{}, fmt.Errorf("%s has no view %s", user, viewID)
	}
	return scene{person: p, inView: true, view: v, blocks: v.Blocks, key: v.key()}, nil
}

// String names the scene in errors.
func (at scene) String() string {
	if at.inView {
		return "view " + at.view.ID
	}
	return "message " + at.message.TS
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

// interactionAt is interaction, and where it happened.
func (s *Server) interactionAt(at scene, kind string) object {
	payload := s.interaction(kind, at.person)
	if at.inView {
		payload["container"] = object{"type": "view", "view_id": at.view.ID}
		payload["view"] = s.viewObject(at.view)
		return payload
	}
	m := at.message
	container := object{"type": "message", "message_ts": m.TS, "channel_id": m.Channel, "is_ephemeral": m.Ephemeral}
	if m.ThreadTS != "" {
		container["thread_ts"] = m.ThreadTS
	}
	payload["container"] = container
	payload["channel"] = object{"id": at.channel.ID, "name": at.channel.Name}
	if !m.Ephemeral { // Slack does not send the content of ephemeral messages
		payload["message"] = s.messageObject(m, false)
	}
	return payload
}

// sendAction sends the app what was clicked or chosen, and waits for the ack.
func (s *Server) sendAction(at scene, e form.Element, state form.State) error {
	if !s.app.interactive() {
		return errNotInteractive
	}
	payload := s.interactionAt(at, "block_actions")
	payload["actions"] = []object{e.Action(state, s.stamp())}
	payload["trigger_id"] = s.triggerID(at.person.ID, at.modal())
	if !at.inView {
		payload["state"] = object{"values": s.inputs.of(at.key).In(at.blocks)}
		token := s.responses.issue(response{
			user: at.person.ID, channel: at.channel.ID, original: at.message.TS, thread: at.message.ThreadTS,
		})
		payload["response_url"] = s.responseURL(token)
	}
	_, err := s.deliver(newEnvelope("interactive", payload, object{"accepts_response_payload": false}))
	return err
}

// modal is the id of the modal that the scene is in, if any.
func (at scene) modal() string {
	if at.inView && at.view.Type == modalView {
		return at.view.ID
	}
	return ""
}

// stamp is now, as a ts.
func (s *Server) stamp() string { return stamp(s.now().UnixMicro()) }
