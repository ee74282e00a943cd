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

// What a reply may hold. The library makes room for what a reply announces
// before any of it is there, and goes down into nested ones without end.
const (
	maxBulk     = MaxValue + 1 // bytes; no more is ever asked for at once
	maxElements = 1 << 20      // of one reply, those of nested ones included
	maxDepth    = 16           // of nested ones
	maxLine     = 64 << 10     // bytes; errors repeat no more of a question
)

// limitReplies gives a connection up as soon as a reply announces more than it may
// hold.
func limitReplies(conn net.Conn) net.Conn {
	m := &limitedConn{Conn: conn}
	if raw, ok := conn.(syscall.Conn); ok { // the library looks there whether it is still alive
		return limitedRawConn{m, raw}
	}
	return m
}

type limitedRawConn struct {
	*limitedConn
	syscall.Conn
}

// limitedConn follows the replies that are read from a connection.
type limitedConn struct {
	net.Conn
	skip int    // bytes of a string that are still to come
	line []byte // the header that is being read
	open []int  // how many elements the replies still miss that are being read
	seen int    // elements announced in the outermost of them
	err  error
}

// Read reads, and fails for good where a reply is absurd.
func (m *limitedConn) Read(b []byte) (int, error) {
	if m.err != nil {
		return 0, m.err
	}
	n, err := m.Conn.Read(b)
	if absurd := m.follow(b[:n]); absurd != nil {
		m.err = fmt.Errorf("give a connection up: %w", absurd) // of which the library may take one layer off
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
		if len(header) > 0 { // of an empty one the library says what it thinks of it
			if err := m.begin(header[0], string(header[1:])); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin takes the header of a reply.
func (m *limitedConn) begin(kind byte, rest string) error {
	per := 1
	switch kind {
	case '$', '=', '!', '*', '~', '>':
	case '%', '|': // pairs
		per = 2
	case '-':
		if crowded.MatchString(rest) { // the library would go on, and be told of a broken pipe
			return ErrTooManyClients
		}
		m.done()
		return nil
	default: // it is whole
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
	if kind == '|' { // attributes stand before the reply that they belong to
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
