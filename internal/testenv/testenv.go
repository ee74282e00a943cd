// Package testenv finds the programs that some tests need. A test whose program
// is missing is skipped by name; with REQUIRE_ALL=1 it fails instead.
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
	if os.Getenv("REQUIRE_ALL") == "1" {
		t.Fatalf("%s is not installed, and REQUIRE_ALL=1 forbids skipping", programs[0])
	}
	t.Skipf("skipped: needs %s, which is not installed", programs[0])
	return ""
}
