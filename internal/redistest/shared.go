package redistest

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
)

// Shared is what outlives a single test: servers that the tests of a package
// use one after the other. Only Start… functions are made for it; TestMain ends
// it.
type Shared struct {
	testing.TB // nil: what is not declared below must not be asked for
	cleanups   []func()
}

// Helper is what a test has.
func (s *Shared) Helper() {}

// Context never ends.
func (s *Shared) Context() context.Context { return context.Background() }

// Cleanup is called by End.
func (s *Shared) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

// TempDir is removed by End.
func (s *Shared) TempDir() string {
	dir, err := os.MkdirTemp("", "redistest")
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = os.RemoveAll(dir) }) // in the system's folder for what may be left behind
	return dir
}

// Fatal ends the test that asked.
func (s *Shared) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

// Fatalf ends the test that asked.
func (s *Shared) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// End ends the servers.
func (s *Shared) End() {
	for _, f := range slices.Backward(s.cleanups) {
		f()
	}
}
