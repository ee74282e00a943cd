package doctor

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

// drift is how far two clocks may differ before it is a warning, and a failure.
type drift struct {
	warnAbove, failAbove time.Duration
	remedy               string
}

var (
	// redisDrift: ages, and with them verdicts, are only as accurate as this.
	redisDrift = drift{10 * time.Second, 2 * time.Minute, "synchronize the clocks by NTP"}
	// signedDrift: the signature of a replay is valid for five minutes. A Date counts
	// in seconds, and an answer may be slow.
	signedDrift = drift{time.Minute, 5 * time.Minute,
		"synchronize the clock of the bot's server (NTP): ages are off by as much, and beyond 300 s the site rejects a replay's signature"}
)

// judgeClock compares another's clock with ours.
func judgeClock(whose string, ahead time.Duration, d drift) Result {
	off := ahead.Abs()
	seen := fmt.Sprintf("%s clock and this machine's differ by %.0f s", whose, off.Seconds())
	switch {
	case off > d.failAbove:
		return fail(seen, d.remedy)
	case off > d.warnAbove:
		return warn(seen, d.remedy)
	}
	return pass("in step with this machine's")
}

// clock is an HTTP transport that records how far a server's clock is ahead of
// ours, by the Date of its first answer.
type clock struct {
	now   func() time.Time
	next  http.RoundTripper
	ahead atomic.Pointer[time.Duration] // nil = not known
}

// RoundTrip implements http.RoundTripper.
func (c *clock) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		ahead := at.Sub(c.now())
		c.ahead.CompareAndSwap(nil, &ahead)
	}
	return resp, nil
}

// result judges the clock by the answers to other requests. Without any it has
// nothing to say: another check reports that.
func (c *clock) result(whose string) Result {
	if ahead := c.ahead.Load(); ahead != nil {
		return judgeClock(whose, *ahead, signedDrift)
	}
	return Result{}
}
