package workspace

import (
	"errors"
	"net/http"
)

// usedView is a view that a person uses, or just the person.
type usedView struct {
	User   string `json:"user"`
	ViewID string `json:"view_id"`
}

// controlSubmit answers with the response_action of the app, and with the errors
// that it shows.
func (s *Server) controlSubmit(in usedView) (object, error) {
	action, wrong, err := s.SubmitModal(in.User, in.ViewID)
	answer := object{}
	if action != "" {
		answer["response_action"] = action
	}
	if wrong != nil {
		answer["errors"] = wrong
	}
	return answer, err
}

// controlViews lists what a person has open, and how often that has changed. With
// after=CHANGES and wait=MILLISECONDS it waits for the next change.
func (s *Server) controlViews(r *http.Request) (object, error) {
	user := r.FormValue("user")
	if _, ok := s.world.person(user); !ok {
		return nil, errors.New("there is no user " + user)
	}
	after, err := number(r, "after", 0)
	wait, waitErr := number(r, "wait", 0)
	if err := errors.Join(err, waitErr); err != nil {
		return nil, err
	}
	ctx, cancel := waitContext(r, wait)
	defer cancel()
	for {
		changed := s.world.changed.next()
		home, modals, changes := s.views.of(user)
		if changes > after || ctx.Err() != nil {
			return s.viewsAnswer(home, modals, changes), nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

func (s *Server) viewsAnswer(home *view, modals []view, changes int64) object {
	answer := object{"home": nil, "changes": changes}
	if home != nil {
		answer["home"] = s.viewObject(*home)
	}
	open := make([]object, 0, len(modals))
	for _, v := range modals {
		open = append(open, s.viewObject(v))
	}
	answer["modals"] = open
	return answer
}
