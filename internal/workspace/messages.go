package workspace

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"
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

// messages are the messages of all channels. It is safe for concurrent use.
type messages struct {
	now     func() time.Time
	changed broadcast

	mu       sync.Mutex
	all      []*Message // by ts, oldest first
	revision int64
	last     int64                // microseconds of the latest ts
	read     map[[2]string]string // ts up to which (user, channel) has been read
}

// post adds a message under a ts of its own and returns it.
func (ms *messages) post(m Message) Message {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	micros := max(ms.now().UnixMicro(), ms.last+1)
	ms.last = micros
	m.TS = stamp(micros)
	if len(m.Blocks) == 0 {
		m.Blocks = json.RawMessage("[]")
	}
	m.Revision = ms.touch()
	if len(ms.all) >= maxMessages {
		ms.all = slices.Delete(ms.all, 0, maxMessages/10)
	}
	ms.all = append(ms.all, &m)
	return m
}

// stamp writes microseconds since 1970 as a ts.
func stamp(micros int64) string { return fmt.Sprintf("%d.%06d", micros/1e6, micros%1e6) }

// change edits a message, and reports whether there is one.
func (ms *messages) change(channel, ts string, edit func(*Message)) (Message, bool) {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	m := ms.find(channel, ts)
	if m == nil {
		return Message{}, false
	}
	edit(m)
	if len(m.Blocks) == 0 {
		m.Blocks = json.RawMessage("[]")
	}
	m.Revision = ms.touch()
	return *m, true
}

// remove leaves an empty, deleted message behind.
func (ms *messages) remove(channel, ts string) bool {
	_, ok := ms.change(channel, ts, func(m *Message) {
		m.Text, m.Blocks, m.Metadata, m.Deleted = "", nil, nil, true
	})
	return ok
}

// message finds a message that has not been deleted.
func (ms *messages) message(channel, ts string) (Message, bool) {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	if m := ms.find(channel, ts); m != nil {
		return *m, true
	}
	return Message{}, false
}

// find needs ms.mu.
func (ms *messages) find(channel, ts string) *Message {
	for _, m := range slices.Backward(ms.all) {
		if m.TS == ts && m.Channel == channel && !m.Deleted {
			return m
		}
	}
	return nil
}

// seen lists the messages that changed after a revision as user sees them in
// channel, oldest first, and returns the current revision. An empty channel means every one, an
// empty user means everybody's messages.
func (ms *messages) seen(channel, user string, after int64) ([]Message, int64) {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	list := []Message{}
	for _, m := range ms.all {
		switch {
		case m.Revision <= after:
		case channel != "" && m.Channel != channel:
		case user != "" && m.Ephemeral && m.VisibleTo != user:
		default:
			list = append(list, *m)
		}
	}
	return list, ms.revision
}

// repliesTo lists the ts of the lasting replies to a message, oldest first.
func (ms *messages) repliesTo(root Message) []string {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	var list []string
	for _, m := range ms.all {
		if m.Channel == root.Channel && m.ThreadTS == root.TS && m.TS != root.TS && !m.Ephemeral && !m.Deleted {
			list = append(list, m.TS)
		}
	}
	return list
}

// await is seen, and waits until there is something to list or ctx ends.
func (ms *messages) await(ctx context.Context, channel, user string, after int64) ([]Message, int64) {
	for {
		changed := ms.changed.next()
		list, revision := ms.seen(channel, user, after)
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
func (ms *messages) markRead(user, channel string) {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	ms.read[[2]string{user, channel}] = stamp(ms.last)
}

// unread counts the messages of others that user has not read in channel.
// Replies in threads leave a channel as it is.
func (ms *messages) unread(user, channel string) int {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	read, n := ms.read[[2]string{user, channel}], 0
	for _, m := range slices.Backward(ms.all) {
		reply := m.ThreadTS != "" && m.ThreadTS != m.TS
		if m.Channel == channel && m.TS > read && m.User != user && !m.Deleted && !reply &&
			(!m.Ephemeral || m.VisibleTo == user) {
			n++
		}
	}
	return n
}

// touch counts a change and wakes those who wait. It needs ms.mu.
func (ms *messages) touch() int64 {
	ms.revision++
	ms.changed.wake()
	return ms.revision
}

// threadOf finds the thread that a reply to a message belongs to: a reply to a
// reply belongs to the same one. An empty ts is no thread.
func (ms *messages) threadOf(channel, ts string) (string, error) {
	if ts == "" {
		return "", nil
	}
	root, ok := ms.message(channel, ts)
	switch {
	case !ok || root.Ephemeral:
		return ts, fail("thread_not_found")
	case root.ThreadTS != "":
		return root.ThreadTS, nil
	}
	return ts, nil
}

// reset forgets all messages. The revision goes on, so that who waits for news
// does not miss any.
func (ms *messages) reset() {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	ms.all = nil
	clear(ms.read)
	ms.touch()
}
