package watch

import (
	"context"
	"slices"

	"github.com/superduperai/sessionbot/store/incident"
)

// assign updates the open incidents with what was observed of their sessions, and
// finds an incident for sessions that are in none.
func (s *incidents) assign(ctx context.Context, open []incident.Incident, observed map[string]assessment) error {
	assigned := map[string]bool{}
	for n, i := range open {
		if !slices.ContainsFunc(i.Cases, func(c incident.Case) bool { _, ok := observed[c.ID]; return ok }) {
			continue
		}
		changed, err := s.change(ctx, i, func(i *incident.Incident) bool { return reconcile(i, observed, s.Now()) })
		if err != nil {
			return err
		}
		open[n] = changed
		for _, c := range changed.Cases {
			if c.Gone.IsZero() && aboutSessions(changed.Kind) {
				assigned[c.ID] = true
			}
		}
	}
	unassigned := map[incident.Kind][]incident.Case{}
	for id, o := range observed {
		if o.ToAlert && !assigned[id] {
			unassigned[o.kind()] = append(unassigned[o.kind()], o.Case)
		}
	}
	for kind, cases := range unassigned {
		if err := s.addCases(ctx, open, kind, cases); err != nil {
			return err
		}
	}
	return nil
}

// addCases adds sessions to the newest incident that accepts them, else to a new
// one.
func (s *incidents) addCases(ctx context.Context, open []incident.Incident, kind incident.Kind, cases []incident.Case) error {
	slices.SortFunc(cases, func(a, b incident.Case) int { return a.At.Compare(b.At) })
	for _, i := range slices.Backward(open) {
		if len(cases) == 0 || !joinable(i, kind, s.Now()) {
			continue
		}
		var rest []incident.Case
		_, err := s.change(ctx, i, func(i *incident.Incident) bool {
			before := len(i.Cases)
			rest = join(i, cases, s.Now())
			return len(i.Cases) > before
		})
		if err != nil {
			return err
		}
		cases = rest
	}
	for len(cases) > 0 {
		i := newIncident(kind, s.Now())
		cases = join(&i, cases, s.Now())
		i.Change = string(First)
		if _, err := s.Records.OpenIncident(ctx, s.lead, i); err != nil {
			return err
		}
	}
	return nil
}
