package store

import (
	"context"
	"time"
)

const (
	// easy is what a page takes while Redis has time for us.
	easy = 3 * time.Millisecond
	// longestRest keeps a sweep going, however slow Redis is.
	longestRest = 250 * time.Millisecond
)

// pace lets Redis rest after each page for as long as the page took, so that at
// least half of its time is others'. Where a page takes long Redis is busy, and
// is let rest for many times that. A nil pace never rests.
type pace struct{}

func (p *pace) begin() time.Time {
	if p == nil {
		return time.Time{}
	}
	return time.Now()
}

// rest waits after a page that began then.
func (p *pace) rest(ctx context.Context, begun time.Time) error {
	timer := time.NewTimer(restAfter(time.Since(begun)))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func restAfter(took time.Duration) time.Duration {
	if took <= easy {
		return took
	}
	return min(time.Duration(float64(took)*float64(took)/float64(easy)), longestRest)
}
