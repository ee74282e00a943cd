package workspace

import (
	"slices"
	"time"
)

// warnDisconnect announces the end of connections, and carries it out after a
// while.
func (m *socketMode) warnDisconnect(sockets []*socket, wait time.Duration) {
	for _, c := range sockets {
		m.sendDisconnect(c, "warning")
	}
	m.after(wait, func() {
		for _, c := range sockets {
			if slices.Contains(m.sockets.byAge(), c) { // most apps leave at the warning
				m.end(c, refreshRequested)
			}
		}
	})
}

// disconnect ends the oldest connection, as Slack does with one after the
// other. When Socket Mode is switched off all of them end.
func (m *socketMode) disconnect(reason string) {
	if reason == "" {
		reason = refreshRequested
	}
	for i, c := range m.sockets.byAge() {
		if i == 0 || reason == linkDisabled {
			m.end(c, reason)
		}
	}
}

// end announces the end of a connection, and closes it.
func (m *socketMode) end(c *socket, reason string) {
	m.sendDisconnect(c, reason)
	c.sendClose()
	m.sockets.drop(c)
}

// setHalfOpen leaves the connections there are open, but dead, or ends that.
func (m *socketMode) setHalfOpen(halfOpen bool) {
	for _, c := range m.sockets.all() {
		if err := c.setHalfOpen(halfOpen); err != nil {
			m.sockets.drop(c) // it has ended
		}
	}
}
