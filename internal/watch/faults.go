package watch

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/watchstate"
)

const (
	failureThreshold = 3           // failures in a row that are reported
	minGap           = time.Minute // without a watch, that is reported
)

// parts are the parts of the watch that can fail, sorted.
var parts = []string{incident.PartStripe, incident.PartEvents, incident.PartFiles, incident.PartInspection, incident.PartNotifications, incident.PartSweep}

// monitor opens and closes the incidents about faults of the watch or of a service.
type monitor struct {
	*term
	mu         sync.Mutex
	failures   map[string]int // in a row, by part; no entry = it has not run yet
	unrecorded bool           // the last report
}

func newMonitor(t *term) *monitor {
	m := &monitor{term: t, failures: map[string]int{incident.PartFiles: 0}} // without a request there is no failure
	if t.Stripe == nil {
		m.failures[incident.PartStripe], m.failures[incident.PartEvents] = 0, 0
	}
	return m
}

// failureCount returns how often a part failed in a row, and reports whether it has
// run yet.
func (m *monitor) failureCount(part string) (int, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, ok := m.failures[part]
	return n, ok
}

// report counts the outcome of a part's run. Three failures in a row are
// alerted, once, and so is the recovery.
func (m *monitor) report(ctx context.Context, part string, err error) {
	m.mu.Lock()
	if m.failures[part]++; err == nil {
		m.failures[part] = 0
	}
	m.mu.Unlock()
	since := m.Now().Add(-failureThreshold * m.Interval)
	err = m.incidents.setFault(ctx, incident.Degraded, since, func(i *incident.Incident, open bool) bool {
		before := incident.Unwatched(i.Parts)
		i.Parts = m.failed(i.Parts)
		if open && !before && incident.Unwatched(i.Parts) { // a new message mentions somebody, an update would not
			i.LeaveMessage()
			i.Shown, i.Posting = 0, ""
		}
		return len(i.Parts) > 0
	})
	m.mu.Lock()
	first := err != nil && !m.unrecorded
	m.unrecorded = err != nil
	m.mu.Unlock()
	if first {
		m.Log.WarnContext(ctx, "state of the watch not recorded", "error", err)
	}
}

// failed returns the parts that failed three times in a row, and of those
// reported before, maybe by another leader, the ones that have not worked since.
func (m *monitor) failed(reported []string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var failing []string
	for _, part := range parts {
		n, known := m.failures[part]
		if n >= failureThreshold || slices.Contains(reported, part) && (n > 0 || !known) {
			failing = append(failing, part)
		}
	}
	return failing
}

// reportGap reports a time in which no replica watched, after the first sweep that
// succeeded. An outage of Redis that was reported explains it.
func (m *monitor) reportGap(ctx context.Context, last time.Time) {
	now := m.Now()
	if last.IsZero() || now.Sub(last) < max(failureThreshold*m.Interval, minGap) || m.outage.explains(last, now) {
		return
	}
	i := newIncident(incident.Degraded, now)
	i.Opened, i.Since, i.Closed = last, last, now
	if err := m.incidents.open(ctx, i, Resolved); err != nil {
		m.Log.WarnContext(ctx, "gap in the watch not reported", "error", err)
	}
}

// reportUnverified keeps the incident about payments that cannot be verified, by
// the sessions that a sweep counted, and whether live ones are among them. One failed poll of Stripe is no news.
func (m *monitor) reportUnverified(ctx context.Context, sessions map[store.Unverified]int, live bool) error {
	known := m.snapshot()
	why, since := known.stripeFault, known.stripeDownSince
	down := !since.IsZero()
	count := sessions[store.StripeNoAnswer]
	if failures, _ := m.failureCount(incident.PartStripe); down && failures < 2 {
		return nil
	}
	if !down {
		why, since, count = store.StripeWrongMode, m.Now(), sessions[store.StripeWrongMode]
	}
	return m.incidents.setFault(ctx, incident.PaymentsUnverified, since, func(i *incident.Incident, open bool) bool {
		switch {
		case open && !down && i.Why != why: // its cause was an outage of Stripe; the next poll closes it
			return true
		case count == 0:
			return open && down
		}
		i.Sessions, i.Why, i.Live = count, why, live
		return true
	})
}

// reportVerified closes that incident once Stripe answers again.
func (m *monitor) reportVerified(ctx context.Context) error {
	return m.incidents.setFault(ctx, incident.PaymentsUnverified, time.Time{}, func(i *incident.Incident, open bool) bool {
		return open && i.Why == store.StripeWrongMode
	})
}

// reportEmpty keeps the incident about a Redis that holds no session although
// Stripe lists sales: it is not the site's, which stores a session before it can
// be paid.
func (m *monitor) reportEmpty(ctx context.Context, state watchstate.State, now time.Time) error {
	empty := m.snapshot().sessions == 0
	sold := !state.Sold.IsZero() && state.Sold.Before(now) && now.Sub(state.Sold) < diagnosis.RecordsLife
	return m.incidents.setFault(ctx, incident.NoSessions, now, func(_ *incident.Incident, open bool) bool {
		return empty && (open || sold)
	})
}

// reportFiles keeps the incident about files that cannot be checked. The first
// file that is found closes it.
func (m *monitor) reportFiles(ctx context.Context, trouble store.FileTrouble, since time.Time, found bool) error {
	if trouble == "" && !found {
		return nil
	}
	return m.incidents.setFault(ctx, incident.FilesUnchecked, since, func(i *incident.Incident, _ bool) bool {
		i.Trouble = trouble
		return !found
	})
}
