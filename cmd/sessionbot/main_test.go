package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"testing"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
)

// TestMain has bots in this process take short pauses and know no deadline that
// passes on a busy machine, and builds the binary, with the same pauses, which
// tests and scripts find on the PATH. At night all of them are as in production.
func TestMain(m *testing.M) {
	for name := range variables() { // of whoever runs the tests
		for _, name := range []string{name, name + "_FILE"} {
			if err := os.Unsetenv(name); err != nil {
				panic(err)
			}
		}
	}
	if !testenv.Nightly {
		timings.bot, timings.jobs, timings.watch = testenv.Shorten(timings.bot), testenv.Shorten(timings.jobs), testenv.Shorten(timings.watch)
		timings.deadlines, timings.patience = store.Deadlines{All: patience, Redis: patience, Site: patience, Stripe: patience}, 24
	}
	os.Exit(withBinary(m))
}

// raced reports whether the race detector is compiled in.
func raced() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

func withBinary(m *testing.M) int {
	dir, err := os.MkdirTemp("", "sessionbot")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // in the system's folder for what may be left behind
	args := []string{"build", "-o", filepath.Join(dir, "sessionbot"), "."}
	if !testenv.Nightly {
		args = slices.Insert(args, 1, "-tags", "quick")
	}
	if raced() {
		args = slices.Insert(args, 1, "-race")
	}
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		panic(fmt.Sprintf("go %q: %v\n%s", args, err, out))
	}
	if err := os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH")); err != nil {
		panic(err)
	}
	return redistest.Main(m)
}
