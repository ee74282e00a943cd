package workspace

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/superduperai/sessionbot/internal/workspace/blockcheck"
	"github.com/superduperai/sessionbot/internal/workspace/form"
)

// Lengths of a message's text in characters: a longer one that is posted is cut,
// a longer one in an update is refused.
const (
	maxText    = 40_000
	maxUpdated = 4000
)

// maxAttachments is how many attachments a message takes.
const maxAttachments = 100

// content is what a message shows.
type content struct {
	text        string
	blocks      json.RawMessage // nil = none
	attachments json.RawMessage // nil = none
}

// checkContent applies Slack's rules to what a message is to show: too long a text
// is cut, and every missing block_id and action_id filled in.
func checkContent(c content) (content, error) {
	if utf8.RuneCountInString(c.text) > maxText {
		c.text = string([]rune(c.text)[:maxText])
	}
	var err error
	if c.blocks, err = checkBlocks(c.blocks); err != nil {
		return content{}, err
	}
	if c.attachments, err = checkAttachments(c.attachments); err != nil {
		return content{}, err
	}
	if strings.TrimSpace(c.text) == "" && c.blocks == nil && c.attachments == nil {
		return content{}, fail("no_text")
	}
	return c, nil
}

// checkMessage is checkContent, and refuses the types of blocks that a fault names.
func (s *Server) checkMessage(c content) (content, error) {
	c, err := checkContent(c)
	active, _ := s.faults.of("")
	for _, f := range active {
		for _, kind := range f.Types {
			if err == nil && f.Kind == RefuseBlocks && bytes.Contains(c.blocks, []byte(`"type":"`+kind+`"`)) {
				err = refusal([]blockcheck.Violation{{Code: blockcheck.InvalidBlocks, Pointer: "/blocks", Text: "unsupported type: " + kind}})
			}
		}
	}
	return c, err
}

// isNothing reports whether an argument that takes a list has none in it.
func isNothing(list json.RawMessage) bool {
	list = bytes.TrimSpace(list)
	return len(list) == 0 || string(list) == "null" || string(list) == "[]"
}

func checkBlocks(blocks json.RawMessage) (json.RawMessage, error) {
	if isNothing(blocks) {
		return nil, nil
	}
	list, violations := blockcheck.Read(blocks)
	if err := refusal(violations); err != nil {
		return nil, err
	}
	form.FillIDs(list)
	return encode(list), nil
}

// checkAttachments checks attachments, and the blocks in them.
func checkAttachments(raw json.RawMessage) (json.RawMessage, error) {
	if isNothing(raw) {
		return nil, nil
	}
	var list []map[string]json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil, fail("invalid_attachments")
	}
	if len(list) > maxAttachments {
		return nil, fail("too_many_attachments")
	}
	for i, a := range list {
		blocks, err := checkBlocks(a["blocks"])
		if err != nil {
			return nil, err
		}
		if blocks != nil {
			a["blocks"] = blocks
		}
		a["id"] = encode(i + 1)
	}
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
