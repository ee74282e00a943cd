package workspace

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/superduperai/sessionbot/internal/workspace/form"
)

// Suggest asks the app for the options of an external select, as Slack does
// while a person types in it. The input's value is what was typed.
func (s *Server) Suggest(in Input) ([]any, error) {
	at, err := s.scene(in.User, in.ViewID, in.Channel, in.TS)
	if err != nil {
		return nil, err
	}
	for _, e := range form.Elements(at.blocks) {
		if e.External() && e.ActionID == in.ActionID && (in.BlockID == "" || e.BlockID == in.BlockID) {
			return s.suggest(at, e, strings.Join(form.Texts(in.Value), " "))
		}
	}
	return nil, fmt.Errorf("%s has no external select with action_id %q", at, in.ActionID)
}

// suggestions are the options that the app offers for each of the wanted values,
// and for nothing typed at all.
func (s *Server) suggestions(at scene, e form.Element, wanted json.RawMessage) ([]any, error) {
	queries := form.Texts(wanted)
	var offered []any
	for _, query := range append(queries, "") {
		options, err := s.suggest(at, e, query)
		if err != nil {
			return nil, err
		}
		offered = append(offered, options...)
	}
	return offered, nil
}

// maxSuggestions is the number of options that Slack takes.
const maxSuggestions = 100

// suggest asks the app for options, with its ack.
func (s *Server) suggest(at scene, e form.Element, query string) ([]any, error) {
	if !s.app.interactive() {
		return nil, errNotInteractive
	}
	payload := s.interactionAt(at, "block_suggestion")
	payload["block_id"], payload["action_id"], payload["value"] = e.BlockID, e.ActionID, query
	ack, err := s.deliver(newEnvelope("interactive", payload, object{"accepts_response_payload": true}))
	if err != nil {
		return nil, err
	}
	var answer struct {
		Options []any `json:"options"`
		Groups  []any `json:"option_groups"`
	}
	if len(ack) == 0 || json.Unmarshal(ack, &answer) != nil {
		return nil, errors.New("the app's answer holds no options")
	}
	options := append(answer.Options, form.Ungroup(answer.Groups)...)
	if len(options) > maxSuggestions {
		s.log.Error("too many options", "count", len(options), "limit", maxSuggestions)
		return nil, fmt.Errorf("the app's answer holds %d options, over the limit of %d", len(options), maxSuggestions)
	}
	return options, nil
}
