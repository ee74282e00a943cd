package workspace

import (
	"slices"
	"time"
)

// warn announces the end of connections, and carries it out. 0 is Slack's own
// time between the two.
func (s *Server) warn(going []*socket, after time.Duration) {
	if after == 0 {
		after = s.timing.refresh
	}
	for _, c := range going {
		s.sayDisconnect(c, "warning")
	}
	s.later(after, func() {
		for _, c := range going {
			if slices.Contains(s.sockets.byAge(), c) { // most apps leave at the warning
				s.end(c, refreshRequested)
			}
		}
	})
}

// disconnect ends the oldest connection, as Slack does with one after the
// other. When Socket Mode is switched off all of them end.
func (s *Server) disconnect(reason string) {
	if reason == "" {
		reason = refreshRequested
	}
	for i, c := range s.sockets.byAge() {
		if i == 0 || reason == linkDisabled {
			s.end(c, reason)
		}
	}
}

// end tells a connection to go, and closes it.
func (s *Server) end(c *socket, reason string) {
	s.sayDisconnect(c, reason)
	c.bye()
	s.sockets.drop(c)
}

// deafen leaves the connections there are open, but dead.
func (s *Server) deafen(lasting time.Duration) {
	s.setDeaf(true)
	if lasting > 0 {
		s.later(lasting, s.hearAgain)
	}
}

func (s *Server) hearAgain() { s.setDeaf(false) }

func (s *Server) setDeaf(deaf bool) {
	for _, c := range s.sockets.all() {
		if err := c.deafen(deaf); err != nil {
			s.sockets.drop(c) // it has died meanwhile
		}
	}
}

// later runs do after a while, unless the workspace is closed before.
func (s *Server) later(after time.Duration, do func()) {
	s.begin(func() {
		if s.pause(after) {
			do()
		}
	})
}
