package workspace

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/superduperai/sessionbot/internal/workspace/form"
)

// Click is a person's press of a button, of a message or, where ViewID is set, of
// a view.
type Click struct {
	User     string `json:"user"`
	ViewID   string `json:"view_id,omitempty"`
	Channel  string `json:"channel"`
	TS       string `json:"ts"`                 // of the message
	BlockID  string `json:"block_id,omitempty"` // empty = any block
	ActionID string `json:"action_id"`
	Value    string `json:"value,omitempty"` // empty = any value
}

// Input is what a person chooses or fills in, in a message or, where ViewID is
// set, in a view.
type Input struct {
	User     string          `json:"user"`
	ViewID   string          `json:"view_id,omitempty"`
	Channel  string          `json:"channel"`
	TS       string          `json:"ts"`                 // of the message
	BlockID  string          `json:"block_id,omitempty"` // empty = any block
	ActionID string          `json:"action_id"`
	Value    json.RawMessage `json:"value"` // a string, or an array where several may be chosen
}

// errNotInteractive is the error of a click where the app takes none.
var errNotInteractive = errors.New("the app has interactivity switched off in its manifest")

// Click presses the first button that fits and waits for the ack. The error is
// worded for the user of the page, or ErrDispatchFailed or
// ErrOperationTimeout.
func (s *Server) Click(c Click) error {
	at, err := s.scene(c.User, c.ViewID, c.Channel, c.TS)
	if err != nil {
		return err
	}
	for _, e := range form.Elements(at.blocks) {
		if e.Pressed() && e.ActionID == c.ActionID &&
			(c.Value == "" || e.Value == c.Value) && (c.BlockID == "" || e.BlockID == c.BlockID) {
			return s.sendAction(at, e, nil)
		}
	}
	return fmt.Errorf("%s has no such button: action_id %q, value %q", at, c.ActionID, c.Value)
}

// Input chooses an option or fills a field, and waits for the ack where the app
// is to know of it at once. Its error is as Click's.
func (s *Server) Input(in Input) error {
	at, err := s.scene(in.User, in.ViewID, in.Channel, in.TS)
	if err != nil {
		return err
	}
	filled, state, err := s.fill(at, in)
	if err != nil {
		return err
	}
	s.inputs.set(at.key, filled, state)
	s.world.changed.wake()
	if !filled.Immediate() {
		return nil
	}
	return s.sendAction(at, filled, state)
}

// fill finds the first element that fits and takes the value.
func (s *Server) fill(at scene, in Input) (e form.Element, state form.State, err error) {
	err = fmt.Errorf("there is nothing to choose or fill in with block_id %q, action_id %q", in.BlockID, in.ActionID)
	for _, e = range form.Elements(at.blocks) {
		if e.Pressed() || e.ActionID != in.ActionID || (in.BlockID != "" && e.BlockID != in.BlockID) {
			continue
		}
		world := s.formWorld(at.person)
		state, err = e.Fill(in.Value, world)
		if err != nil && e.External() {
			if world.Offered, err = s.suggestions(at, e, in.Value); err == nil {
				state, err = e.Fill(in.Value, world)
			}
		}
		if err == nil {
			break
		}
	}
	return e, state, err
}

// formWorld gives a person's form access to the workspace.
func (s *Server) formWorld(p person) form.World {
	return form.World{
		HasUser: func(id string) bool { _, ok := s.world.person(id); return ok },
		HasChannel: func(id string) bool {
			ch, ok := s.world.channel(id)
			return ok && (ch.Kind == public || ch.has(p.ID))
		},
		File: func(id string) map[string]any {
			if u, ok := s.uploads.find(id); ok && u.User == p.ID {
				return s.fileObject(u)
			}
			return nil
		},
	}
}
