package sweep

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/stats"
)

// promptRunes is how much of a prompt is kept: more than a list shows.
const promptRunes = 300

// Prompt is one session's prompt.
type Prompt struct {
	ID     string
	Text   string    // its first 300 characters
	Length int       // of the whole, in UTF-16 units
	At     time.Time // when it was stored; zero = unknown
}

// newestPrompts collects the newest prompts, and some older ones.
type newestPrompts []Prompt

// add keeps the prompt of a session if it is among the newest.
func (l *newestPrompts) add(s store.Session, now time.Time, newest int) {
	text := s.PromptText()
	if text == "" {
		return
	}
	*l = append(*l, Prompt{ID: s.ID, Text: beginning(text, promptRunes), Length: stats.Length(text), At: s.AsOf(now).CreatedAt(now)})
	if len(*l) >= 2*newest {
		*l = l.first(newest)
	}
}

// first returns the newest. Prompts of the same age are ordered by id, so that the list
// is stable.
func (l newestPrompts) first(newest int) []Prompt {
	slices.SortFunc(l, func(a, b Prompt) int { return cmp.Or(b.At.Compare(a.At), strings.Compare(a.ID, b.ID)) })
	return l[:min(len(l), newest)]
}
