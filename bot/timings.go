package bot

import (
	"time"

	"github.com/superduperai/sessionbot/bot/slackapi"
	"github.com/superduperai/sessionbot/bot/socketmode"
)

// Timings are the pauses of a Bot.
type Timings struct {
	socketmode.Timings
	MinRetryDelay    time.Duration // before a retry of a call of Slack's API
	OutageRetryDelay time.Duration // before the last retry, for short outages of Slack
	Home             time.Duration // between two versions of somebody's App Home
}

// DefaultTimings returns those of production.
func DefaultTimings() Timings {
	return Timings{Timings: socketmode.DefaultTimings(), MinRetryDelay: time.Second, OutageRetryDelay: 4 * time.Second, Home: 3 * time.Second}
}

// Deadlines are how long Slack and Redis may take. Those of stopping are
// constants: they were promised.
type Deadlines struct {
	socketmode.Deadlines
	Request time.Duration // a request, until its answer is known
	Bulk    time.Duration // a request that looks at many sessions
	Notice  time.Duration // until a notice says why such a request takes long
	Send    time.Duration // an answer, with Slack's pauses
	Call    time.Duration // one call of Slack's API
	Lookup  time.Duration // in Slack's directory
	Share   time.Duration // that an answer waits for its Share button
	Connect time.Duration // TCP and TLS, each
}

// NewDeadlines returns production's times a factor, at least 1, for machines that
// are slow.
func NewDeadlines(factor int) Deadlines {
	times := time.Duration(max(factor, 1))
	second := times * time.Second
	return Deadlines{
		Deadlines: socketmode.NewDeadlines(times), Request: 10 * second, Bulk: 60 * second, Notice: 2 * second, Send: 20 * second, Call: 5 * second,
		Lookup: 2 * second, Share: second / 5, Connect: times * slackapi.ConnectTimeout,
	}
}
