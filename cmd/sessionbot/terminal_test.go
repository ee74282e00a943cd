package main

import (
	"strings"
	"testing"
)

// TestTheRecordNamesTheUID: who may write the environment must not be able to
// write somebody else's name into the audit trail.
func TestTheRecordNamesTheUID(t *testing.T) {
	for _, forged := range []string{"x\n15:01 claimed by ann", "ann", "", "\u202eann"} {
		t.Setenv("USER", forged)
		t.Setenv("LOGNAME", forged)
		if got := userOf("4000000000"); got != "uid 4000000000" {
			t.Errorf("an unlisted uid with USER=%q is called %q", forged, got)
		}
		if got := userOf("0"); got != "root, uid 0" {
			t.Errorf("root with USER=%q is called %q", forged, got)
		}
		if got := osUser(); strings.ContainsAny(got, "\n\u202e") || !strings.Contains(got, "uid ") {
			t.Errorf("USER=%q: the process's user is called %q", forged, got)
		}
	}
}
