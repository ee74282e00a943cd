package main

import (
	"time"

	"github.com/superduperai/sessionbot/bot"
	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/internal/watch"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// timings are the pauses of everything that runs in the background, and the
// deadlines of an answer.
var timings = struct {
	bot   bot.Timings
	jobs  jobs.Timings
	watch watch.Timings
	demo  demoTimings

	deadlines diagnosis.Deadlines
	patience  int // of the bot, times its deadlines
}{
	bot.DefaultTimings(), jobs.DefaultTimings(), watch.DefaultTimings(), demoTimings{Video: 40 * time.Second, Sweep: 10 * time.Second},
	diagnosis.DefaultDeadlines(), 1,
}

// demoTimings are how long the demo's stand-in takes to make a video, and the
// pause between two sweeps.
type demoTimings struct{ Video, Sweep time.Duration }
