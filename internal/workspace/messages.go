package workspace

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// maxMessages bounds what is remembered; the oldest go first.
const maxMessages = 10_000

// Message is a message as people see it.
type Message struct {
	Channel   string          `json:"channel"`
	TS        string          `json:"ts"`
	ThreadTS  string          `json:"thread_ts"` // of the thread's first message; empty outside threads
	User      string          `json:"user"`      // the author's id
	Text      string          `json:"text"`
	Blocks    json.RawMessage `json:"blocks"` // a JSON array, never null
	Metadata  json.RawMessage `json:"metadata,omitempty"`
	Ephemeral bool            `json:"ephemeral"`
	VisibleTo string          `json:"visible_to,omitempty"` // who sees an ephemeral message
	Edited    bool            `json:"edited"`
	Deleted   bool            `json:"deleted"`  // then text and blocks are empty
	Revision  int64           `json:"revision"` // of the workspace when it last changed
}

// post adds a message under a ts of its own and returns it.
func (w *world) post(m Message) Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	micros := max(w.now().UnixMicro(), w.last+1)
	w.last = micros
	m.TS = stamp(micros)
	if len(m.Blocks) == 0 {
		m.Blocks = json.RawMessage("[]")
	}
	m.Revision = w.touch()
	if len(w.messages) >= maxMessages {
		w.messages = slices.Delete(w.messages, 0, maxMessages/10)
	}
	w.messages = append(w.messages, &m)
	return m
}

// stamp writes microseconds since 1970 as a ts.
func stamp(micros int64) string { return fmt.Sprintf("%d.%06d", micros/1e6, micros%1e6) }

// change edits a message, and reports whether there is one.
func (w *world) change(channel, ts string, edit func(*Message)) (Message, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.find(channel, ts)
	if m == nil {
		return Message{}, false
	}
	edit(m)
	if len(m.Blocks) == 0 {
		m.Blocks = json.RawMessage("[]")
	}
	m.Revision = w.touch()
	return *m, true
}

// remove leaves an empty, deleted message behind.
func (w *world) remove(channel, ts string) bool {
	_, ok := w.change(channel, ts, func(m *Message) {
		m.Text, m.Blocks, m.Metadata, m.Deleted = "", nil, nil, true
	})
	return ok
}

// message finds a message that has not been deleted.
func (w *world) message(channel, ts string) (Message, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m := w.find(channel, ts); m != nil {
		return *m, true
	}
	return Message{}, false
}

// find needs w.mu.
func (w *world) find(channel, ts string) *Message {
	for _, m := range slices.Backward(w.messages) {
		if m.TS == ts && m.Channel == channel && !m.Deleted {
			return m
		}
	}
	return nil
}

// seen lists the messages that changed after a revision as user sees them in
// channel, oldest first, and returns the current revision. An empty channel means every one, an
// empty user means everybody's messages.
func (w *world) seen(channel, user string, after int64) ([]Message, int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := []Message{}
	for _, m := range w.messages {
		switch {
		case m.Revision <= after:
		case channel != "" && m.Channel != channel:
		case user != "" && m.Ephemeral && m.VisibleTo != user:
		default:
			list = append(list, *m)
		}
	}
	return list, w.revision
}

// repliesTo lists the ts of the lasting replies to a message, oldest first.
func (w *world) repliesTo(root Message) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []string
	for _, m := range w.messages {
		if m.Channel == root.Channel && m.ThreadTS == root.TS && m.TS != root.TS && !m.Ephemeral && !m.Deleted {
			list = append(list, m.TS)
		}
	}
	return list
}

// await is seen, and waits until there is something to list or ctx ends.
func (w *world) await(ctx context.Context, channel, user string, after int64) ([]Message, int64) {
	for {
		changed := w.changed.next()
		list, revision := w.seen(channel, user, after)
		if len(list) > 0 {
			return list, revision
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return list, revision
		}
	}
}

// markRead notes that user has read channel.
func (w *world) markRead(user, channel string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.read[[2]string{user, channel}] = stamp(w.last)
}

// unread counts the messages of others that user has not read in channel.
// Replies in threads leave a channel as it is.
func (w *world) unread(user, channel string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	read, n := w.read[[2]string{user, channel}], 0
	for _, m := range slices.Backward(w.messages) {
		reply := m.ThreadTS != "" && m.ThreadTS != m.TS
		if m.Channel == channel && m.TS > read && m.User != user && !m.Deleted && !reply &&
			(!m.Ephemeral || m.VisibleTo == user) {
			n++
		}
	}
	return n
}

// touch counts a change and wakes those who wait. It needs w.mu.
func (w *world) touch() int64 {
	w.revision++
	w.changed.wake()
	return w.revision
}
