package bot

import "time"

// Timings are the pauses of a Bot. What Slack and people wait for are constants
// beside their use.
type Timings struct {
	Stagger  time.Duration // from the first hello to the second connection
	Settled  time.Duration // a connection that ends sooner is no reason to connect again at once
	Replace  time.Duration // the least age of a connection that Slack wants replaced, before its successor is opened
	Token    time.Duration // between two checks of the bot token
	Backoff  time.Duration // between two attempts to connect; doubles
	Announce time.Duration // between two announcements of this process
	Retry    time.Duration // the least before a second call of Slack's API
	Outage   time.Duration // that a short outage of Slack's is waited for
}

// patience is how many times as long as in production Slack and others may take.
// What people are promised for the stop stays as it is.
type patience int

func (p patience) times(d time.Duration) time.Duration { return time.Duration(max(p, 1)) * d }

// DefaultTimings are those of production.
func DefaultTimings() Timings {
	return Timings{
		Stagger: time.Second, Settled: 5 * time.Second, Replace: time.Second, Token: time.Minute, Backoff: 200 * time.Millisecond,
		Announce: 30 * time.Second, Retry: time.Second, Outage: 4 * time.Second,
	}
}
