package sweep

import (
	"container/heap"
	"slices"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/store"
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

// promptHeap has the oldest on top.
type promptHeap []Prompt

// add keeps the prompt of a session if it is among the newest.
func (h *promptHeap) add(s store.Session, now time.Time, newest int) {
	text := s.PromptText()
	if text == "" {
		return
	}
	heap.Push(h, Prompt{ID: s.ID, Text: beginning(text, promptRunes), Length: store.Length(text), At: s.AsOf(now).StoredAt(now)})
	if len(*h) > newest {
		heap.Pop(h)
	}
}

func (h promptHeap) newestFirst() []Prompt {
	list := slices.Clone(h)
	slices.SortFunc(list, func(a, b Prompt) int { return newer(b, a) })
	return list
}

// newer orders by time, and the like by id, so that a list reads the same
// each time.
func newer(a, b Prompt) int {
	if c := a.At.Compare(b.At); c != 0 {
		return c
	}
	return strings.Compare(b.ID, a.ID)
}

// Len, Less, Swap, Push and Pop are heap.Interface's.
func (h promptHeap) Len() int           { return len(h) }
func (h promptHeap) Less(i, j int) bool { return newer(h[i], h[j]) < 0 }
func (h promptHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push appends a prompt; use heap.Push.
func (h *promptHeap) Push(prompt any) { *h = append(*h, prompt.(Prompt)) }

// Pop removes the last one; use heap.Pop.
func (h *promptHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
