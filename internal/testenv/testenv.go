// Package testenv provides what tests need of the machine: programs, ports, time
// to wait. A test for which something is missing is skipped by name; with
// REQUIRE_ALL=1 it fails instead.
package testenv

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Need returns the path of the first of the programs that is on the PATH, or exists.
func Need(t testing.TB, programs ...string) string {
	t.Helper()
	for _, program := range programs {
		if path, err := exec.LookPath(program); err == nil {
			return path
		}
	}
	skip(t, filepath.Base(programs[0])+", which is not installed")
	return ""
}

// NeedRoot skips a test that is not run by root.
func NeedRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		skip(t, "to be run by root")
	}
}

func skip(t testing.TB, missing string) {
	t.Helper()
	if os.Getenv("REQUIRE_ALL") == "1" {
		t.Fatalf("needs %s, and REQUIRE_ALL=1 forbids skipping", missing)
	}
	t.Skipf("skipped: needs %s", missing)
}

// The ports lie below the ephemeral ones, which the system assigns to any process. Each test
// process takes a block of its own.
const (
	firstPort = 20_000
	blocks    = 20
	blockSize = 600
)

// lastPort is the offset in the block of the port that was last tried.
var lastPort atomic.Uint32

// portBlock returns the first port of this process's block, which is locked for as long as
// the process runs. If all are taken it is another's.
var portBlock = sync.OnceValue(func() int {
	for b := range blocks {
		path := filepath.Join(os.TempDir(), fmt.Sprintf("sessionbot-test-ports-%d", b))
		file, err := syscall.Open(path, syscall.O_CREAT|syscall.O_RDWR|syscall.O_CLOEXEC, 0o666) // which is never closed
		if err == nil && syscall.Flock(file, syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			return firstPort + b*blockSize
		}
	}
	return firstPort + rand.IntN(blocks)*blockSize
})

// FreePort returns a loopback port that was free a moment ago. It does not return the same
// port again soon, nor one of another test process.
func FreePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := portBlock() + int(lastPort.Add(1)%blockSize)
		if listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			_ = listener.Close() // it has shown that the port is free
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

// Shorten returns a struct of durations, such as jobs.Timings, or of such structs, with
// each of them divided by twenty.
func Shorten[T any](timings T) T {
	shorten(reflect.ValueOf(&timings).Elem())
	return timings
}

func shorten(timings reflect.Value) {
	for _, field := range timings.Fields() {
		if field.Kind() == reflect.Struct {
			shorten(field)
			continue
		}
		field.SetInt(field.Int() / 20)
	}
}

// Patience is the longest that a test waits for anything: far more than a busy
// machine needs, so that only what hangs exceeds it.
const Patience = 5 * time.Minute

// Until polls until holds returns true, and fails the test where it never does.
func Until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(Patience)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Returns fails the test if call does not return.
func Returns(t testing.TB, what string, call func()) {
	t.Helper()
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		call()
	}()
	select {
	case <-returned:
	case <-time.After(Patience):
		t.Fatalf("never returns: %s", what)
	}
}
