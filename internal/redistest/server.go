// Package redistest starts real Redis servers for tests: a single server, a
// cluster, a master with replicas and Sentinels. They listen on free loopback
// ports, keep nothing on disk but what a test saves, and end with the test. A test whose redis-server is missing is skipped by name.
package redistest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/testenv"
)

// Server is a running redis-server.
type Server struct {
	addr    string
	args    []string
	client  *redis.Client
	process *os.Process
	exited  chan struct{}
	output  *bytes.Buffer // to be read after exited is closed
}

// Start runs one redis-server until the test ends, with the options given, such
// as "--maxmemory", "1mb".
func Start(t testing.TB, options ...string) *Server {
	t.Helper()
	program := testenv.Need(t, "redis-server")
	// Another process may take the port in between: a server that exits at once gets
	// two more tries.
	for try := 1; ; try++ {
		s, err := run(t, program, options)
		if err == nil {
			return s
		}
		if try == 3 {
			t.Fatal(err)
		}
	}
}

func run(t testing.TB, program string, options []string) (*Server, error) {
	t.Helper()
	port := strconv.Itoa(testenv.FreePort(t))
	s := &Server{addr: net.JoinHostPort("127.0.0.1", port)}
	s.args = slices.Concat([]string{program}, options, []string{
		"--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir(), "--daemonize", "no",
		"--repl-diskless-sync", "no", // it would wait for more replicas
	})
	if err := s.launch(s.args); err != nil {
		return nil, err
	}
	s.client = redis.NewClient(&redis.Options{Addr: s.addr})
	t.Cleanup(func() {
		_ = s.client.Close() // of no use any more
		_ = s.process.Kill() // the test may have killed it
		<-s.exited
	})
	ctx, cancel := context.WithTimeout(t.Context(), testenv.Patience)
	defer cancel()
	if err := s.until(ctx, func() error { return s.client.Ping(ctx).Err() }); err != nil {
		_ = s.process.Kill() // it may have exited
		<-s.exited
		return nil, fmt.Errorf("redis-server at %s: %w; it said:\n%s", s.addr, err, s.output)
	}
	return s, nil
}

// launch starts the process.
func (s *Server) launch(args []string) error {
	cmd := exec.Command(args[0], args[1:]...)
	s.output = new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = s.output, s.output
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", args[0], err)
	}
	exited := make(chan struct{})
	s.process, s.exited = cmd.Process, exited
	go func() {
		_ = cmd.Wait() // it ends by our own signal, which Wait reports as an error
		close(exited)
	}()
	return nil
}

// Addr returns the server's host:port.
func (s *Server) Addr() string { return s.addr }

// URL returns the server's address as configuration names it.
func (s *Server) URL() string { return "redis://" + s.addr }

// Client returns a client of this server, closed with the test.
func (s *Server) Client() *redis.Client { return s.client }

// Freeze suspends the process: connections stay open and are still accepted, and
// nothing is answered until Thaw.
func (s *Server) Freeze(t testing.TB) { s.signal(t, syscall.SIGSTOP) }

// Thaw resumes a frozen server.
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

// Restart runs a killed server again, with what it saved (SAVE) and additional
// options. It returns at once: the server may still load.
func (s *Server) Restart(t testing.TB, options ...string) {
	t.Helper()
	if err := s.launch(slices.Concat(s.args, options)); err != nil {
		t.Fatalf("redis-server at %s: %v", s.addr, err)
	}
}

// await waits until ready returns nil, and fails the test where it never does.
func (s *Server) await(t testing.TB, ready func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testenv.Patience)
	defer cancel()
	if err := s.until(ctx, func() error { return ready(ctx) }); err != nil {
		t.Fatalf("redis-server at %s is not ready: %v", s.addr, err)
	}
}

// until calls ready until it returns nil, the context ends or the process exits.
func (s *Server) until(ctx context.Context, ready func() error) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-s.exited:
			return fmt.Errorf("the process exited: %w", err)
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}
