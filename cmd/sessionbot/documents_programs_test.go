package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/superduperai/sessionbot/internal/testenv"
)

// here are the programs that documents call and that are run; there are no others
// on the PATH.
var here = []string{"sh", "curl", "cut", "grep", "head", "redis-cli", "xargs"}

// elsewhere are those that are not run here, with the reason. Their arguments
// are checked by TestDocumentsNameWhatThereIs.
var elsewhere = map[string]string{
	"docker":     "there is no container engine",
	"kubectl":    "there is no cluster",
	"systemctl":  "there is no systemd",
	"journalctl": "there is no systemd",
	"sudo":       "it changes the machine",
	"brew":       "there is no Homebrew",
	"git":        "it changes the clone, or talks to a server",
}

// programs is the only folder of the PATH. Of make only the target is looked at,
// and of go only the program itself is run: both would run these tests.
func programs(t *testing.T) string {
	t.Helper()
	binary, err := exec.LookPath("sessionbot")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	scripts := map[string]string{
		"make":       `exec "` + testenv.Need(t, "make") + `" -n "$@" >/dev/null`,
		"go":         `case "$1 $2" in "run ./cmd/sessionbot") shift 2; exec "` + binary + `" "$@";; esac`,
		"sessionbot": `exec "` + binary + `" "$@"`,
	}
	for name := range elsewhere {
		scripts[name] = ""
	}
	for name, script := range scripts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range here {
		if err := os.Symlink(testenv.Need(t, name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
