package store

import "time"

// layoutFor is how recently a three-key session has to be created for it to tell
// that the site still makes such ones.
const layoutFor = 7 * 24 * time.Hour

// MadeAs is the layout in which the site makes sessions, as far as this one tells:
// a three-key one does within layoutFor. A full object without createdAt tells
// nothing: it may be a mapping that a repair wrote a status into.
func (s Session) MadeAs(now time.Time) Layout {
	switch layout := s.Layout(); {
	case layout == LayoutThreeKey && now.Sub(s.AsOf(now).StoredAt(now)) < layoutFor,
		layout == LayoutOneKey && !s.SessionKey.Value.CreatedAt.IsZero():
		return layout
	}
	return LayoutNone
}

// And is what sessions tell together: a single full object outweighs any number
// of three-key ones.
func (l Layout) And(made Layout) Layout {
	if l == LayoutOneKey || made == LayoutNone {
		return l
	}
	return made
}
