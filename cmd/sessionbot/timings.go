package main

import (
	"github.com/superduperai/sessionbot/bot"
	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/internal/watch"
)

// timings are the pauses of everything that runs in the background.
var timings = struct {
	bot   bot.Timings
	jobs  jobs.Timings
	watch watch.Timings
}{bot.DefaultTimings(), jobs.DefaultTimings(), watch.DefaultTimings()}
