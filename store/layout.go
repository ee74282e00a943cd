package store

import "time"

// layoutFor is how recently a three-key session has to be created to show that the
// site still creates such ones.
const layoutFor = 7 * 24 * time.Hour

// MadeAs returns the layout in which the site creates sessions, judged by this one. A
// three-key session proves it within layoutFor. A full object without createdAt proves
// nothing: it may be a mapping that a repair wrote a status into.
func (s Session) MadeAs(now time.Time) Layout {
	switch layout := s.Layout(); {
	case layout == LayoutThreeKey && now.Sub(s.AsOf(now).CreatedAt(now)) < layoutFor,
		layout == LayoutOneKey && !s.SessionKey.Value.CreatedAt.IsZero():
		return layout
	}
	return LayoutNone
}

// And combines the evidence of two sessions: a single full object outweighs any number
// of three-key ones.
func (l Layout) And(made Layout) Layout {
	if l == LayoutOneKey || made == LayoutNone {
		return l
	}
	return made
}
