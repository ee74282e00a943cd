package doctor

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// drift is how far two clocks may be apart without a warning, and how far at all.
type drift struct {
	unnoticed, tolerable time.Duration
	remedy               string
}

var (
	// redisDrift: ages, and with them verdicts, are only as right as that.
	redisDrift = drift{10 * time.Second, 2 * time.Minute, "set the clocks by NTP"}
	// signedDrift: a signature of Stripe's kind, as a replay carries it, holds for
	// five minutes. A Date counts in seconds, and an answer may be slow.
	signedDrift = drift{time.Minute, 5 * time.Minute,
		"set this machine's clock by NTP: ages are wrong by as much, and beyond 300 s the site refuses a replay's signature"}
)

// judgeClock compares another's clock with ours.
func judgeClock(whose string, ahead time.Duration, d drift) Result {
	off := ahead.Abs()
	seen := fmt.Sprintf("%s clock and this machine's differ by %.0f s", whose, off.Seconds())
	switch {
	case off > d.tolerable:
		return broken(seen, d.remedy)
	case off > d.unnoticed:
		return warn(seen, d.remedy)
	}
	return fine("in step with this machine's")
}

// clock is a transport that notes how far a server's clock is ahead of ours, by the
// Date of its first answer.
type clock struct {
	now     func() time.Time
	through http.RoundTripper

	mu    sync.Mutex
	ahead time.Duration
	known bool
}

// RoundTrip carries the request out.
func (c *clock) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.through.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		if !c.known {
			c.ahead, c.known = at.Sub(c.now()), true
		}
	}
	return resp, nil
}

// client asks through the clock.
func (c *clock) client() *http.Client { return &http.Client{Transport: c} }

// result judges the clock by the answers to other questions. It returns nothing
// where there was none: another check reports that.
func (c *clock) result(whose string) Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.known {
		return Result{}
	}
	return judgeClock(whose, c.ahead, signedDrift)
}
