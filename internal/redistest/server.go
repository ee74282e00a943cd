// Package redistest starts real Redis servers for tests: one server, with TLS
// where that is wanted, a cluster of three masters, a master with Sentinels.
// They listen on free loopback ports, keep nothing on disk but what a test has
// them save, and end with the test. A test whose
// redis-server is missing is skipped by name. What is stored in them is the
// test's own business.
package redistest

import (
	"bytes"
	"context"
	"crypto/tls"
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

// readyWithin is the longest that a server may take until it answers.
const readyWithin = testenv.Patience

// Server is a running redis-server.
type Server struct {
	addr    string
	tls     *tls.Config // nil = not encrypted
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
	return start(t, options...)
}

// Addr is the server's host:port.
func (s *Server) Addr() string { return s.addr }

// URL is the server's address as configuration names it.
func (s *Server) URL() string {
	if s.tls != nil {
		return "rediss://" + s.addr
	}
	return "redis://" + s.addr
}

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

// Restart runs a killed server again, with what it saved (SAVE) and the options
// given on top. It returns at once: the server may still load.
func (s *Server) Restart(t testing.TB, options ...string) {
	t.Helper()
	if err := s.launch(append(append([]string{}, s.args...), options...)); err != nil {
		t.Fatalf("redis-server at %s: %v", s.addr, err)
	}
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
	return startWith(t, nil, options...)
}

// startWith is start for a server that encrypts, if there is a configuration.
func startWith(t testing.TB, secure *tls.Config, options ...string) *Server {
	t.Helper()
	program := testenv.Need(t, "redis-server")
	for try := 1; ; try++ {
		s, err := run(t, program, testenv.FreePort(t), secure, options)
		if err == nil {
			return s
		}
		if try == 3 {
			t.Fatal(err)
		}
	}
}

func run(t testing.TB, program string, port int, secure *tls.Config, options []string) (*Server, error) {
	t.Helper()
	s := &Server{addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), tls: secure}
	listen := []string{"--port", strconv.Itoa(port)}
	if secure != nil {
		listen = []string{"--port", "0", "--tls-port", strconv.Itoa(port)}
	}
	s.args = append(append([]string{program}, options...), listen...)
	s.args = append(s.args, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir(), "--daemonize", "no",
		"--repl-diskless-sync", "no") // it would wait for more replicas, and then for a word of theirs
	if err := s.launch(s.args); err != nil {
		return nil, err
	}
	s.client = redis.NewClient(&redis.Options{Addr: s.addr, TLSConfig: secure})
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

// launch starts the process.
func (s *Server) launch(args []string) error {
	cmd := exec.Command(args[0], args[1:]...)
	s.output, s.exited = new(bytes.Buffer), make(chan struct{})
	cmd.Stdout, cmd.Stderr = s.output, s.output
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", args[0], err)
	}
	s.process = cmd.Process
	exited := s.exited
	go func() {
		_ = cmd.Wait() // it ends by our own signal, which Wait reports as an error
		close(exited)
	}()
	return nil
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
