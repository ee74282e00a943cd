package bot

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// What Slack sends is read by the exact names of the members that are needed;
// encoding/json would take other cases of them too. Whatever else is there may
// be of any shape: it changes without notice.

// errShape says that a member that is needed is not what it has to be.
var errShape = errors.New("not of the expected shape")

// members are those of a JSON object.
type members map[string]json.RawMessage

// object reads a JSON object.
func object(raw json.RawMessage) (m members, err error) {
	if json.Unmarshal(raw, &m) != nil || m == nil {
		return nil, errShape
	}
	return m, nil
}

// inner returns a member that is an object, empty where it is anything else.
func (m members) inner(name string) members {
	inner, _ := object(m[name])
	return inner
}

// read takes texts that are needed. What is absent or null is empty.
func (m members) read(into map[string]*string) error {
	for name, s := range into {
		if raw, ok := m[name]; ok && json.Unmarshal(raw, s) != nil {
			return fmt.Errorf("%s: %w", name, errShape)
		}
	}
	return nil
}

// text is a JSON string, "" where it is none.
func text(raw json.RawMessage) (s string) {
	_ = json.Unmarshal(raw, &s) // which leaves s alone where it fails
	return s
}

// timestamp is the ts of a message, which may come as a number, without the zeros at
// its end; "" = there is none.
func timestamp(raw json.RawMessage) string {
	if s := text(raw); s != "" {
		return s
	}
	var n json.Number
	if json.Unmarshal(raw, &n) != nil || n == "" {
		return ""
	}
	seconds, fraction, _ := strings.Cut(n.String(), ".")
	return seconds + "." + (fraction + "000000")[:max(6, len(fraction))]
}

// envelope is what comes over a connection.
type envelope struct {
	kind, id    string
	payload     json.RawMessage
	app         string // of hello: whose connection this is
	reason      string // of disconnect
	connections int    // of hello
	attempt     int    // of an event: how often it came before
}

// readEnvelope reads a frame.
func readEnvelope(frame []byte) (e envelope, err error) {
	m, err := object(frame)
	if err != nil {
		return e, err
	}
	if err := m.read(map[string]*string{"type": &e.kind, "envelope_id": &e.id}); err != nil {
		return e, err
	}
	if e.kind == kindDisconnect {
		err = m.read(map[string]*string{"reason": &e.reason})
	}
	e.payload, e.app = m["payload"], text(m.inner("connection_info")["app_id"])
	_ = json.Unmarshal(m["num_connections"], &e.connections) // only for the log
	_ = json.Unmarshal(m["retry_attempt"], &e.attempt)       // likewise
	return e, err
}

// slashCommand is what we need to know of one.
type slashCommand struct {
	app, command, text         string
	user, channel, responseURL string
}

func readCommand(payload json.RawMessage) (c slashCommand, err error) {
	m, err := object(payload)
	if err != nil {
		return c, err
	}
	return c, m.read(map[string]*string{"api_app_id": &c.app, "command": &c.command, "text": &c.text,
		"user_id": &c.user, "channel_id": &c.channel, "response_url": &c.responseURL})
}

// interaction is what we need to know of a click on a button; of other kinds only
// the kind and who asks is there.
type interaction struct {
	kind, app                  string
	user, channel, responseURL string
	clicked                    bool
	click                      click
}

func readInteraction(payload json.RawMessage) (i interaction, err error) {
	m, err := object(payload)
	if err != nil {
		return i, err
	}
	container := m.inner("container")
	var within string
	var actions []json.RawMessage
	if raw, ok := m["actions"]; ok && json.Unmarshal(raw, &actions) != nil {
		return i, fmt.Errorf("actions: %w", errShape)
	}
	err = errors.Join(
		m.read(map[string]*string{"type": &i.kind, "api_app_id": &i.app, "response_url": &i.responseURL}),
		m.inner("user").read(map[string]*string{"id": &i.user}),
		m.inner("channel").read(map[string]*string{"id": &i.channel}),
		container.read(map[string]*string{"channel_id": &within}))
	if i.channel == "" {
		i.channel = within
	}
	if err != nil || len(actions) == 0 {
		return i, err
	}
	action, err := object(actions[0]) // Slack sends one a click
	if err != nil {
		return i, err
	}
	ephemeral := string(container["is_ephemeral"])
	i.click = click{message: timestamp(container["message_ts"]), view: text(container["type"]) == "view",
		ephemeral: ephemeral == "true" || ephemeral == `"true"`}
	i.clicked = true
	if ts := timestamp(m.inner("message")["ts"]); within != "" && within != i.channel || ts != "" && ts != i.click.message {
		return i, fmt.Errorf("container: %w", errShape) // of another message than the one around it
	}
	return i, action.read(map[string]*string{"action_id": &i.click.button, "value": &i.click.value, "block_id": &i.click.block})
}
