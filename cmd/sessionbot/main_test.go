package main

import (
	"os"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// TestMain puts sessionbot on the PATH, where tests and scripts find it: a copy of
// this test binary, which runs main under that name. Its pauses are short and its
// deadlines long, as those of the bots in this process, or as long as impatience
// allows; at night both are as in production.
func TestMain(m *testing.M) {
	testscript.Main(testsWithRedis{m}, map[string]func(){"sessionbot": func() {
		if !testenv.Nightly {
			shortenPauses()
			timings.deadlines, timings.patience = diagnosis.Deadlines{All: 20 * time.Second, Redis: 8 * time.Second, Site: 16 * time.Second, Stripe: 16 * time.Second}, 8
			if os.Getenv(impatience) != "" {
				timings.patience = 2
			}
		}
		main()
	}})
}

// impatience is the variable that shortens the deadlines of a process of which the
// test waits until they have passed.
const impatience = "TEST_IMPATIENCE"

type testsWithRedis struct{ m *testing.M }

// Run implements testscript.TestingM.
func (r testsWithRedis) Run() int {
	for name := range variables() { // of the environment of the tests
		for _, name := range []string{name, name + "_FILE"} {
			if err := os.Unsetenv(name); err != nil {
				panic(err)
			}
		}
	}
	if !testenv.Nightly {
		shortenPauses()
		timings.deadlines, timings.patience = diagnosis.Deadlines{All: patience, Redis: patience, Site: patience, Stripe: patience}, 24
	}
	return redistest.Main(r.m)
}

func shortenPauses() {
	timings.bot, timings.jobs = testenv.Shorten(timings.bot), testenv.Shorten(timings.jobs)
	timings.watch, timings.demo = testenv.Shorten(timings.watch), testenv.Shorten(timings.demo)
	timings.bot.Home = time.Second // each time all that it shows is read
}

// raced reports whether the race detector is compiled in.
func raced() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
