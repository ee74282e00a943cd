//go:build quick

package main

import "github.com/superduperai/sessionbot/internal/testenv"

// The binary that tests start has no long pauses.
func init() {
	timings.bot, timings.jobs = testenv.Shorten(timings.bot), testenv.Shorten(timings.jobs)
	timings.watch, timings.demo = testenv.Shorten(timings.watch), testenv.Shorten(timings.demo)
}
