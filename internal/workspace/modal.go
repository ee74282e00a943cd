package workspace

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/superduperai/sessionbot/internal/workspace/form"
)

// errTrouble is what a person reads where the app's answer to a submission is of
// no use.
var errTrouble = errors.New("we had some trouble connecting: the app's answer is not valid")

// errRequired is the error of a required field that is empty. It shows below it.
var errRequired = errors.New("please complete this required field")

// submission is what an app answers a view_submission with.
type submission struct {
	Action string            `json:"response_action"`
	Errors map[string]string `json:"errors"`
	View   json.RawMessage   `json:"view"`
}

// SubmitModal has a person submit a modal, and waits for the ack. It returns the
// response_action that the app answered, and the errors of an answer "errors". A
// required field that is empty is an error, and does not reach the app.
func (s *Server) SubmitModal(user, viewID string) (action string, wrong map[string]string, err error) {
	at, err := s.viewScene(user, viewID)
	if err != nil {
		return "", nil, err
	}
	if err := s.submittable(at); err != nil {
		return "", nil, err
	}
	payload := s.interaction("view_submission", at.person)
	payload["view"] = s.viewObject(at.view)
	payload["trigger_id"] = s.triggerID(at.person.ID, at.view.ID)
	payload["response_urls"] = s.responseURLs(at)
	ack, err := s.deliver(newEnvelope("interactive", payload, object{"accepts_response_payload": true}))
	if err != nil {
		return "", nil, err
	}
	answer, err := s.answerSubmission(at.view, ack)
	if err != nil {
		s.log.Error("answer to a view_submission refused", "error", err)
		return "", nil, fmt.Errorf("%w: %w", errTrouble, err)
	}
	return answer.Action, answer.Errors, nil
}

// submittable returns why a view cannot be submitted.
func (s *Server) submittable(at scene) error {
	switch {
	case at.view.Type != modalView:
		return fmt.Errorf("%s is no modal", at)
	case !at.view.submits():
		return fmt.Errorf("%s has no submit button", at)
	case at.view.SubmitDisabled:
		return fmt.Errorf("the submit button of %s is disabled", at)
	case !s.app.interactive():
		return errNotInteractive
	}
	values := s.inputs.of(at.key)
	for _, e := range form.Elements(at.blocks) {
		if e.InInput && !e.Optional && values.Empty(e) {
			s.views.mark(at.view, map[string]string{e.BlockID: "Please complete this required field."})
			return fmt.Errorf("%w: block_id %q, action_id %q", errRequired, e.BlockID, e.ActionID)
		}
	}
	return nil
}

// responseURLs lets the app answer in the channels that were chosen in fields with
// response_url_enabled.
func (s *Server) responseURLs(at scene) []object {
	list := []object{}
	values := s.inputs.of(at.key)
	for _, e := range form.Elements(at.blocks) {
		ch, ok := s.world.channel(values.Responds(e))
		if !ok {
			continue
		}
		token := s.responses.issue(response{user: at.person.ID, channel: ch.ID})
		list = append(list, object{
			"block_id": e.BlockID, "action_id": e.ActionID, "channel_id": ch.ID, "response_url": s.responseURL(token),
		})
	}
	return list
}

// submits reports whether a modal has a submit button.
func (v view) submits() bool { return len(v.Submit) > 0 && string(v.Submit) != "null" }

// answerSubmission does what the app answers a submission with. Nothing closes
// the modal.
func (s *Server) answerSubmission(v view, ack json.RawMessage) (submission, error) {
	var a submission
	if len(ack) > 0 && json.Unmarshal(ack, &a) != nil {
		return a, errors.New("it is no object")
	}
	switch a.Action {
	case "":
		s.drop(s.views.close(v.User, v.ID, false))
	case "clear":
		s.drop(s.views.close(v.User, v.ID, true))
	case "errors":
		return a, s.showErrors(v, a.Errors)
	case "update":
		return a, s.answerView(a.View, func(c viewContent) error { _, err := s.views.update(v.ID, "", c); return err })
	case "push":
		return a, s.answerView(a.View, func(c viewContent) error { _, err := s.views.push(v.User, v.ID, c); return err })
	default:
		return a, fmt.Errorf("response_action %q is none", a.Action)
	}
	return a, nil
}

// answerView checks the view in an answer, and shows it.
func (s *Server) answerView(raw json.RawMessage, show func(viewContent) error) error {
	content, err := readView(raw, modalView)
	if err != nil {
		return err
	}
	return show(content)
}

// showErrors shows errors below their fields. Slack takes those of input blocks
// only.
func (s *Server) showErrors(v view, errs map[string]string) error {
	inputs := map[string]bool{}
	for _, e := range form.Elements(v.Blocks) {
		inputs[e.BlockID] = inputs[e.BlockID] || e.InInput
	}
	if len(errs) == 0 {
		return errors.New("errors is empty")
	}
	for id := range errs {
		if !inputs[id] {
			return fmt.Errorf("there is no input block %q for an error", id)
		}
	}
	s.views.mark(v, errs)
	return nil
}

// CloseModal has a person close a modal with its close button: the one below it shows
// again. With all, or where the modal says so, the whole stack goes.
func (s *Server) CloseModal(user, viewID string, all bool) error {
	at, err := s.viewScene(user, viewID)
	if err != nil {
		return err
	}
	if at.view.Type != modalView {
		return fmt.Errorf("%s is no modal", at)
	}
	all = all || at.view.ClearOnClose
	closed := s.views.close(user, viewID, all)
	for _, v := range closed {
		if v.NotifyOnClose && s.app.interactive() {
			s.notifyClosed(at.person, v, all)
		}
	}
	s.drop(closed)
	return nil
}

// notifyClosed sends the app the event that a person has closed a modal. The person does
// not wait for the ack.
func (s *Server) notifyClosed(p person, v view, cleared bool) {
	payload := s.interaction("view_closed", p)
	payload["view"], payload["is_cleared"] = s.viewObject(v), cleared
	s.run(func() {
		if _, err := s.deliver(newEnvelope("interactive", payload, object{"accepts_response_payload": false})); err != nil {
			s.log.Warn("view_closed not acknowledged", "error", err)
		}
	})
}

// drop forgets what was filled in in views that are gone.
func (s *Server) drop(closed []view) {
	for _, v := range closed {
		s.inputs.forget(v.key())
	}
}

// key is the form that a view is.
func (v view) key() inputKey { return inputKey{user: v.User, view: v.ID} }
