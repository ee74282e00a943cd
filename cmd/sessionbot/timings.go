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
	demo  struct{ Video, Sweep time.Duration } // until a video is made, and between two sweeps

	deadlines diagnosis.Deadlines
	patience  int // of the bot, times its deadlines
}{
	bot.DefaultTimings(), jobs.DefaultTimings(), watch.DefaultTimings(), struct{ Video, Sweep time.Duration }{40 * time.Second, 10 * time.Second},
	diagnosis.DefaultDeadlines(), 1,
}
