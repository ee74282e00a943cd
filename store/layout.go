package store

import "time"

// layoutFor is how recently a three-key session has to be created for it to tell
// that the site still makes such ones.
const layoutFor = 7 * 24 * time.Hour

// LayoutCount counts what tells in which layout the site makes sessions, and so
// which keys it reads.
type LayoutCount struct {
	OneKey   int // full objects with a createdAt
	ThreeKey int // three-key sessions of the last seven days
}

// Add counts a session by its MadeAs and its age.
func (c *LayoutCount) Add(made Layout, age time.Duration) {
	switch {
	case made == LayoutOneKey:
		c.OneKey++
	case made == LayoutThreeKey && age < layoutFor:
		c.ThreeKey++
	}
}

// Reads is the layout that the site reads; LayoutNone where no session tells.
func (c LayoutCount) Reads() Layout {
	switch {
	case c.OneKey > 0:
		return LayoutOneKey
	case c.ThreeKey > 0:
		return LayoutThreeKey
	}
	return LayoutNone
}

// MadeAs is the layout in which the site made the session. A full object without
// createdAt tells nothing: it may be a mapping that a repair wrote a status into.
func (s Session) MadeAs() Layout {
	switch layout := s.Layout(); {
	case layout == LayoutThreeKey, layout == LayoutOneKey && !s.Lookup.Value.CreatedAt.IsZero():
		return layout
	}
	return LayoutNone
}
