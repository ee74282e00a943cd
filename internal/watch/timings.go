package watch

import "time"

// Timings are the pauses of a Watch.
type Timings struct {
	Follow       time.Duration // between two attempts at the lead
	Round        time.Duration // between two looks at what is due or to be told
	Files        time.Duration // between two looks for files to ask for
	Check        time.Duration // between two requests for a file
	Listen       time.Duration // between two looks whether Redis announces writes
	FirstSweep   time.Duration // the longest that the first sweep waits for announcements to begin
	Requeue      time.Duration // until a session that could not be read is looked at again
	Update       time.Duration // the least time between two updates of one message
	Retry        time.Duration // after an alert that was refused; doubles
	MaxRetry     time.Duration
	MaxRetryDark time.Duration // likewise, where each attempt may add a message that nobody can look up
}

// DefaultTimings are those of production.
func DefaultTimings() Timings {
	return Timings{
		Follow: time.Second, Round: 300 * time.Millisecond, Files: time.Second, Check: 200 * time.Millisecond, Listen: time.Minute, FirstSweep: 2 * time.Second,
		Requeue: 5 * time.Second, Update: 3 * time.Second,
		Retry: time.Second, MaxRetry: time.Minute, MaxRetryDark: 15 * time.Minute,
	}
}
