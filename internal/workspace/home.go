package workspace

import (
	"errors"
	"fmt"
)

// errNoHome is the error of a home tab that the app does not have.
var errNoHome = errors.New("the app has no home tab in its manifest")

// Home has a person open the app's home tab. The app gets an event where its
// manifest subscribes to it.
func (s *Server) Home(user string) error {
	ch, ok := s.world.findChannel("D" + user[min(len(user), 1):])
	if p, known := s.world.person(user); !ok || !known || p.Bot {
		return fmt.Errorf("there is no user %s", user)
	}
	if !s.app.hasHome() {
		return errNoHome
	}
	if !s.app.subscribes("app_home_opened") {
		return nil
	}
	event := object{
		"type": "app_home_opened", "user": user, "channel": ch.ID, "tab": homeView, "event_ts": s.stamp(),
	}
	if home, _, _ := s.views.of(user); home != nil {
		event["view"] = s.viewObject(*home)
	}
	s.sendEvent(s.eventPayload(event))
	return nil
}
