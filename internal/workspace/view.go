package workspace

import (
	"bytes"
	"encoding/json"

	"github.com/superduperai/sessionbot/internal/workspace/blockcheck"
	"github.com/superduperai/sessionbot/internal/workspace/form"
)

// maxView is the size in bytes over which a view is refused.
const maxView = 250_000

// The kinds of views.
const (
	modalView = "modal"
	homeView  = "home"
)

// view is a modal or a home tab of one person. It is never changed, but replaced
// by another one with the same id.
type view struct {
	viewContent
	ID       string
	User     string
	Hash     string
	Root     string            // the id of the view at the bottom of the stack
	Previous string            // the id of the view below, empty at the bottom
	Errors   map[string]string // what the app found wrong at the last submission, by block_id
}

// viewContent is a view as the app sends it.
type viewContent struct {
	Type            string          `json:"type"`
	Title           json.RawMessage `json:"title"`
	Submit          json.RawMessage `json:"submit"`
	Close           json.RawMessage `json:"close"`
	Blocks          json.RawMessage `json:"blocks"`
	CallbackID      string          `json:"callback_id"`
	ExternalID      string          `json:"external_id"`
	PrivateMetadata string          `json:"private_metadata"`
	ClearOnClose    bool            `json:"clear_on_close"`
	NotifyOnClose   bool            `json:"notify_on_close"`
	SubmitDisabled  bool            `json:"submit_disabled"`
}

// readView reads a view of a kind and applies Slack's rules to it. Blocks and
// elements without an id get one.
func readView(raw json.RawMessage, kind string) (viewContent, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) > maxView {
		return viewContent{}, fail("view_too_large")
	}
	if len(raw) == 0 || string(raw) == "null" {
		return viewContent{}, invalidArguments("missing required field: view")
	}
	if err := refusal(blockcheck.CheckView(raw)); err != nil {
		return viewContent{}, err
	}
	var v viewContent
	if err := json.Unmarshal(raw, &v); err != nil {
		return viewContent{}, invalidArguments("the view has a member of the wrong type")
	}
	if v.Type != kind {
		return viewContent{}, invalidArguments("must be a valid enum value [json-pointer:/view/type]")
	}
	blocks, _ := blockcheck.Read(v.Blocks) // it is an array
	form.FillIDs(blocks)
	v.Blocks = encode(blocks)
	return v, nil
}

// invalidArguments is the error of arguments of the wrong form.
func invalidArguments(message string) error {
	return &apiError{code: "invalid_arguments", more: object{
		"response_metadata": object{"messages": []string{"[ERROR] " + message}},
	}}
}

// object is the view as the Web API and payloads write it, with what was filled in.
func (v view) object(values form.Values) object {
	o := object{
		"id": v.ID, "team_id": teamID, "type": v.Type, "blocks": v.Blocks, "callback_id": v.CallbackID,
		"external_id": v.ExternalID, "private_metadata": v.PrivateMetadata, "state": object{"values": values.In(v.Blocks)},
		"hash": v.Hash, "clear_on_close": v.ClearOnClose, "notify_on_close": v.NotifyOnClose,
		"submit": v.Submit, "close": v.Close, "root_view_id": v.Root, "previous_view_id": nil,
		"app_id": appID, "app_installed_team_id": teamID, "bot_id": botID,
	}
	if v.Previous != "" {
		o["previous_view_id"] = v.Previous
	}
	if v.Type == modalView {
		o["title"], o["submit_disabled"] = v.Title, v.SubmitDisabled
	}
	return o
}
