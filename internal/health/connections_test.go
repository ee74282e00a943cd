package health

import (
	"net"
	"net/http"
	"testing"
)

// TestClosedConnectionCountsNoMore: the server goes on with a connection for a moment
// that was closed to make room. No other is closed for it.
func TestClosedConnectionCountsNoMore(t *testing.T) {
	t.Parallel()
	var c connections
	var all []*noted
	for range maxConnections {
		conn := &noted{}
		all = append(all, conn)
		c.changed(conn, http.StateNew)
		c.changed(conn, http.StateActive)
	}
	last := &noted{}
	c.changed(last, http.StateNew)
	c.changed(all[0], http.StateIdle)
	c.changed(all[0], http.StateClosed)
	if !all[0].closed || last.closed || len(c.closing) > 0 {
		t.Errorf("the oldest is closed: %t, the newest: %t, %d are closing", all[0].closed, last.closed, len(c.closing))
	}
}

type noted struct {
	net.Conn
	closed bool
}

func (n *noted) Close() error { n.closed = true; return nil }
