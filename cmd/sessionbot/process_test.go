package main

import (
	"bytes"
	"context"
	"io"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// patience is a timeout that only a hang exceeds.
const patience = testenv.Patience

// process is sessionbot at work: the bot in this process, or a process of its
// own.
type process struct {
	t         testing.TB
	cmd       *exec.Cmd // nil = in this process
	term      func()    // asks it to stop, as SIGTERM does
	interrupt func()    // as SIGINT does
	log       *lockedBuffer
	done      chan struct{} // closed when it has ended
	code      int           // exit code, to be read after done is closed
}

// run runs sessionbot in this process, where the race detector sees it, with these
// variables, until the test ends.
func run(t testing.TB, env map[string]string, args ...string) *process {
	t.Helper()
	return runWith(t, strings.NewReader(""), false, env, args...)
}

// runWith is run with something to read, and with the deadlines of production if
// in time.
func runWith(t testing.TB, in io.Reader, inTime bool, env map[string]string, args ...string) *process {
	t.Helper()
	return runConfigured(t, in, func(c *config) {
		if inTime {
			c.deadlines, c.patience = diagnosis.DefaultDeadlines(), 1
		}
	}, env, args...)
}

// runConfigured is run with something to read, and a configuration that no variable sets.
func runConfigured(t testing.TB, in io.Reader, change func(*config), env map[string]string, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithCancelCause(context.Background())
	p := &process{t: t, term: func() { cancel(nil) }, interrupt: func() { cancel(errInterrupted) }, log: &lockedBuffer{}, done: make(chan struct{})}
	env = maps.Clone(env)
	go func() {
		defer close(p.done)
		load := func(slack bool) (config, error) {
			c, err := configFrom(env, slack)
			change(&c)
			return c, err
		}
		p.code = int(program{in: in, out: p.log, errs: p.log, load: load}.execute(ctx, args))
	}()
	t.Cleanup(func() {
		cancel(nil)
		p.exitCode()
		if t.Failed() {
			t.Logf("log of sessionbot %s:\n%s", strings.Join(args, " "), p.log)
		}
	})
	return p
}

var environment sync.Mutex

// configFrom reads the configuration from these variables.
func configFrom(env map[string]string, slack bool) (config, error) {
	environment.Lock()
	defer environment.Unlock()
	for name, value := range env {
		defer os.Unsetenv(name) //nolint:errcheck // it was set here
		if err := os.Setenv(name, value); err != nil {
			return config{}, err
		}
	}
	return loadConfig(slack)
}

// start runs sessionbot as a process of its own, with these variables and nothing
// else of the environment. It is killed when the test ends.
func start(t testing.TB, env map[string]string, args ...string) *process {
	t.Helper()
	return startWith(t, nil, env, args...)
}

// startWith is start with something to read.
func startWith(t testing.TB, in io.Reader, env map[string]string, args ...string) *process {
	t.Helper()
	path, err := exec.LookPath("sessionbot") // see TestMain
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.Stdin = in
	return launch(t, cmd)
}

// launch starts a command. It is killed when the test ends.
func launch(t testing.TB, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, log: &lockedBuffer{}, done: make(chan struct{})}
	p.term, p.interrupt = func() { p.signal(syscall.SIGTERM) }, func() { p.signal(syscall.SIGINT) }
	cmd.Stdout, cmd.Stderr = p.log, p.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait() // the exit code is read from the state
		p.code = cmd.ProcessState.ExitCode()
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended already
		<-p.done
		if t.Failed() {
			t.Logf("log of sessionbot %s:\n%s", strings.Join(cmd.Args[1:], " "), p.log)
		}
	})
	return p
}

// signal sends a process of its own a signal.
func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if p.cmd == nil {
		p.t.Fatal("it runs in this process")
	}
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// kill ends a process of its own as a crash would.
func (p *process) kill() {
	p.t.Helper()
	p.signal(syscall.SIGKILL)
	<-p.done
}

// stop stops it and returns its exit code.
func (p *process) stop() int {
	p.t.Helper()
	p.term()
	return p.exitCode()
}

// exitCode waits until it has ended.
func (p *process) exitCode() int {
	p.t.Helper()
	select {
	case <-p.done:
		return p.code
	case <-time.After(patience):
		p.t.Errorf("it is still running:\n%s", p.log)
		return -1
	}
}

// awaitOutput waits until it prints this, and returns what matches.
func (p *process) awaitOutput(pattern *regexp.Regexp) string {
	p.t.Helper()
	tick, late := time.NewTicker(10*time.Millisecond), time.After(patience)
	defer tick.Stop()
	for {
		if found := pattern.FindString(p.log.String()); found != "" {
			return found
		}
		select {
		case <-tick.C:
		case <-p.done:
			p.t.Fatalf("it ended without printing %v", pattern)
		case <-late:
			p.t.Fatalf("it never printed %v", pattern)
		}
	}
}

// lockedBuffer takes what a process prints while the test reads it.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
