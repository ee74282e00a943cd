package watch

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// Outage is a time in which the Redis of the bot's own records could not be used,
// so that no replica could lead.
type Outage struct {
	Since, Until time.Time // Until zero = it lasts
	Cause        error
	Note         store.Message // where it is shown
}

// OutageNotes shows one note about an outage in the alert channel. Nothing can be
// recorded meanwhile, so that replicas find each other's notes in the channel.
// An error is a *DeliveryError or ErrHistoryForbidden.
type OutageNotes interface {
	// FindOutage returns the outage whose note is not resolved yet, if any.
	FindOutage(ctx context.Context) (Outage, bool, error)
	// PostOutage posts the note, unless another replica is just ahead, and returns it.
	PostOutage(ctx context.Context, o Outage) (store.Message, error)
	// ResolveOutage shows in the note how long the outage lasted.
	ResolveOutage(ctx context.Context, o Outage) error
}

// outageReporter is one replica's part in noticing an outage and reporting it.
type outageReporter struct {
	*Watch
	jitter time.Duration // makes it unlikely that two replicas post at the same moment
	tries  int           // that failed in a row
	retry  time.Time

	mu         sync.Mutex
	outage     Outage        // the current one, or the last; without a Cause there was none yet
	away       time.Duration // of the outage: in which Redis could not be used
	last       time.Time     // election
	shown      bool          // it has a note
	unresolved bool          // there may be a note to resolve
}

// newOutageReporter returns one that resolves what an earlier process left behind.
func newOutageReporter(w *Watch) *outageReporter {
	return &outageReporter{Watch: w, jitter: rand.N(w.Timings.OutageJitter + 1), outage: Outage{Until: w.Now()}, unresolved: true}
}

// observe records the outcome of an election, and logs the beginning and the end of
// an outage. One that is over only for a moment goes on.
func (r *outageReporter) observe(ctx context.Context, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	o, lasts, now := &r.outage, r.outage.Until.IsZero(), r.Now()
	if lasts {
		r.away += now.Sub(r.last)
	}
	r.last = now
	switch {
	case err != nil && !lasts:
		goesOn := r.shown && r.unresolved || !r.shown && o.Cause != nil && now.Sub(o.Until) < r.Timings.OutageStableAfter
		if !goesOn {
			*o, r.shown, r.away = Outage{Since: now}, false, 0
		}
		o.Until, o.Cause = time.Time{}, err
		r.Log.WarnContext(ctx, "Redis unavailable, no replica can lead", "error", err)
	case err == nil && lasts:
		o.Until = now
		r.Log.InfoContext(ctx, "Redis available again", "after_s", int(o.Until.Sub(o.Since).Seconds()))
	}
}

// explains reports whether the note about an outage explains why there was no sweep
// between two times.
func (r *outageReporter) explains(from, to time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	o := r.outage
	return r.shown && o.Until.After(from) && to.Sub(from)-o.Until.Sub(o.Since) < max(failureThreshold*r.Interval, minGap)
}

// run reports outages until ctx ends.
func (r *outageReporter) run(ctx context.Context) {
	tick := time.NewTicker(r.Timings.Election)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.report(ctx)
		}
	}
}

// report posts or resolves the note where that is due.
func (r *outageReporter) report(ctx context.Context) {
	r.mu.Lock()
	o, shown, unresolved, away := r.outage, r.shown, r.unresolved, r.away+r.Now().Sub(r.last)
	r.mu.Unlock()
	if r.Now().Before(r.retry) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, deliveryTimeout)
	defer cancel()
	var err error
	switch {
	case o.Until.IsZero() && !shown && away >= r.Timings.Outage+r.jitter:
		err = r.show(ctx, o)
	case !o.Until.IsZero() && unresolved && r.Now().Sub(o.Until) >= r.settled(o):
		err = r.resolve(ctx, o)
	}
	if err == nil {
		r.tries = 0
		return
	}
	if r.tries == 0 {
		r.Log.WarnContext(ctx, "outage of Redis not shown, will retry", "error", err)
	}
	delay := r.Timings.retryDelay(r.tries, false)
	if failure, ok := errors.AsType[*DeliveryError](err); ok {
		delay = max(delay, failure.After)
	}
	r.retry = r.Now().Add(delay)
	r.tries++
}

// settled is how long Redis has to work before the note is resolved. The replica
// that posted it goes first.
func (r *outageReporter) settled(o Outage) time.Duration {
	if o.Note.TS != "" {
		return r.Timings.OutageStableAfter
	}
	return r.Timings.OutageStableAfter + r.Timings.Outage + r.jitter
}

// show posts the note, unless another replica has done so.
func (r *outageReporter) show(ctx context.Context, o Outage) error {
	_, found, err := r.Outages.FindOutage(ctx)
	if err != nil && !errors.Is(err, ErrHistoryForbidden) { // a note twice is better than none
		return err
	}
	var note store.Message
	if !found {
		if note, err = r.Outages.PostOutage(ctx, o); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outage.Note, r.shown, r.unresolved = note, true, true
	return nil
}

// resolve shows in the note that the outage is over, unless another replica has
// done so.
func (r *outageReporter) resolve(ctx context.Context, o Outage) error {
	open, found, err := r.Outages.FindOutage(ctx)
	if errors.Is(err, ErrHistoryForbidden) {
		open, found, err = o, o.Note.TS != "", nil
	}
	if err != nil {
		return err
	}
	if !found && o.Note.TS != "" { // the history no longer goes back so far, or another replica was quicker
		open, found = o, true
	}
	if found {
		open.Until = o.Until
		if err := r.Outages.ResolveOutage(ctx, open); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unresolved = false
	if !r.outage.Until.Equal(o.Until) { // another outage began meanwhile: it gets a note of its own
		r.shown, r.unresolved = false, !r.outage.Until.IsZero()
		r.outage.Note = store.Message{}
		if r.outage.Until.IsZero() {
			r.outage.Since, r.away = r.Now(), 0
		}
	}
	return nil
}
