package bot

import (
	"cmp"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/bot/wire"
)

// partialEnvelope is the part of an envelope that is used even if the rest is unreadable.
type partialEnvelope struct {
	ID      wire.Lenient[string] `json:"envelope_id"`
	Payload wire.Lenient[struct {
		ResponseURL wire.Lenient[string] `json:"response_url"`
		EventID     wire.Lenient[string] `json:"event_id"` // stays the same when Slack delivers an event again in another envelope
	}] `json:"payload"`
}

// slashCommand is the part of a slash command that is used.
type slashCommand struct {
	AppID       string `json:"api_app_id"`
	Command     string `json:"command"`
	Text        string `json:"text"`
	User        string `json:"user_id"`
	Channel     string `json:"channel_id"`
	ResponseURL string `json:"response_url"`

	Trigger wire.Lenient[string] `json:"trigger_id"` // opens a view, for three seconds
}

// interaction is the part that is used of a click on a button or in a menu, of a shortcut
// and of a submitted view.
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
	hash     string // changes with every update of the view
	origin   string // where it was opened; see requester.origin
	about    string // ts of the message whose thread is followed, "" = none
	session  string // its subject, "" = the view has no field
	fields   fields
}

// fields are the values of a view's fields, each of which is the block_id and action_id
// of one.
type fields map[string]map[string]struct {
	Value wire.Lenient[string] `json:"value"`
}

func (f fields) value(name string) string { return f[name][name].Value.Value }

// ofAction returns the block_id and the value of the field with an action_id.
func (f fields) ofAction(id string) (block, value string) {
	for block, elements := range f {
		if field, ok := elements[id]; ok {
			return block, field.Value.Value
		}
	}
	return "", ""
}

type viewPayload struct {
	ID       string               `json:"id"`
	Hash     wire.Lenient[string] `json:"hash"`
	Kind     string               `json:"type"`
	Callback string               `json:"callback_id"`
	Origin   string               `json:"private_metadata"` // and the session
	State    wire.Lenient[struct {
		Values fields `json:"values"`
	}] `json:"state"`
}

func readInteraction(payload jsontext.Value) (interaction, error) {
	type named struct {
		ID string `json:"id"`
	}
	type blockActions struct {
		Kind        string               `json:"type"`
		AppID       string               `json:"api_app_id"`
		ResponseURL wire.Lenient[string] `json:"response_url"` // there is another way to answer
		User        named                `json:"user"`
		Channel     named                `json:"channel"`
		Container   struct {
			Kind      wire.Lenient[string] `json:"type"`
			Channel   string               `json:"channel_id"`
			TS        wire.Timestamp       `json:"message_ts"`
			Ephemeral jsontext.Value       `json:"is_ephemeral"`
		} `json:"container"`
		Message  jsontext.Value            `json:"message"`
		Actions  []jsontext.Value          `json:"actions"` // Slack sends one a click
		Trigger  wire.Lenient[string]      `json:"trigger_id"`
		Callback wire.Lenient[string]      `json:"callback_id"`
		View     wire.Lenient[viewPayload] `json:"view"`
	}
	type pressed struct {
		ID     string                `json:"action_id"`
		Value  string                `json:"value"`
		Block  wire.Lenient[string]  `json:"block_id"`
		Chosen wire.Lenient[struct { // of a menu
			Value string `json:"value"`
		}] `json:"selected_option"`
	}
	p, err := wire.Decode[blockActions](payload)
	if err != nil {
		return interaction{}, err
	}
	within := p.Container
	i := interaction{kind: p.Kind, app: p.AppID, user: p.User.ID, channel: cmp.Or(p.Channel.ID, within.Channel), responseURL: p.ResponseURL.Value}
	i.trigger, i.callback = p.Trigger.Value, p.Callback.Value
	if view := p.View.Value; view.ID != "" {
		origin, session, _ := strings.Cut(view.Origin, " ")
		channel, about, _ := strings.Cut(origin, "/")
		i.callback, i.channel = view.Callback, cmp.Or(i.channel, channel)
		i.view = viewRef{
			id: view.ID, kind: view.Kind, hash: view.Hash.Value,
			origin: origin, about: about, session: session, fields: view.State.Value.Values,
		}
	}
	if i.kind == string(slack.InteractionTypeMessageAction) {
		i.message = string(p.Message)
	}
	if len(p.Actions) == 0 {
		return i, nil
	}
	message, _ := wire.Decode[struct {
		TS wire.Timestamp `json:"ts"`
	}](p.Message) // empty where it is no object
	if ts := message.TS; within.Channel != "" && within.Channel != i.channel || ts != "" && ts != within.TS {
		return i, wire.ErrShape // of another message than the one around it
	}
	action, err := wire.Decode[pressed](p.Actions[0])
	if err != nil {
		return i, err
	}
	ephemeral := string(within.Ephemeral)
	i.clicked = true
	i.click = click{button: action.ID, value: cmp.Or(action.Value, action.Chosen.Value.Value), block: action.Block.Value, message: string(within.TS),
		view: within.Kind.Value == "view", ephemeral: ephemeral == "true" || ephemeral == `"true"`}
	return i, nil
}
