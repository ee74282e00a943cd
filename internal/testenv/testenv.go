// Package testenv finds what some tests need of the machine. A test for which
// something is missing is skipped by name; with REQUIRE_ALL=1 it fails instead.
package testenv

import (
	"os"
	"os/exec"
	"testing"
)

// Need returns the path of the first of the programs that is on the PATH.
func Need(t testing.TB, programs ...string) string {
	t.Helper()
	for _, program := range programs {
		if path, err := exec.LookPath(program); err == nil {
			return path
		}
	}
	lack(t, programs[0]+", which is not installed")
	return ""
}

// NeedRoot asks for a test that is run by root.
func NeedRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		lack(t, "to be run by root")
	}
}

func lack(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("REQUIRE_ALL") == "1" {
		t.Fatalf("needs %s, and REQUIRE_ALL=1 forbids skipping", what)
	}
	t.Skipf("skipped: needs %s", what)
}
