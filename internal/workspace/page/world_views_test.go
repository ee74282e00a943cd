package page

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/superduperai/sessionbot/internal/workspace/form"
)

// note keeps what somebody did, and returns the fault that it meets.
func (w *world) note(parts ...string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clicks = append(w.clicks, strings.Join(parts, " "))
	return w.fault
}

func (w *world) Click(user string, at Element, value string) error {
	fault := w.note(user, at.View+at.Channel, at.TS, at.Block, at.Action, value)
	switch {
	case fault != nil:
	case at.Action == "confirm.approve":
		w.change(at.Channel, at.TS, func(m *Message) {
			m.Blocks, m.Text, m.Edited = nil, "*Generating* · approved by <@"+user+">", true
		})
	case at.Action == "form.more":
		w.open(w.views[0].Blocks, "One more")
	}
	return fault
}

// Fill notes the values, and what was filled in then shows.
func (w *world) Fill(user string, at Element, values []string) error {
	place := at.View
	if place == "" {
		place = at.Channel + " " + at.TS
	}
	if fault := w.note("fill", user, place, at.Block, at.Action, strings.Join(values, ",")); fault != nil {
		return fault
	}
	var filled error
	fill := func(blocks json.RawMessage) json.RawMessage {
		for _, e := range form.Elements(blocks) {
			if e.BlockID != at.Block || e.ActionID != at.Action {
				continue
			}
			raw, _ := json.Marshal(values) // strings
			state, err := e.Fill(raw, form.World{HasUser: func(string) bool { return true }, HasChannel: func(string) bool { return true },
				File:    func(id string) map[string]any { return map[string]any{"name": id, "filetype": "png"} },
				Offered: []any{offered("1"), offered("12")}})
			if err == nil && e.Type != "overflow" {
				w.filled.Set(e, state)
			}
			filled = err
		}
		return w.filled.Shown(blocks)
	}
	if at.View == "" {
		w.change(at.Channel, at.TS, func(m *Message) { m.Shown = fill(m.Blocks) })
		return filled
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, v := range w.views {
		if v.ID == at.View {
			w.views[i].Blocks = fill(v.Blocks)
		}
	}
	w.wake()
	return filled
}

// Upload notes the file, which stands for itself.
func (w *world) Upload(user, name string, content []byte) (string, error) {
	return name, w.note("upload", user, name, string(content))
}

// offered is an option that the canned app offers.
func offered(value string) map[string]any {
	return map[string]any{"text": map[string]any{"type": "plain_text", "text": "cs_live_" + value}, "value": value}
}

func (w *world) Suggest(_ string, _ Element, query string) ([]Suggestion, error) {
	return []Suggestion{{Text: "cs_live_" + query, Value: query}, {Text: "cs_live_" + query + "2", Value: query + "2"}}, nil
}

func (w *world) Shortcuts() []Shortcut {
	return []Shortcut{
		{CallbackID: "debug", Name: "Debug this session", About: "What happened to it", OfMessages: true},
		{CallbackID: "find", Name: "Find a session", About: "By id, e-mail or payment"},
	}
}

func (w *world) UseShortcut(user, channel, ts, callbackID string) error {
	if fault := w.note("shortcut", user, channel, ts, callbackID); fault != nil {
		return fault
	}
	blocks, err := os.ReadFile("testdata/modal.json")
	if err != nil {
		return err
	}
	w.open(blocks, "Restore a prompt")
	return nil
}

// open shows a modal on top.
func (w *world) open(blocks json.RawMessage, title string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serial++
	w.views = append(w.views, View{
		ID: fmt.Sprintf("V%d", w.serial), Hash: fmt.Sprint(w.serial), Title: title, Submit: "Save", Close: "Cancel", Blocks: blocks,
	})
	w.wake()
}

func (w *world) HasHome() bool { return true }

func (w *world) OpenHome(user string) error {
	if fault := w.note("home", user); fault != nil {
		return fault
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serial++
	w.home = &View{ID: "VHOME", Hash: fmt.Sprint(w.serial), Blocks: json.RawMessage(`[{"type":"header","text":{"type":"plain_text","text":"Open incidents"}},
		{"type":"section","block_id":"i","text":{"type":"mrkdwn","text":"*2 sessions* are orphaned"},"accessory":{"type":"button","action_id":"open","text":{"type":"plain_text","text":"Open"}}},
		{"type":"input","block_id":"q","dispatch_action":true,"label":{"type":"plain_text","text":"Search"},"element":{"type":"plain_text_input","action_id":"search"}}]`)}
	w.wake()
	return nil
}

func (w *world) Views(string) (home, modal *View) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.views) > 0 {
		top := w.views[len(w.views)-1]
		modal = &top
	}
	return w.home, modal
}

// Submit finds the prompt wrong where it is short.
func (w *world) Submit(user, view string) error {
	if fault := w.note("submit", user, view); fault != nil {
		return fault
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	top := &w.views[len(w.views)-1]
	raw, _ := json.Marshal(w.filled["prompt"]["text"]["value"]) // a string or nothing
	if len(raw) < 20 {
		top.Errors = map[string]string{"prompt": "The prompt is too short."}
	} else {
		w.views = w.views[:len(w.views)-1]
	}
	w.wake()
	return nil
}

func (w *world) Close(user, view string, all bool) error {
	if fault := w.note("close", user, view, fmt.Sprint(all)); fault != nil {
		return fault
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.views = w.views[:len(w.views)-1]
	if all {
		w.views = nil
	}
	w.wake()
	return nil
}
