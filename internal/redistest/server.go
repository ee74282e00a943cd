// Package redistest starts real Redis servers for tests: one server, a cluster
// of three masters, a master with a Sentinel. They listen on free loopback
// ports, keep nothing on disk and end with the test. A test whose
// redis-server is missing is skipped by name. What is stored in them is the
// test's own business.
package redistest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/testenv"
)

// readyWithin is the longest that a server may take until it answers: far
// above what it needs, so that only a broken one fails on a busy machine.
const readyWithin = 20 * time.Second

// Server is a running redis-server.
type Server struct {
	addr    string
	client  *redis.Client
	process *os.Process
	exited  chan struct{}
	output  *bytes.Buffer // to be read after exited is closed
}

// Start runs one redis-server until the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	return start(t)
}

// Addr is the server's host:port.
func (s *Server) Addr() string { return s.addr }

// URL is the server's address as configuration names it.
func (s *Server) URL() string { return "redis://" + s.addr }

// Client is a plain client of this server, closed with the test.
func (s *Server) Client() *redis.Client { return s.client }

// Freeze stops the process without ending it: connections stay open and are
// still accepted, and nothing is answered until Thaw.
func (s *Server) Freeze(t testing.TB) { s.signal(t, syscall.SIGSTOP) }

// Thaw lets a frozen server go on.
func (s *Server) Thaw(t testing.TB) { s.signal(t, syscall.SIGCONT) }

// Kill ends the server at once, as a crash would.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	s.signal(t, syscall.SIGKILL)
	<-s.exited
}

func (s *Server) signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	if err := s.process.Signal(sig); err != nil {
		t.Fatalf("redis-server at %s: %v: %v", s.addr, sig, err)
	}
}

// start runs redis-server on a free port. The port can be taken by somebody
// else in between, so a server that ends at once gets two more tries.
func start(t testing.TB, options ...string) *Server {
	t.Helper()
	program := testenv.Need(t, "redis-server")
	for try := 1; ; try++ {
		s, err := run(t, program, freePort(t), options)
		if err == nil {
			return s
		}
		if try == 3 {
			t.Fatal(err)
		}
	}
}

func run(t testing.TB, program string, port int, options []string) (*Server, error) {
	t.Helper()
	s := &Server{addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), exited: make(chan struct{}), output: new(bytes.Buffer)}
	args := append([]string{}, options...)
	args = append(args, "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
		"--dir", t.TempDir(), "--daemonize", "no")
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = s.output, s.output
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	s.process = cmd.Process
	go func() {
		_ = cmd.Wait() // it ends by our own signal, which Wait reports as an error
		close(s.exited)
	}()
	s.client = redis.NewClient(&redis.Options{Addr: s.addr})
	t.Cleanup(func() {
		_ = s.client.Close() // nothing hangs on it any more
		_ = s.process.Kill() // it may have been killed by the test
		<-s.exited
	})
	ctx, cancel := context.WithTimeout(t.Context(), readyWithin)
	defer cancel()
	err := until(ctx, s.exited, func() error { return s.client.Ping(ctx).Err() })
	if err != nil {
		_ = s.process.Kill()
		<-s.exited
		return nil, fmt.Errorf("redis-server at %s: %w; it said:\n%s", s.addr, err, s.output)
	}
	return s, nil
}

// until asks again and again until the answer is nil. It gives up when the
// context ends or the process that is asked has exited.
func until(ctx context.Context, exited <-chan struct{}, ready func() error) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-exited:
			return fmt.Errorf("the process ended: %w", err)
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

func freePort(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("find a free port: %v", err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		t.Fatalf("find a free port: %v", err)
	}
	return port
}
