package workspace

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"github.com/superduperai/sessionbot/internal/workspace/blockcheck"
	"github.com/superduperai/sessionbot/internal/workspace/form"
)

// maxText is the length in characters that a message's text has to stay under.
const maxText = 4000

// checkContent applies Slack's rules to what a message is to show, and returns
// its blocks with every missing block_id and action_id filled in.
func checkContent(text string, blocks json.RawMessage) (json.RawMessage, error) {
	if utf8.RuneCountInString(text) >= maxText {
		return nil, fail("msg_too_long")
	}
	blocks = bytes.TrimSpace(blocks)
	if len(blocks) == 0 || string(blocks) == "null" || string(blocks) == "[]" {
		if text == "" {
			return nil, fail("no_text")
		}
		return nil, nil
	}
	list, violations := blockcheck.Read(blocks)
	if err := refusal(violations); err != nil {
		return nil, err
	}
	form.FillIDs(list)
	return encode(list), nil
}

// refusal is the error that Slack answers violations with; none is no error.
func refusal(violations []blockcheck.Violation) error {
	if len(violations) == 0 {
		return nil
	}
	errors, messages := make([]string, 0, len(violations)), make([]string, 0, len(violations))
	for _, v := range violations {
		errors = append(errors, v.String())
		messages = append(messages, "[ERROR] "+v.String())
	}
	return &apiError{code: violations[0].Code, more: object{
		"errors":            errors,
		"response_metadata": object{"messages": messages},
	}}
}

// checkMetadata applies Slack's rules to a message's metadata. Nothing is fine.
func checkMetadata(raw json.RawMessage) (json.RawMessage, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var m struct {
		Type    string          `json:"event_type"`
		Payload json.RawMessage `json:"event_payload"`
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fail("invalid_metadata_format")
	}
	var payload map[string]json.RawMessage
	if m.Type == "" || json.Unmarshal(m.Payload, &payload) != nil || payload == nil {
		return nil, fail("invalid_metadata_schema")
	}
	return raw, nil
}
