package form

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
)

// State is what one element holds, as state.values has it: its type and one
// member more.
type State map[string]any

// Values are the states of a form by block_id and action_id. Its zero value is
// an untouched form.
type Values map[string]map[string]State

// Fill makes the state of an element in which a person chose or typed value: a
// JSON string, or an array of them where several may be chosen. The empty
// string, null or an empty array clears it.
func (e Element) Fill(value json.RawMessage, w World) (State, error) {
	k := kinds[e.Type]
	if k.check == nil {
		return nil, fmt.Errorf("a %s is pressed, not filled", e.Type)
	}
	texts, err := readValue(value, k.many)
	if err != nil {
		return nil, err
	}
	if most, ok := e.mostChoices(); ok && len(texts) > most {
		return nil, fmt.Errorf("%d choices are more than the %d allowed", len(texts), most)
	}
	chosen := make([]any, 0, len(texts))
	for _, text := range texts {
		one, err := k.check(e, text, w)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, one)
	}
	switch {
	case k.many:
		return State{"type": e.Type, k.state: chosen}, nil
	case len(chosen) > 0 && k.state == "":
		return State{"type": e.Type, "selected_option": chosen[0]}, nil
	case len(chosen) > 0:
		return State{"type": e.Type, k.state: chosen[0]}, nil
	case k.state == "":
		return nil, errors.New("an option is needed")
	}
	return State{"type": e.Type, k.state: nil}, nil
}

// mostChoices is how many may be chosen, where that is limited.
func (e Element) mostChoices() (int, bool) {
	if e.Type != "file_input" {
		most, ok := e.limit("max_selected_items")
		return int(most), ok
	}
	if most, ok := e.limit("max_files"); ok {
		return int(most), true
	}
	return 10, true // Slack's default
}

// readValue reads the texts of a value. A single element holds at most one.
func readValue(value json.RawMessage, many bool) ([]string, error) {
	var text string
	if json.Unmarshal(value, &text) == nil || len(value) == 0 {
		if text == "" {
			return nil, nil
		}
		return []string{text}, nil
	}
	var texts []string
	if json.Unmarshal(value, &texts) != nil || (!many && len(texts) > 1) {
		if many {
			return nil, errors.New("the value is neither a string nor an array of strings")
		}
		return nil, errors.New("the value is no string")
	}
	return texts, nil
}

// Texts are the texts of a value; rubbish has none.
func Texts(value json.RawMessage) []string {
	texts, err := readValue(value, true)
	if err != nil {
		return nil
	}
	return texts
}

// initial is the state with which an element starts.
func (e Element) initial() State {
	k := kinds[e.Type]
	start := e.raw[k.initial]
	if start == nil && k.many {
		start = []any{}
	}
	return State{"type": e.Type, k.state: start}
}

// Set keeps the state of an element.
func (v Values) Set(e Element, s State) {
	if kinds[e.Type].state == "" {
		return
	}
	if v[e.BlockID] == nil {
		v[e.BlockID] = map[string]State{}
	}
	v[e.BlockID][e.ActionID] = s
}

// of is the state of an element now.
func (v Values) of(e Element) State {
	if s, ok := v[e.BlockID][e.ActionID]; ok && s["type"] == e.Type {
		return s
	}
	return e.initial()
}

// Empty reports whether nothing is chosen or typed in an element.
func (v Values) Empty(e Element) bool {
	switch now := v.of(e)[kinds[e.Type].state].(type) {
	case nil:
		return true
	case string:
		return strings.TrimSpace(now) == ""
	case []any:
		return len(now) == 0
	}
	return false
}

// Responds is the channel that is chosen in an element with
// response_url_enabled; none is empty.
func (v Values) Responds(e Element) string {
	if enabled, _ := e.raw["response_url_enabled"].(bool); !enabled || !e.InInput {
		return ""
	}
	id, _ := v.of(e)[kinds[e.Type].state].(string)
	return id
}

// In is state.values of blocks: the state of every element that has one.
func (v Values) In(blocks json.RawMessage) Values {
	all := Values{}
	for _, e := range Elements(blocks) {
		if kinds[e.Type].state != "" {
			all.Set(e, v.of(e))
		}
	}
	return all
}

// Clone copies the values, so that changes of one do not show in the other.
func (v Values) Clone() Values {
	c := Values{}
	for id, states := range v {
		c[id] = maps.Clone(states)
	}
	return c
}

// Shown are the blocks as they look with these values: every element starts
// with what it holds now.
func (v Values) Shown(blocks json.RawMessage) json.RawMessage {
	if len(v) == 0 {
		return blocks
	}
	tree := decode(blocks)
	walk(tree, place{}, func(at place, raw object) {
		e := Element{BlockID: at.blockID, raw: raw}.read()
		k := kinds[e.Type]
		if k.initial == "" {
			return
		}
		if now := v.of(e)[k.state]; now != nil {
			raw[k.initial] = now
		} else {
			delete(raw, k.initial)
		}
	})
	return encode(tree)
}

// Action is an entry of a block_actions payload: the element as it was used.
// state is that of an element that was filled.
func (e Element) Action(state State, at string) map[string]any {
	a := object{"block_id": e.BlockID, "action_ts": at}
	for _, name := range []string{"type", "action_id", "text", "value", "style", "url", "placeholder", "confirm", kinds[e.Type].initial} {
		if v, ok := e.raw[name]; ok && name != "" && v != "" {
			a[name] = v
		}
	}
	maps.Copy(a, state)
	return a
}
