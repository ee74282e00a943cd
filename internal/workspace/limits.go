package workspace

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Posts: one a second and channel. Slack allows bursts without saying how long.
const (
	postsPerSecond = 1
	postBurst      = 20
)

// methodRates are the limits of methods that are called often enough to meet
// them, in calls a minute.
var methodRates = map[string]int{"usergroups.users.list": 20}

// limits are the rate limits of the Web API.
type limits struct {
	now func() time.Time
	mu  sync.Mutex
	all map[string]*rate.Limiter
}

func newLimits(now func() time.Time) *limits {
	return &limits{now: now, all: map[string]*rate.Limiter{}}
}

// call counts a call of a method.
func (l *limits) call(method string) error {
	perMinute, ok := methodRates[method]
	if !ok {
		return nil
	}
	return l.take("method "+method, rate.Limit(perMinute)/60, perMinute)
}

// post counts a message that is posted in a channel.
func (l *limits) post(channel string) error {
	return l.take("channel "+channel, postsPerSecond, postBurst)
}

func (l *limits) take(name string, limit rate.Limit, burst int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter, ok := l.all[name]
	if !ok {
		limiter = rate.NewLimiter(limit, burst)
		l.all[name] = limiter
	}
	now := l.now()
	reservation := limiter.ReserveN(now, 1)
	wait := reservation.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	reservation.CancelAt(now)
	return rateLimited(wait)
}

func (l *limits) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.all)
}
