package rdb

import (
	"bytes"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// MaxValue is the size in bytes above which a value is not read: far more than a
// session with an inlined picture takes, and little enough to hold.
const MaxValue = 32 << 20

// The limits of a reply. The library allocates what a reply announces before any of
// it has arrived, and recurses into nested ones without limit.
const (
	maxBulk     = MaxValue + 1 // bytes; no more is ever requested at once
	maxElements = 1 << 20      // of one reply, those of nested ones included
	maxDepth    = 16           // of nested ones
	maxLine     = 64 << 10     // bytes; errors repeat no more of a question
)

// limitReplies returns the connection, whose reads fail as soon as a reply announces
// more than the limits.
func limitReplies(conn net.Conn) net.Conn {
	m := &limitedConn{Conn: conn}
	if raw, ok := conn.(syscall.Conn); ok { // the library checks there whether the connection is alive
		return limitedRawConn{m, raw}
	}
	return m
}

type limitedRawConn struct {
	*limitedConn
	syscall.Conn
}

// limitedConn parses the headers of the replies that are read.
type limitedConn struct {
	net.Conn
	skip int    // remaining bytes of a string
	line []byte // of a header that is incomplete
	open []int  // remaining elements of the nested replies being read
	seen int    // elements announced in the outermost of them
	err  error
}

// Read fails for good once a reply exceeds a limit.
func (m *limitedConn) Read(b []byte) (int, error) {
	if m.err != nil {
		return 0, m.err
	}
	n, err := m.Conn.Read(b)
	if exceeded := m.follow(b[:n]); exceeded != nil {
		m.err = fmt.Errorf("give a connection up: %w", exceeded) // the library may unwrap one layer
		return 0, m.err
	}
	return n, err
}

func (m *limitedConn) follow(b []byte) error {
	for len(b) > 0 {
		if m.skip > 0 {
			n := min(m.skip, len(b))
			m.skip, b = m.skip-n, b[n:]
			if m.skip == 0 {
				m.done()
			}
			continue
		}
		end := bytes.IndexByte(b, '\n')
		part := b[:end+1]
		if end < 0 {
			part = b
		}
		if m.line = append(m.line, part...); len(m.line) > maxLine {
			return ErrProtocol
		}
		if b = b[len(part):]; end < 0 {
			return nil
		}
		header := bytes.TrimRight(m.line, "\r\n")
		m.line = m.line[:0]
		if len(header) > 0 { // an empty one is left to the library
			if err := m.begin(header[0], string(header[1:])); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin handles the header of a reply.
func (m *limitedConn) begin(kind byte, rest string) error {
	per := 1
	switch kind {
	case '$', '=', '!', '*', '~', '>':
	case '%', '|': // pairs
		per = 2
	case '-':
		if tooManyClients.MatchString(rest) { // the library would go on, and fail with a broken pipe
			return ErrTooManyClients
		}
		m.done()
		return nil
	default: // a simple one, complete
		m.done()
		return nil
	}
	n, err := strconv.Atoi(rest)
	switch {
	case err != nil || n < -1:
		return ErrProtocol
	case n == -1: // null
		m.done()
		return nil
	case kind == '$', kind == '=', kind == '!':
		if n > maxBulk {
			return ErrProtocol
		}
		m.skip = n + len("\r\n")
		return nil
	case n > maxElements || len(m.open) == maxDepth:
		return ErrProtocol
	}
	if len(m.open) == 0 {
		m.seen = 0
	}
	if m.seen += n * per; m.seen > maxElements {
		return ErrProtocol
	}
	missing := n * per
	if kind == '|' { // attributes precede the reply that they belong to
		missing++
	}
	if missing == 0 {
		m.done()
		return nil
	}
	m.open = append(m.open, missing)
	return nil
}

// done ends a reply, and those of which it was the last element.
func (m *limitedConn) done() {
	for last := len(m.open) - 1; last >= 0; last-- {
		if m.open[last]--; m.open[last] > 0 {
			return
		}
		m.open = m.open[:last]
	}
}
