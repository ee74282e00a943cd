package store

import (
	"container/heap"
	"context"
	"slices"
	"strings"
	"time"
)

// promptRunes is how much of a prompt a list keeps: more than it shows.
const promptRunes = 300

// Prompts is the newest prompts there are.
type Prompts struct {
	Newest   []PromptEntry // newest first
	Total    int           // readable prompts seen, also those that are not listed
	Complete bool          // false: time ran out before all were seen
}

// PromptEntry is one session's prompt.
type PromptEntry struct {
	ID     string
	Text   string    // its first 300 characters
	Length int       // of the whole, in UTF-16 units
	At     time.Time // when it was stored; zero = unknown
}

// Prompts lists the newest prompts, at most limit. It holds no more of them in
// memory than it lists. Where ctx ends before all were seen it returns what it
// has, with Complete false. progress is as in Counting.
func (r *Redis) Prompts(ctx context.Context, limit int, progress func(scanned, keys int64)) (Prompts, error) {
	now := r.now()
	list := Prompts{Newest: []PromptEntry{}}
	var oldestFirst promptHeap
	complete, err := r.walk(ctx, newSurveyor(false, progress), func(s Session) {
		text := s.PromptText()
		if text == "" {
			return
		}
		list.Total++
		heap.Push(&oldestFirst, PromptEntry{
			ID: s.ID, Text: beginningOf(text, promptRunes), Length: Length(text), At: storedAt(s.AsOf(now), now),
		})
		if len(oldestFirst) > limit {
			heap.Pop(&oldestFirst)
		}
	})
	if err != nil {
		return Prompts{}, err
	}
	list.Newest, list.Complete = append(list.Newest, oldestFirst...), complete
	slices.SortFunc(list.Newest, func(a, b PromptEntry) int { return newer(b, a) })
	return list, nil
}

// beginningOf is a copy of the first runes: a part of the text itself would
// keep the whole in memory.
func beginningOf(text string, runes int) string {
	n := 0
	for i := range text {
		if n++; n > runes {
			return strings.Clone(text[:i])
		}
	}
	return strings.Clone(text)
}

// newer orders by time, and the like by id, so that a list reads the same
// each time.
func newer(a, b PromptEntry) int {
	if c := a.At.Compare(b.At); c != 0 {
		return c
	}
	return strings.Compare(b.ID, a.ID)
}

// promptHeap has the oldest on top.
type promptHeap []PromptEntry

func (h promptHeap) Len() int           { return len(h) }
func (h promptHeap) Less(i, j int) bool { return newer(h[i], h[j]) < 0 }
func (h promptHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push is heap.Interface's; use heap.Push.
func (h *promptHeap) Push(entry any) { *h = append(*h, entry.(PromptEntry)) }

// Pop is heap.Interface's; use heap.Pop.
func (h *promptHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
