package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// findsIt is the command of a test, with its folder and its name.
var findsIt = regexp.MustCompile("`go test \\./(\\S+) -run (\\S+)`")

// TestTrackRecord: each fault of the track record names a command, and the test that
// this runs is in the package that it names.
func TestTrackRecord(t *testing.T) {
	t.Parallel()
	_, record := readReliability(t)
	rows := 0
	for line := range strings.Lines(record) {
		cells := strings.Split(strings.Trim(line, "| \n"), " | ")
		if len(cells) != 3 || cells[0] == "found by" {
			continue
		}
		rows++
		command := findsIt.FindStringSubmatch(cells[2])
		switch {
		case cells[2] == "`make faults`":
		case command == nil:
			t.Errorf("no command finds %q", cells[1])
		case !hasTest(t, command[1], command[2]):
			t.Errorf("%s has no %s", command[1], command[2])
		}
	}
	if rows < 25 {
		t.Errorf("%d rows", rows)
	}
}

// hasTest reports whether the tests of a folder have one of this name.
func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	for path, text := range mustRead(t, folder, "_test.go") {
		if filepath.Dir(path) == folder && strings.Contains(text, "func "+name+"(") {
			return true
		}
	}
	return false
}
