package watch

import (
	"context"
	"crypto/rand"
	"slices"
	"sync"
	"time"

	"github.com/superduperai/sessionbot/store/incident"
)

// incidents reads and changes the open incidents on behalf of the leader.
type incidents struct {
	*term
	notifyNow chan struct{} // there may be something to notify

	faults sync.Mutex // held while an incident about a fault is updated

	mu    sync.Mutex
	cache map[string]incident.Incident // as last read or stored
}

// list returns the open incidents, the oldest first.
func (s *incidents) list(ctx context.Context) ([]incident.Incident, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	open, err := s.Records.OpenIncidents(ctx, s.cache)
	if err != nil {
		return nil, err
	}
	clear(s.cache)
	for _, i := range open {
		s.cache[i.ID] = i
	}
	return open, nil
}

func newIncident(kind incident.Kind, now time.Time) incident.Incident {
	return incident.Incident{ID: rand.Text(), Kind: kind, Opened: now, LastJoinedAt: now}
}

func (s *incidents) open(ctx context.Context, i incident.Incident, reason Reason) error {
	i.Changed(string(reason))
	_, err := s.Records.OpenIncident(ctx, s.lead, i)
	return err
}

// change changes an incident unless change returns false, and returns it as it is
// stored then.
func (s *incidents) change(ctx context.Context, i incident.Incident, change func(*incident.Incident) bool) (incident.Incident, error) {
	changed, err := s.Records.ChangeIncident(ctx, s.lead, i, change)
	if err == nil {
		s.mu.Lock()
		s.cache[changed.ID] = changed
		s.mu.Unlock()
	}
	return changed, err
}

// setFault opens, changes or closes the one incident for a kind of fault of the watch or of
// a service since then. update brings the incident up to date, a
// new one if none is open, and reports whether there is a fault.
func (s *incidents) setFault(ctx context.Context, kind incident.Kind, since time.Time, update func(i *incident.Incident, open bool) bool) error {
	s.faults.Lock()
	defer s.faults.Unlock()
	all, err := s.list(ctx)
	if err != nil {
		return err
	}
	i := newIncident(kind, s.Now())
	i.Since = since
	n := slices.IndexFunc(all, func(i incident.Incident) bool { return i.Kind == kind && i.Closed.IsZero() })
	open := n >= 0
	if open {
		i = all[n]
	}
	updated := i
	persists := update(&updated, open)
	switch {
	case !open && !persists, open && persists && sameFault(i, updated):
		return nil
	case !open:
		err = s.open(ctx, updated, otherKinds[kind])
	default:
		_, err = s.change(ctx, i, func(i *incident.Incident) bool {
			if !persists {
				i.Closed = s.Now()
				i.Changed(string(Resolved))
				return true
			}
			update(i, true)
			i.Changed(string(otherKinds[kind]))
			return true
		})
	}
	signal(s.notifyNow)
	return err
}

func sameFault(a, b incident.Incident) bool {
	return slices.Equal(a.Parts, b.Parts) && a.Sessions == b.Sessions && a.Why == b.Why && a.Trouble == b.Trouble
}
