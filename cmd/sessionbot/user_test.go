package main

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestTheRecordNamesTheUID: environment variables cannot forge a name in the audit trail.
func TestTheRecordNamesTheUID(t *testing.T) {
	longName := strings.Repeat("x", 1000)
	passwd := "root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000::/home/ann:\n# bob:x:1001:\n+\nodd\x1b[1A\u202e:x:1002:1002::/:\n:x:1003:1003::/:\n" +
		"long" + longName + ":x:1004:1004::/:\n\n"
	for uid, want := range map[string]string{
		"0": "root, uid 0", "1000": "ann, uid 1000", "54321": "uid 54321", "100": "uid 100", "1001": "uid 1001", "": "uid ", "1002": "odd[1A, uid 1002",
		"1003": "uid 1003", "1004": "long" + longName[:59] + "…, uid 1004", "01000": "uid 01000",
	} {
		if got := userOf(uid, passwd); got != want {
			t.Errorf("uid %q is called %q, want %q", uid, got, want)
		}
	}
	want := osUser()
	for _, forged := range []string{"x\n15:01 claimed by ann", "ann", "", "\u202eann"} {
		for _, name := range []string{"USER", "LOGNAME", "USERNAME", "HOME"} {
			t.Setenv(name, forged)
		}
		if got := osUser(); got != want || !strings.HasSuffix(got, "uid "+strconv.Itoa(os.Getuid())) {
			t.Errorf("USER=%q: the process's user is called %q, want %q", forged, got, want)
		}
	}
}
