package testenv

import (
	"testing"
	"time"
)

// Patience is the longest that a test waits for anything: far above what that
// takes on a busy machine, so that only what hangs exceeds it.
const Patience = 3 * time.Minute

// Until asks again and again until it holds, and ends the test where it never
// does.
func Until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	hangs := time.NewTimer(Patience)
	defer hangs.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-hangs.C:
			t.Fatalf("never: %s", what)
		case <-tick.C:
		}
	}
}

// Returns ends the test where what is called does not return.
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
