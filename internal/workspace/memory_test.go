package workspace

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// memory is a network of this process's own, so that whole stories with a
// workspace can run on the clock of a synctest bubble.
type memory struct {
	waiting chan net.Conn
	closed  chan struct{}
	once    sync.Once
	served  func(*line) // called with the workspace's end of each connection; may be nil
}

func newMemory() *memory {
	return &memory{waiting: make(chan net.Conn), closed: make(chan struct{})}
}

func (m *memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.waiting:
		return c, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

func (m *memory) Close() error {
	m.once.Do(func() { close(m.closed) })
	return nil
}

func (m *memory) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8420} }

// dial connects to the workspace, whatever the address.
func (m *memory) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	server := newLine(there)
	if m.served != nil {
		m.served(server)
	}
	select {
	case m.waiting <- server:
		return newLine(here), nil
	case <-m.closed:
	case <-ctx.Done():
	}
	return nil, net.ErrClosed
}

// line is one end of a connection. As with a kernel's, and unlike with a pipe,
// its writes do not wait for the other end to read.
type line struct {
	net.Conn
	queue  chan []byte
	mu     sync.Mutex
	over   bool
	closed chan struct{}
	ended  func()           // called when this end is closed; may be nil
	wrote  func(first byte) // called with the first byte of each write; may be nil
}

// lingers is how long what was written has to arrive once a line is closed.
const lingers = time.Second

func newLine(c net.Conn) *line {
	l := &line{Conn: c, queue: make(chan []byte, 10_000), closed: make(chan struct{})}
	go l.carry()
	return l
}

// carry brings what was written to the other end, the rest too when this end is
// closed.
func (l *line) carry() {
	defer func() { _ = l.Conn.Close() }()
	for {
		var raw []byte
		select {
		case raw = <-l.queue:
		default:
			select {
			case raw = <-l.queue:
			case <-l.closed:
				return
			}
		}
		if _, err := l.Conn.Write(raw); err != nil {
			return
		}
	}
}

func (l *line) Write(raw []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return 0, net.ErrClosed
	}
	if l.wrote != nil {
		l.wrote(raw[0])
	}
	l.queue <- bytes.Clone(raw)
	return len(raw), nil
}

func (l *line) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return net.ErrClosed
	}
	l.over = true
	close(l.closed)
	if l.ended != nil {
		l.ended()
	}
	return errors.Join(l.Conn.SetReadDeadline(time.Unix(1, 0)), l.Conn.SetWriteDeadline(time.Now().Add(lingers)))
}

func (l *line) SetReadDeadline(at time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return net.ErrClosed
	}
	return l.Conn.SetReadDeadline(at)
}

func (l *line) SetDeadline(at time.Time) error   { return l.SetReadDeadline(at) }
func (l *line) SetWriteDeadline(time.Time) error { return nil } // writes never wait

// inBubble runs a test against a workspace that keeps Slack's own times, on a
// clock that leaps ahead whenever everybody waits.
func inBubble(t *testing.T, story func(t *testing.T, s *Server, m *memory)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		s := serve(m, Config{}, slackTiming, manifest{}, newWorld(time.Now, "app"))
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			time.Sleep(2 * lingers)
		})
		story(t, s, m)
	})
}

// elapsed is a stopwatch.
func elapsed() func() time.Duration {
	started := time.Now()
	return func() time.Duration { return time.Since(started) }
}
