package workspace

import (
	"slices"
	"time"
)

// warnDisconnect announces the end of connections, and carries it out after a
// while.
func (s *Server) warnDisconnect(sockets []*socket, wait time.Duration) {
	for _, c := range sockets {
		s.sendDisconnect(c, "warning")
	}
	s.after(wait, func() {
		for _, c := range sockets {
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

// end announces the end of a connection, and closes it.
func (s *Server) end(c *socket, reason string) {
	s.sendDisconnect(c, reason)
	c.sendClose()
	s.sockets.drop(c)
}

// setHalfOpen leaves the connections there are open, but dead, or ends that.
func (s *Server) setHalfOpen(halfOpen bool) {
	for _, c := range s.sockets.all() {
		if err := c.setHalfOpen(halfOpen); err != nil {
			s.sockets.drop(c) // it has ended
		}
	}
}
