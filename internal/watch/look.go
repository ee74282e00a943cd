package watch

import (
	"context"
	"crypto/rand"
	"slices"

	"github.com/superduperai/sessionbot/store"
)

// roundSize is how many sessions one round looks at.
const roundSize = 200

// look looks at the sessions that are due, until none is.
func (s *shift) look(ctx context.Context) error {
	for ctx.Err() == nil {
		n, err := s.round(ctx)
		if err != nil || n < roundSize {
			return err
		}
	}
	return nil
}

// round looks at some sessions that are due, and brings incidents up to date. A
// session leaves the due list only when that is stored.
func (s *shift) round(ctx context.Context) (int, error) {
	started := s.Now()
	dues, err := s.Records.Due(ctx, started, roundSize)
	if err != nil {
		return 0, err
	}
	if len(dues) == 0 {
		return 0, s.settle(ctx)
	}
	ids := make([]string, len(dues))
	for n, d := range dues {
		ids[n] = d.Session
	}
	incidents, err := s.open(ctx)
	if err != nil {
		return 0, err
	}
	found, err := s.judge(ctx, ids, index(incidents))
	if err != nil {
		return 0, err
	}
	if err := s.place(ctx, incidents, found.seen); err != nil {
		return 0, err
	}
	if err := s.Records.Looked(ctx, dues); err != nil {
		return 0, err
	}
	nudge(s.news)
	if err := s.Records.ForgetPaid(ctx, found.well); err != nil {
		return 0, err
	}
	return len(dues), s.Records.Put(ctx, found.next...)
}

// place brings the incidents up to date with what was seen, and finds a place
// for the sessions that are in none.
func (s *shift) place(ctx context.Context, incidents []store.Incident, seen map[string]Sighting) error {
	placed := map[string]bool{}
	for n, i := range incidents {
		if !slices.ContainsFunc(i.Cases, func(c store.Case) bool { _, ok := seen[c.ID]; return ok }) {
			continue
		}
		changed, err := s.change(ctx, i, func(i *store.Incident) bool { return fold(i, seen, s.Now()) })
		if err != nil {
			return err
		}
		incidents[n] = changed
		for _, c := range changed.Cases {
			if c.Gone.IsZero() && callsOut(changed.Kind) {
				placed[c.ID] = true
			}
		}
	}
	fresh := map[store.IncidentKind][]store.Case{}
	for id, sighting := range seen {
		if sighting.Alerted && !placed[id] {
			fresh[sighting.kind()] = append(fresh[sighting.kind()], sighting.Case)
		}
	}
	for kind, cases := range fresh {
		if err := s.admit(ctx, incidents, kind, cases); err != nil {
			return err
		}
	}
	return nil
}

// admit adds sessions to the newest incident that they may join, else to a new
// one.
func (s *shift) admit(ctx context.Context, incidents []store.Incident, kind store.IncidentKind, cases []store.Case) error {
	slices.SortFunc(cases, func(a, b store.Case) int { return a.At.Compare(b.At) })
	for _, i := range slices.Backward(incidents) {
		if len(cases) == 0 || !joinable(i, kind, s.Now()) {
			continue
		}
		var rest []store.Case
		_, err := s.change(ctx, i, func(i *store.Incident) bool {
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
		i := store.Incident{ID: rand.Text(), Kind: kind, Opened: s.Now()}
		cases = join(&i, cases, s.Now())
		i.Change = string(First)
		if _, err := s.Records.OpenIncident(ctx, s.lead, i); err != nil {
			return err
		}
	}
	return nil
}
