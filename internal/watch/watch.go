// Package watch works unattended: it finds sessions that are in trouble, groups
// them into incidents and alerts each incident once. One of several replicas
// leads, and runs the tasks of a term:
//
//   - stripePoller, listener, sweepTask and fileChecker find sessions by Stripe's
//     lists of payments, Redis' notifications, a sweep that needs neither, and the
//     files that sessions name. They put a session in the due queue.
//   - inspector diagnoses the sessions that are due. triage, which the sweep calls as
//     well before it puts a session in the queue, decides whether one is examined; why it
//     is not is logged as "session not alerted" (debug). The examination decides whether
//     it is alerted. One that could not be examined is logged as "session not examined,
//     will retry".
//   - incidents.assign updates the incidents with what was observed.
//   - digester opens the incident that is the digest of the day before.
//   - follower answers in the threads in which people asked about a session, once
//     that has ended. follow.Decide decides when.
//   - dispatcher shows the incidents. Decide decides what is due: no reply while an
//     incident is snoozed, and nothing while it is shown as it is, or for a while
//     after a failure. The first of several in a row is logged as "alert not delivered,
//     will retry".
//
// The interface Notifier is what renders alerts and posts them to Slack.
package watch

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/watchstate"
)

// requestTimeout bounds the requests to Redis of one election, and likewise the request
// for Stripe's list of undelivered events.
const requestTimeout = 10 * time.Second

// Watch is one replica's part in watching.
type Watch struct {
	Config
	owner      string
	inspectNow chan struct{} // a session may be due
	outage     *outageReporter
	posted     sync.Map // mark -> store.Message: posts whose outcome may not be recorded yet
}

// New prepares a Watch.
func New(cfg Config) *Watch {
	cfg.Log = cfg.Log.With("component", "watch")
	w := &Watch{Config: cfg, owner: rand.Text(), inspectNow: make(chan struct{}, 1)}
	w.outage = newOutageReporter(w)
	return w
}

// Enqueue has the leader inspect a session soon.
func (w *Watch) Enqueue(ctx context.Context, session string) error {
	err := w.Records.AddDue(ctx, watchstate.DueSession{Session: session, At: w.Now()})
	signal(w.inspectNow)
	return err
}

// signal wakes the task that waits for the channel. One pending signal is enough.
func signal(task chan<- struct{}) {
	select {
	case task <- struct{}{}:
	default:
	}
}

// Ready returns an error unless a sweep of any replica succeeded within the last
// three intervals, counted from the start, or within three times the pause that
// is in force, whichever is longer.
func (w *Watch) Ready(ctx context.Context, started time.Time) error {
	state, err := w.Records.State(ctx)
	if err != nil {
		return errors.New("the state of monitoring is unknown: Redis does not answer")
	}
	since := later(state.Swept, started)
	if age := w.Now().Sub(since); age > 3*max(w.Interval, state.Pause) {
		return fmt.Errorf("no sweep went through for %s", age.Round(time.Second))
	}
	return nil
}

// stripeInterval is the time between two polls of Stripe's lists: a minute, as
// the grace time is counted in minutes, or less if sweeps come more often.
func (w *Watch) stripeInterval() time.Duration { return min(w.Interval, time.Minute) }

// Run watches whenever this replica leads, until ctx ends.
func (w *Watch) Run(ctx context.Context) error {
	var reporting sync.WaitGroup
	defer reporting.Wait()
	reporting.Go(func() { w.outage.run(ctx) })
	for {
		w.campaign(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(w.Timings.Election):
		}
	}
}

// campaign tries once to become leader, and leads if that succeeds.
func (w *Watch) campaign(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	l, ok, err := w.Records.Lead(limited, w.owner)
	if ok || errors.Is(err, lease.ErrNoRecord) {
		err = w.Records.Begin(limited, w.Now().Add(-alertableAge))
	}
	if err == nil || ctx.Err() == nil {
		w.outage.observe(ctx, err)
	}
	switch {
	case ok && err == nil:
		w.lead(ctx, l)
	case err == nil:
		w.Metrics.Counted(nil)
		if state, err := w.Records.State(limited); err == nil {
			w.Metrics.Watched(state)
		}
	}
}

// lead watches until the leadership is lost or ctx ends.
func (w *Watch) lead(ctx context.Context, l lease.Lease) {
	held, release := w.Records.Leases.Hold(ctx, l)
	defer func() {
		if err := release(); err != nil {
			w.Log.WarnContext(ctx, "lease not released", "error", err)
		}
	}()
	state, err := w.Records.State(ctx)
	if err != nil {
		w.Log.WarnContext(ctx, "state of the watch not read", "error", err)
		return
	}
	w.Log.InfoContext(ctx, "leadership acquired")
	w.newTerm(l, state).run(held)
	if ctx.Err() == nil {
		w.Log.WarnContext(ctx, "leadership lost")
	}
}
