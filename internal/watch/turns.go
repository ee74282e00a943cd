package watch

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// spare stands in for a sweep while Redis tells of every write, also of keys that
// expired. What else becomes of the sessions of incidents is asked: of Stripe,
// which lists what it delivered, and in turn by a close look.
func (s *shift) spare(ctx context.Context) error {
	if err := s.deliveries(ctx); err != nil {
		return err
	}
	return s.through(ctx, s.turns)
}

// everybody who is in an incident.
func everybody(members map[string]member, _ time.Time) (ids []string) {
	for id, m := range members {
		if m.Gone.IsZero() {
			ids = append(ids, id)
		}
	}
	return ids
}

// turns are those whose turn it is to be looked at closely, who waited longest
// first, as many as Stripe may be asked about at once.
func (s *shift) turns(members map[string]member, now time.Time) []string {
	ids := slices.DeleteFunc(everybody(members, now), func(id string) bool { return !s.turn(members[id].Case, len(members), now) })
	slices.SortFunc(ids, func(a, b string) int { return looked(members[a].Case).Compare(looked(members[b].Case)) })
	return ids[:min(len(ids), asks)]
}

// turn tells whether it is the turn of this session to be looked at closely, for
// what Redis does not hold: a refund, a file that was made after all. The more
// there are the longer it takes until each had its turn.
func (s *shift) turn(c *store.Case, members int, now time.Time) bool {
	return now.Sub(looked(c)) >= max(recheckAfter, time.Duration(members)*s.passEvery()/asksPerPass)
}

func looked(c *store.Case) time.Time { return cmp.Or(c.Checked, c.Found) }

// deliveries brings up to date how far Stripe got with telling the site of the
// payments.
func (s *shift) deliveries(ctx context.Context) error {
	incidents, err := s.open(ctx)
	if err != nil || s.Stripe == nil {
		return err
	}
	now := s.Now()
	for _, i := range incidents {
		for news := true; news; {
			i, err = s.change(ctx, i, func(i *store.Incident) bool {
				news = s.delivered(ctx, i, now)
				return news
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// delivered does so for some sessions of an incident, as many as Redis stores in
// a few milliseconds, and tells whether there were any.
func (s *shift) delivered(ctx context.Context, i *store.Incident, now time.Time) bool {
	news := 0
	for n := range i.Cases {
		c := &i.Cases[n]
		if news == roundSize || !c.Gone.IsZero() || c.EventID == "" || now.Sub(c.At) > listBack {
			continue
		}
		paid := store.Paid{Payment: store.Payment{SessionID: c.ID, ChargedAt: c.At}, EventID: c.EventID, EventAt: c.EventAt}
		state, err := s.eventOf(ctx, &paid, now)
		if err == nil && state != store.EventUnknown && state != c.Event {
			c.Event, news = state, news+1
		}
	}
	if news > 0 {
		i.Changed(string(Joined))
	}
	return news > 0
}
