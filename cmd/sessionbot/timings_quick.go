//go:build quick

package main

import (
	"time"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
)

// The binary that tests start has no long pauses, and is patient.
func init() {
	timings.bot, timings.jobs = testenv.Shorten(timings.bot), testenv.Shorten(timings.jobs)
	timings.watch, timings.demo = testenv.Shorten(timings.watch), testenv.Shorten(timings.demo)
	timings.deadlines, timings.patience = store.Deadlines{All: 20 * time.Second, Redis: 8 * time.Second, Site: 16 * time.Second, Stripe: 16 * time.Second}, 8
}
