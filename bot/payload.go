package bot

import (
	"cmp"
	"errors"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/slack-go/slack"
)

// Payloads are decoded by the exact, case-sensitive names of the members that are
// used. All others may be of any shape: Slack changes them without notice.

// errShape says that a member that is needed is not what it has to be. The
// library's errors quote what was sent.
var errShape = errors.New("not of the expected shape")

// As encoding/json has it.
var decodeOptions = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// decode reads a JSON object.
func decode[T any](raw jsontext.Value) (T, error) {
	var value, none T
	if raw.Kind() != '{' || json.Unmarshal(raw, &value, decodeOptions) != nil {
		return none, errShape
	}
	return value, nil
}

// lenient is a member that may be of another type; then it is zero.
type lenient[T any] struct{ value T }

func (l *lenient[T]) UnmarshalJSON(raw []byte) error {
	var value T
	if json.Unmarshal(raw, &value, decodeOptions) == nil {
		l.value = value
	}
	return nil
}

// timestamp is the ts of a message. It may come as a number in any notation; "" =
// there is none.
type timestamp string

func (t *timestamp) UnmarshalJSON(raw []byte) error {
	value := jsontext.Value(raw)
	switch value.Kind() {
	case '"':
		return json.Unmarshal(raw, (*string)(t), decodeOptions)
	case '0':
		if seconds, err := strconv.ParseFloat(string(raw), 64); err == nil {
			*t = timestamp(strconv.FormatFloat(seconds, 'f', 6, 64)) // as Slack writes it
		}
	}
	return nil
}

// envelope is one message of Socket Mode.
type envelope struct {
	Kind        string         `json:"type"`
	ID          string         `json:"envelope_id"`
	Payload     jsontext.Value `json:"payload"`
	Reason      string         `json:"reason"`          // of disconnect
	Connections lenient[int]   `json:"num_connections"` // of hello
	Attempt     lenient[int]   `json:"retry_attempt"`   // of an event: how often it came before
	Info        lenient[struct {
		AppID string `json:"app_id"`
	}] `json:"connection_info"` // of hello: whose connection this is
}

// partialEnvelope is what is used of an envelope even where it cannot be read.
type partialEnvelope struct {
	ID      lenient[string] `json:"envelope_id"`
	Payload lenient[struct {
		ResponseURL lenient[string] `json:"response_url"`
		EventID     lenient[string] `json:"event_id"` // stays the same when Slack delivers an event again in another envelope
	}] `json:"payload"`
}

// slashCommand is what is used of one.
type slashCommand struct {
	AppID       string `json:"api_app_id"`
	Command     string `json:"command"`
	Text        string `json:"text"`
	User        string `json:"user_id"`
	Channel     string `json:"channel_id"`
	ResponseURL string `json:"response_url"`

	Trigger lenient[string] `json:"trigger_id"` // opens a view, for three seconds
}

// interaction is what is used of a click on a button or in a menu, of a shortcut and of a
// view that was submitted.
type interaction struct {
	kind, app                  string
	user, channel, responseURL string
	clicked                    bool
	click                      click
	trigger                    string // opens a view, for three seconds
	callback                   string // the callback_id of a shortcut or a view
	message                    string // JSON: the message of a shortcut
	view                       viewRef
}

// viewRef is the view that an interaction comes from.
type viewRef struct {
	id, kind string // modal or home
	origin   string // the channel where it was opened, "" = none
	session  string // that it is about, "" = it has no field
	fields   fields
}

// fields are the values of a view's fields, each of which is the block_id and action_id
// of one.
type fields map[string]map[string]struct {
	Value lenient[string] `json:"value"`
}

func (f fields) value(name string) string { return f[name][name].Value.value }

// ofAction returns the block_id and the value of the field with an action_id.
func (f fields) ofAction(id string) (block, value string) {
	for block, elements := range f {
		if field, ok := elements[id]; ok {
			return block, field.Value.value
		}
	}
	return "", ""
}

type viewPayload struct {
	ID       string `json:"id"`
	Kind     string `json:"type"`
	Callback string `json:"callback_id"`
	Origin   string `json:"private_metadata"` // and the session
	State    lenient[struct {
		Values fields `json:"values"`
	}] `json:"state"`
}

func readInteraction(payload jsontext.Value) (interaction, error) {
	type named struct {
		ID string `json:"id"`
	}
	type blockActions struct {
		Kind        string          `json:"type"`
		AppID       string          `json:"api_app_id"`
		ResponseURL lenient[string] `json:"response_url"` // there is another way to answer
		User        named           `json:"user"`
		Channel     named           `json:"channel"`
		Container   struct {
			Kind      lenient[string] `json:"type"`
			Channel   string          `json:"channel_id"`
			TS        timestamp       `json:"message_ts"`
			Ephemeral jsontext.Value  `json:"is_ephemeral"`
		} `json:"container"`
		Message  jsontext.Value       `json:"message"`
		Actions  []jsontext.Value     `json:"actions"` // Slack sends one a click
		Trigger  lenient[string]      `json:"trigger_id"`
		Callback lenient[string]      `json:"callback_id"`
		View     lenient[viewPayload] `json:"view"`
	}
	type pressed struct {
		ID     string           `json:"action_id"`
		Value  string           `json:"value"`
		Block  lenient[string]  `json:"block_id"`
		Chosen lenient[struct { // of a menu
			Value string `json:"value"`
		}] `json:"selected_option"`
	}
	p, err := decode[blockActions](payload)
	if err != nil {
		return interaction{}, err
	}
	within := p.Container
	i := interaction{kind: p.Kind, app: p.AppID, user: p.User.ID, channel: cmp.Or(p.Channel.ID, within.Channel), responseURL: p.ResponseURL.value}
	i.trigger, i.callback = p.Trigger.value, p.Callback.value
	if view := p.View.value; view.ID != "" {
		origin, session, _ := strings.Cut(view.Origin, " ")
		i.callback, i.view = view.Callback, viewRef{id: view.ID, kind: view.Kind, origin: origin, session: session, fields: view.State.value.Values}
		i.channel = cmp.Or(i.channel, origin)
	}
	if i.kind == string(slack.InteractionTypeMessageAction) {
		i.message = string(p.Message)
	}
	if len(p.Actions) == 0 {
		return i, nil
	}
	message, _ := decode[struct {
		TS timestamp `json:"ts"`
	}](p.Message) // empty where it is no object
	if ts := message.TS; within.Channel != "" && within.Channel != i.channel || ts != "" && ts != within.TS {
		return i, errShape // of another message than the one around it
	}
	action, err := decode[pressed](p.Actions[0])
	if err != nil {
		return i, err
	}
	ephemeral := string(within.Ephemeral)
	i.clicked = true
	i.click = click{button: action.ID, value: cmp.Or(action.Value, action.Chosen.value.Value), block: action.Block.value, message: string(within.TS),
		view: within.Kind.value == "view", ephemeral: ephemeral == "true" || ephemeral == `"true"`}
	return i, nil
}
