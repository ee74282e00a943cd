package watch

import (
	"time"

	"github.com/superduperai/sessionbot/store"
)

// Sighting is how a session was seen to stand.
type Sighting struct {
	Case    store.Case
	Alerted bool         // its verdict is one that is alerted
	Ending  store.Ending // how it left the trouble it was in; "" = that cannot be told yet
}

// kind is the incident that a session of this verdict belongs to.
func (s Sighting) kind() store.IncidentKind { return store.IncidentKind(s.Case.Verdict) }

// fold brings an incident up to date with what was seen of its own sessions: who
// was put right leaves, who left and is in trouble again is back.
func fold(i *store.Incident, seen map[string]Sighting, now time.Time) (changed bool) {
	if !callsOut(i.Kind) {
		return false
	}
	left, back, fresh, asked := false, false, false, false
	for n := range i.Cases {
		c := &i.Cases[n]
		s, ok := seen[c.ID]
		if !ok {
			continue
		}
		in := s.Alerted && s.kind() == i.Kind
		switch {
		case in && !c.Gone.IsZero() && now.Sub(i.Grown) >= Window: // it deserves a message that is seen
		case in && !c.Gone.IsZero():
			found := c.Found
			*c = s.Case
			c.Found, back = found, true
		case in:
			checked := c.Checked
			fresh = refresh(c, s.Case) || fresh
			asked = asked || !c.Checked.Equal(checked) // which nobody sees
		case c.Gone.IsZero() && s.Ending != "": // or in other trouble, which is told elsewhere
			c.Gone, c.Ending, left = now, s.Ending, true
		}
	}
	switch {
	case back:
		reopen(i, Reopened)
	case left:
		if len(i.Open()) == 0 {
			i.Closed = now
		}
		i.Changed(string(Resolved))
	case fresh:
		i.Changed(string(Joined))
	}
	return back || left || fresh || asked
}

// refresh takes what is known better by now, and tells whether that is worth
// showing.
func refresh(c *store.Case, seen store.Case) bool {
	found, before := c.Found, *c
	checked := c.Checked
	*c = seen
	c.Found = found
	if checked.After(c.Checked) {
		c.Checked = checked
	}
	if c.Event == store.EventUnknown {
		c.Event, c.EventID, c.EventAt = before.Event, before.EventID, before.EventAt
	}
	if c.Amount == 0 {
		c.Amount, c.Currency = before.Amount, before.Currency
	}
	return c.Event != before.Event || c.Payment != before.Payment || c.Amount != before.Amount
}

// reopen makes a closed incident open again; one that is open has only changed.
func reopen(i *store.Incident, why Reason) {
	if !i.Closed.IsZero() {
		i.Closed, i.Acknowledged, i.Snoozed, i.Reminders = time.Time{}, nil, nil, 0
		i.Reopened, why = i.Place.TS != "", Reopened
	}
	i.Changed(string(why))
}

// join adds sessions that are not in the incident yet, as many as there is room
// for, and returns the others.
func join(i *store.Incident, cases []store.Case, now time.Time) (rest []store.Case) {
	known := map[string]bool{}
	for _, c := range i.Cases {
		known[c.ID] = true
	}
	joined := false
	for _, c := range cases {
		switch {
		case known[c.ID]:
		case len(i.Cases) >= store.MaxCases:
			rest = append(rest, c)
		default:
			c.Found, known[c.ID], joined = now, true, true
			i.Cases = append(i.Cases, c)
			if !c.At.IsZero() && (i.Since.IsZero() || c.At.Before(i.Since)) {
				i.Since = c.At
			}
		}
	}
	if joined {
		i.Grown = now
		reopen(i, Joined)
	}
	return rest
}

// joinable tells whether new sessions of this kind belong into the incident.
func joinable(i store.Incident, kind store.IncidentKind, now time.Time) bool {
	if i.Kind != kind || len(i.Cases) >= store.MaxCases {
		return false
	}
	return now.Sub(i.Grown) < Window
}

// retired tells whether an incident is over for good: closed, shown so, and
// nobody can join any more.
func retired(i store.Incident, now time.Time) bool {
	if i.Place.TS == "" || i.Shown < i.Revision {
		return false
	}
	if i.Kind == store.IncidentHistory {
		return true
	}
	return !i.Closed.IsZero() && (now.Sub(i.Grown) >= Window || !callsOut(i.Kind))
}

// member is a session of an incident.
type member struct {
	kind store.IncidentKind
	*store.Case
}

// index finds the sessions of incidents, those that are in before those that
// left.
func index(incidents []store.Incident) map[string]member {
	members := map[string]member{}
	for _, i := range incidents {
		if !callsOut(i.Kind) {
			continue
		}
		for n := range i.Cases {
			c := &i.Cases[n]
			if known, ok := members[c.ID]; !ok || !known.Gone.IsZero() {
				members[c.ID] = member{i.Kind, c}
			}
		}
	}
	return members
}
