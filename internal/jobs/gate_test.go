package jobs_test

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// gate is a proxy in front of a Redis. Shut, it closes all connections.
type gate struct {
	listener net.Listener
	to       *url.URL

	mu      sync.Mutex
	open    map[net.Conn]bool
	refuses int // how many connections are refused before it opens by itself
}

func newGate(t *testing.T, redisURL string) *gate {
	t.Helper()
	to, err := url.Parse(redisURL)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{listener: listener, to: to, open: map[net.Conn]bool{}}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed below
			}
			serving.Go(func() { g.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close() // only for reading
		g.shut(1)
		serving.Wait()
	})
	return g
}

// url returns the URL of the Redis through the gate.
func (g *gate) url() string {
	way := *g.to
	way.Host = g.listener.Addr().String()
	return way.String()
}

// shut closes all connections, and refuses that many new ones.
func (g *gate) shut(refuses int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refuses = refuses
	for conn := range g.open {
		_ = conn.Close() // on purpose
	}
}

// admit reports whether the connection is accepted, and remembers it.
func (g *gate) admit(conns ...net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.refuses > 0 {
		g.refuses--
		return false
	}
	for _, conn := range conns {
		g.open[conn] = true
	}
	return true
}

func (g *gate) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	server, err := net.Dial("tcp", g.to.Host)
	if err != nil {
		return // the Redis has ended with its test
	}
	defer func() { _ = server.Close() }()
	if !g.admit(conn, server) {
		return
	}
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{conn, server}, {server, conn}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1]) // until either side hangs up
			_ = conn.Close()
			_ = server.Close()
		})
	}
	both.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.open, conn)
	delete(g.open, server)
}
