package store

import "strings"

// ShortID is a session id without its middle, as messages show it: cs_live_a1B2…0001.
// It is the error of FindID for a text with no other id.
type ShortID struct {
	head string // cs_live_ or cs_test_ and what follows
	tail string // "" = the end is left out as well
}

func (s ShortID) Error() string { return "the session id is shortened" }

// Text is the short form.
func (s ShortID) Text() string { return s.head + "…" + s.tail }

// Matches reports whether the id may be the one that was shortened.
func (s ShortID) Matches(id string) bool {
	return len(id) >= len(s.head)+len(s.tail) && strings.HasPrefix(id, s.head) && strings.HasSuffix(id, s.tail) && onlyID.MatchString(id)
}

// KeyPattern is the SCAN pattern of the keys of the sessions that may be meant. None of an id's characters means anything else there.
func (s ShortID) KeyPattern() string { return "*:" + s.head + "*" + s.tail }

// parseShortID reports whether the word is a short form that says something.
func parseShortID(word string) (ShortID, bool) {
	parts := shortID.FindStringSubmatch(word)
	if parts == nil || len(word) > maxID || parts[1]+parts[2] == "cs_live_" || parts[1]+parts[2] == "cs_test_" {
		return ShortID{}, false
	}
	return ShortID{head: parts[1], tail: parts[2]}, true
}
