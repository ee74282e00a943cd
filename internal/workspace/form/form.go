// Package form knows the interactive elements of Block Kit: which ones blocks
// hold, what a person may choose or type in them, and how an app sees that in
// state.values and in actions. It sends nothing and keeps nothing.
package form

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
)

// object is a JSON object.
type object = map[string]any

// nested are the members under which blocks hold further blocks and elements.
var nested = []string{"elements", "accessory", "actions", "child_blocks", "rows", "items", "block", "element", "blocks"}

// place is where an element stands.
type place struct {
	blockID string
	input   object // the input block around it, nil outside of one
}

// walk visits every interactive element in JSON that Slack takes as blocks, in
// order.
func walk(v any, at place, visit func(place, object)) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			walk(item, at, visit)
		}
	case object:
		kind, _ := v["type"].(string)
		if _, ok := kinds[kind]; ok {
			visit(at, v)
			return
		}
		if id, _ := v["block_id"].(string); id != "" {
			at.blockID = id
		}
		at.input = nil
		if kind == "input" {
			at.input = v
		}
		for _, name := range nested {
			walk(v[name], at, visit)
		}
	}
}

// FillIDs gives every block a block_id and every interactive element an
// action_id where they have none, as Slack does.
func FillIDs(blocks []any) {
	for _, raw := range blocks {
		if block, ok := raw.(object); ok {
			fillID(block, "block_id")
		}
	}
	walk(blocks, place{}, func(_ place, e object) { fillID(e, "action_id") })
}

func fillID(o object, name string) {
	if id, _ := o[name].(string); id == "" {
		o[name] = rand.Text()[:5]
	}
}

// Elements lists the interactive elements of blocks, in order. Rubbish has none.
func Elements(blocks json.RawMessage) []Element {
	var list []Element
	walk(decode(blocks), place{}, func(at place, raw object) {
		e := Element{BlockID: at.blockID, InInput: at.input != nil, raw: raw}
		if e.InInput {
			e.Optional, _ = at.input["optional"].(bool)
			e.Dispatches, _ = at.input["dispatch_action"].(bool)
		}
		for _, part := range feedbackParts(raw) {
			e := e
			e.raw = part
			list = append(list, e.read())
		}
	})
	return list
}

// feedbackParts splits feedback buttons, which share an action_id, into the two
// buttons that they are. Any other element is its own only part.
func feedbackParts(raw object) []object {
	if raw["type"] != "feedback_buttons" {
		return []object{raw}
	}
	var parts []object
	for _, name := range []string{"positive_button", "negative_button"} {
		button, _ := raw[name].(object)
		parts = append(parts, object{
			"type": raw["type"], "action_id": raw["action_id"], "text": button["text"], "value": button["value"],
		})
	}
	return parts
}

// Element is an interactive element and its place.
type Element struct {
	BlockID    string
	Type       string
	ActionID   string
	Value      string // of a button
	InInput    bool   // it is in an input block
	Optional   bool   // that may stay empty
	Dispatches bool   // and is sent at once all the same

	raw object
}

// read fills in what the element's JSON says.
func (e Element) read() Element {
	e.Type, _ = e.raw["type"].(string)
	e.ActionID, _ = e.raw["action_id"].(string)
	e.Value, _ = e.raw["value"].(string)
	return e
}

// Pressed reports whether the element is pressed instead of filled.
func (e Element) Pressed() bool { return kinds[e.Type].state == "" && e.Type != "overflow" }

// External reports whether the app offers the element's options while a person
// types.
func (e Element) External() bool {
	return e.Type == "external_select" || e.Type == "multi_external_select"
}

// Immediate reports whether the app is to know at once what is chosen.
func (e Element) Immediate() bool { return !e.InInput || e.Dispatches }

// decode reads JSON and keeps numbers as they are written. Rubbish is nil.
func decode(raw json.RawMessage) any {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var v any
	if decoder.Decode(&v) != nil {
		return nil
	}
	return v
}

// encode writes what decode has read. Mrkdwn is full of < and >: they stay as
// they are.
func encode(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("form: cannot write JSON that it has read: " + err.Error())
	}
	return bytes.TrimSpace(b.Bytes())
}
