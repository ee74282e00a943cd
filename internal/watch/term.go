package watch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/superduperai/sessionbot/internal/panics"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/sweep"
	"github.com/superduperai/sessionbot/store/watchstate"
)

// term is one period of leadership, and the tasks that run meanwhile.
type term struct {
	*Watch
	lead    lease.Lease
	began   time.Time
	sweeper *sweep.Sweeper

	mu    sync.Mutex
	facts facts

	incidents  *incidents
	monitor    *monitor
	stripe     *stripePoller
	listener   *listener
	sweeps     *sweepTask
	files      *fileChecker
	backlog    *backlog
	inspector  *inspector
	dispatcher *dispatcher
	digester   *digester
	follower   *follower
}

// facts are what some tasks find out and others need.
type facts struct {
	state watchstate.State // as last recorded: only the leader changes it

	stripeDownSince time.Time // zero = Stripe answers
	stripeFault     store.Unverified
	stripeComplete  bool // the last poll read Stripe's lists whole
	eventsForbidden bool // the Stripe key has no permission to list events

	sessions     int  // by the last sweep; negative = none succeeded yet
	allVerified  bool // a sweep saw all sessions while all payments were known
	filesChecked bool // the last sweep found no file from before the watch that is due
}

func (w *Watch) newTerm(lead lease.Lease, state watchstate.State) *term {
	t := &term{Watch: w, lead: lead, began: w.Now(), sweeper: sweep.New(w.Product), facts: facts{state: state, sessions: -1}}
	t.incidents = &incidents{term: t, notifyNow: make(chan struct{}, 1), cache: map[string]incident.Incident{}}
	t.monitor = newMonitor(t)
	t.stripe = &stripePoller{term: t, lookups: rate.NewLimiter(rate.Every(w.stripeInterval()/lookupsPerPoll), lookupBurst)}
	t.listener = newListener(t)
	t.sweeps = &sweepTask{term: t, previous: state.Swept}
	t.files = &fileChecker{term: t, failed: map[string]time.Time{}, health: fileHealth{lastFound: state.Found}}
	t.files.requests.SetLimit(maxRequests)
	t.backlog = &backlog{term: t, cases: map[string]incident.Case{}}
	t.inspector = &inspector{term: t}
	t.dispatcher = &dispatcher{term: t}
	t.digester = &digester{term: t}
	t.follower = newFollower(t)
	return t
}

// snapshot returns a copy of the facts.
func (t *term) snapshot() facts {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.facts
}

// updateFacts changes the facts.
func (t *term) updateFacts(change func(f *facts)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.facts)
}

// record records changes of the state of the watch.
func (t *term) record(ctx context.Context, changes ...watchstate.Change) error {
	if err := t.Records.Note(ctx, t.lead, changes...); err != nil {
		return err
	}
	return t.refresh(ctx)
}

// refresh reads the state of the watch.
func (t *term) refresh(ctx context.Context) error {
	state, err := t.Records.State(ctx)
	if err != nil {
		return err
	}
	t.Metrics.Watched(state)
	t.updateFacts(func(f *facts) { f.state = state })
	return nil
}

// evidence returns what is known of sessions besides their keys.
func (t *term) evidence(ctx context.Context, read []store.Session, payments diagnosis.KnownPayments) ([]diagnosis.Evidence, error) {
	sources := diagnosis.Sources{Files: t.Files, Jobs: t.Ledger, Limits: t.Limits, Now: t.Now, Proven: t.proven}
	return sources.Evidence(ctx, read, payments)
}

// proven reports whether the API has to know the file of a session created then.
func (t *term) proven(_ context.Context, created time.Time) bool {
	return t.snapshot().state.Proven.Covers(t.APIURL, created)
}

// run runs all tasks until the leadership is lost or ctx ends.
func (t *term) run(ctx context.Context) {
	var tasks sync.WaitGroup
	tasks.Go(func() { t.every(ctx, incident.PartInspection, period(t.Timings.Round), t.inspectNow, t.inspector.run) })
	tasks.Go(func() { t.every(ctx, "notify", period(t.Timings.Round), t.incidents.notifyNow, t.dispatcher.notifyAll) })
	tasks.Go(func() {
		t.listener.await(ctx)
		t.every(ctx, incident.PartSweep, t.sweeps.delay, nil, t.sweeps.sweep)
	})
	tasks.Go(func() { t.every(ctx, incident.PartFiles, t.files.delay, nil, t.files.checkNext) })
	tasks.Go(func() { t.every(ctx, incident.PartNotifications, period(t.Timings.Listen), nil, t.listener.listen) })
	if t.Digest.Zone != nil {
		tasks.Go(func() { t.every(ctx, "digest", period(t.stripeInterval()), nil, t.digester.open) })
	}
	if t.Followed != nil {
		tasks.Go(func() { t.every(ctx, "threads", period(t.stripeInterval()), nil, t.follower.answerAll) })
	}
	if t.Stripe != nil {
		tasks.Go(func() { t.every(ctx, incident.PartStripe, period(t.stripeInterval()), nil, t.stripe.poll) })
	}
	tasks.Wait()
	_ = t.files.requests.Wait() // they return no error
}

// period returns the delay after a run that makes runs start an interval apart.
func period(interval time.Duration) func(took time.Duration) time.Duration {
	return func(took time.Duration) time.Duration { return interval - took }
}

// every runs a task until ctx ends, with a delay in between that a signal on wakeUp
// cuts short. Of failures in a row only the first is logged.
func (t *term) every(ctx context.Context, task string, delay func(took time.Duration) time.Duration, wakeUp <-chan struct{}, run func(context.Context) error) {
	failing := false
	for ctx.Err() == nil {
		started := t.Now()
		err := catchPanic(func() error { return run(ctx) })
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			t.Log.WarnContext(ctx, "task failed, will retry", "task", task, "error", err)
		case err == nil && failing:
			t.Log.InfoContext(ctx, "task recovered", "task", task)
		}
		failing = err != nil
		timer := time.NewTimer(max(delay(t.Now().Sub(started)), t.Timings.Round/10))
		select {
		case <-ctx.Done():
		case <-wakeUp:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// catchPanic returns the error of run, with the stack if it panicked.
func catchPanic(run func() error) error {
	err := panics.Catch(run)
	if panicked, ok := errors.AsType[*panics.Error](err); ok {
		return fmt.Errorf("%w\n%s", err, panicked.Stack)
	}
	return err
}

// later returns the later of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
