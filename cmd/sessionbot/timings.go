package main

import (
	"github.com/superduperai/sessionbot/bot"
	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/internal/watch"
	"github.com/superduperai/sessionbot/store"
)

// timings are the pauses of everything that runs in the background.
type timings struct {
	bot        bot.Timings
	jobs       jobs.Timings
	watch      watch.Timings
	jobLease   store.LeaseTimings
	leadership store.LeaseTimings
}

func defaultTimings() timings {
	return timings{
		bot: bot.DefaultTimings(), jobs: jobs.DefaultTimings(), watch: watch.DefaultTimings(),
		jobLease: store.JobLease, leadership: store.LeadershipLease,
	}
}
