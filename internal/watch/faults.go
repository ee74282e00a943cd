package watch

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/incident"
)

const (
	failureThreshold = 3                   // failures in a row that are reported
	minGap           = time.Minute         // without a watch, that is reported
	recentSale       = 29 * 24 * time.Hour // in which a sale has to have its session in Redis
)

// parts are the parts of the watch that can fail, sorted.
var parts = []string{incident.PartStripe, incident.PartEvents, incident.PartFiles, incident.PartNotifications, incident.PartSweep}

// monitor keeps the incidents that are about faults of the watch or of a service.
type monitor struct {
	*term
	mu       sync.Mutex
	failures map[string]int // in a row, by part; none = nothing is known of the part yet
}

func newMonitor(t *term) *monitor {
	m := &monitor{term: t, failures: map[string]int{incident.PartFiles: 0}} // no request is no failure
	if t.Stripe == nil {
		m.failures[incident.PartStripe], m.failures[incident.PartEvents] = 0, 0
	}
	return m
}

// of returns how often a part failed in a row. It reports false if nothing is
// known of the part yet.
func (m *monitor) of(part string) (int, bool) {
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
	err = m.incidents.setFault(ctx, incident.Degraded, Degraded, func(i *incident.Incident, open bool) bool {
		if i.Parts = m.failing(i.Parts); !open {
			i.Since = m.Now().Add(-failureThreshold * m.Interval)
		}
		return len(i.Parts) > 0
	})
	if err != nil {
		m.Log.WarnContext(ctx, "state of the watch not recorded", "error", err)
	}
}

// failing returns the parts that failed three times in a row, and of those
// reported before, maybe by another leader, the ones that have not worked since.
func (m *monitor) failing(reported []string) []string {
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
// the sessions that a sweep counted. One failed poll of Stripe is no news.
func (m *monitor) reportUnverified(ctx context.Context, sessions map[store.Unverified]int) error {
	known := m.known()
	why, since := known.stripeFault, known.stripeSilentSince
	silent := !since.IsZero()
	count := sessions[store.StripeNoAnswer]
	if failures, _ := m.of(incident.PartStripe); silent && failures < 2 {
		return nil
	}
	if !silent {
		why, since, count = store.StripeWrongMode, m.Now(), sessions[store.StripeWrongMode]
	}
	return m.incidents.setFault(ctx, incident.PaymentsUnverified, Unverifiable, func(i *incident.Incident, open bool) bool {
		switch {
		case open && !silent && i.Why != why: // it is about an outage of Stripe's, and closed by the next poll
			return true
		case count == 0:
			return open && silent
		case !open:
			i.Since = since
		}
		i.Sessions, i.Why = count, why
		return true
	})
}

// reportVerified closes that incident once Stripe answers again.
func (m *monitor) reportVerified(ctx context.Context) error {
	return m.incidents.setFault(ctx, incident.PaymentsUnverified, Unverifiable, func(i *incident.Incident, open bool) bool {
		return open && i.Why == store.StripeWrongMode
	})
}

// reportEmpty keeps the incident about a Redis that holds no session although
// Stripe lists sales: it is not the site's, which stores a session before it can
// be paid.
func (m *monitor) reportEmpty(ctx context.Context, state incident.WatchState, now time.Time) error {
	empty := m.known().sessions == 0
	sold := !state.Sold.IsZero() && state.Sold.Before(now) && now.Sub(state.Sold) < recentSale
	return m.incidents.setFault(ctx, incident.NoSessions, RedisEmpty, func(i *incident.Incident, open bool) bool {
		if !open {
			i.Since = now
		}
		return empty && (open || sold)
	})
}

// reportFiles keeps the incident about files that cannot be checked. The first
// file that is found closes it.
func (m *monitor) reportFiles(ctx context.Context, trouble store.FileTrouble, since time.Time, found bool) error {
	if trouble == "" && !found {
		return nil
	}
	return m.incidents.setFault(ctx, incident.FilesUnchecked, FilesUnavailable, func(i *incident.Incident, open bool) bool {
		if !open {
			i.Since = since
		}
		i.Trouble = trouble
		return !found
	})
}
