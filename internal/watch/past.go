package watch

import (
	"context"
	"crypto/rand"
	"hash/maphash"
	"maps"
	"slices"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// past is what was in trouble before the watch began, as far as it was looked
// at: the newest sessions, and how many there are. It is told as one incident,
// once all is known; a leader that dies before leaves it to the next one, which
// begins anew. However often a session is looked at, it counts once.
type past struct {
	seed    maphash.Seed
	counted map[uint64]struct{} // fingerprints of sessions
	newest  []store.Case
	sums    map[store.Verdict]store.Sum
}

func newPast() *past {
	return &past{seed: maphash.MakeSeed(), counted: map[uint64]struct{}{}, sums: map[store.Verdict]store.Sum{}}
}

func (p *past) add(c store.Case) {
	print := maphash.String(p.seed, c.ID)
	if _, ok := p.counted[print]; ok {
		return
	}
	p.counted[print] = struct{}{}
	sum := p.sums[c.Verdict]
	sum.Add(c)
	p.sums[c.Verdict] = sum
	at, _ := slices.BinarySearchFunc(p.newest, c, func(in, c store.Case) int { return c.At.Compare(in.At) })
	p.newest = slices.Insert(p.newest, at, c)
	p.newest = p.newest[:min(len(p.newest), store.ShownCases)]
}

// before counts a session that was in trouble before the watch began. Where all
// of those are settled it is told already, or about to be.
func (s *shift) before(c store.Case) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.past != nil {
		s.past.add(c)
	}
}

// checkFirst is how long the summary waits at most for files that are still to be
// checked: there may be very many.
const checkFirst = time.Hour

// settle has all that was before the watch began told, if there is anything,
// once all of it has been looked at and all payments and files are known.
func (s *shift) settle(ctx context.Context) error {
	s.mu.Lock()
	ready := s.past != nil && s.verified && (s.Stripe == nil || s.caughtUp) && (s.checked || s.Now().Sub(s.began) > checkFirst)
	var summary store.Incident
	if ready {
		summary = s.past.summary(s.Now())
	}
	s.mu.Unlock()
	if !ready {
		return nil
	}
	incidents, err := s.open(ctx)
	if err != nil {
		return err
	}
	state, err := s.Records.State(ctx)
	if err != nil {
		return err
	}
	waiting := slices.ContainsFunc(incidents, func(i store.Incident) bool { return i.Kind == store.IncidentHistory })
	switch {
	case waiting || state.HistoryTold: // another leader came so far
	case summary.Sessions == 0:
		err = s.Records.Note(ctx, s.lead, store.HistoryTold())
	default:
		_, err = s.Records.OpenIncident(ctx, s.lead, summary)
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.past = nil
	s.mu.Unlock()
	nudge(s.news)
	return nil
}

// summary is the incident of what was before. Whoever still counts does not
// change it.
func (p *past) summary(now time.Time) store.Incident {
	sums := maps.Clone(p.sums)
	for v, sum := range sums {
		sum.Money = maps.Clone(sum.Money)
		sums[v] = sum
	}
	i := store.Incident{ID: rand.Text(), Kind: store.IncidentHistory, Opened: now, Grown: now,
		Sessions: len(p.counted), Sums: sums, Cases: slices.Clone(p.newest)}
	i.Changed(string(Summary))
	return i
}
