package watch

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/watchstate"
)

// maxFileWait is how long the summary waits at most for files that are still to
// be checked: there may be very many.
const maxFileWait = time.Hour

// backlog collects the sessions that were in trouble before the watch began. They
// are alerted as one incident once all are known. If the leader dies before, the
// next one starts over.
type backlog struct {
	*term
	mu    sync.Mutex
	cases map[string]incident.Case // by session; nil = the summary is published
}

// add adds a session, unless the summary is published already.
func (b *backlog) add(c incident.Case) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, known := b.cases[c.ID]; !known && b.cases != nil {
		b.cases[c.ID] = c
	}
}

// publish opens the summary's incident, if there is any session, once all
// sessions, payments and files are known.
func (b *backlog) publish(ctx context.Context) error {
	known := b.snapshot()
	if !known.allVerified || b.Stripe != nil && !known.stripeComplete || !known.filesChecked && b.Now().Sub(b.began) <= maxFileWait {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cases == nil { // published
		return nil
	}
	summary := summaryOf(b.cases, b.Now())
	open, err := b.incidents.list(ctx)
	if err != nil {
		return err
	}
	switch {
	case known.state.BacklogNotified, slices.ContainsFunc(open, func(i incident.Incident) bool { return i.Kind == incident.Backlog }): // by another leader
	case summary.Sessions == 0:
		err = b.record(ctx, watchstate.BacklogNotified())
	default:
		err = b.incidents.open(ctx, summary, Summary)
	}
	if err != nil {
		return err
	}
	b.cases = nil
	signal(b.incidents.notifyNow)
	return nil
}

// summaryOf returns the incident about sessions from before the watch, with those of
// them that have waited longest.
func summaryOf(cases map[string]incident.Case, now time.Time) incident.Incident {
	i := newIncident(incident.Backlog, now)
	i.Sessions, i.Sums = len(cases), map[diagnosis.Verdict]incident.Sum{}
	for _, c := range cases {
		sum := i.Sums[c.Verdict]
		sum.Add(c)
		i.Sums[c.Verdict] = sum
	}
	oldest := slices.SortedFunc(maps.Values(cases), func(a, b incident.Case) int { return a.At.Compare(b.At) })
	i.Cases = oldest[:min(len(oldest), incident.ShownCases)]
	return i
}
