package workspace

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
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

// world is what there is: people, places and messages. Slack's rules about who
// may do what are not its business. It is safe for use by several goroutines.
type world struct {
	now    func() time.Time
	people []person
	groups []group

	changed broadcast

	mu       sync.Mutex
	channels []*channel
	messages []*Message // by ts, oldest first
	revision int64
	last     int64                // microseconds of the latest ts
	read     map[[2]string]string // ts up to which (user, channel) has been read
}

func newWorld(now func() time.Time, botName string) *world {
	people := examplePeople(botName)
	return &world{
		now: now, people: people, groups: exampleGroups(), channels: exampleChannels(people),
		read: map[[2]string]string{},
	}
}

func (w *world) person(id string) (person, bool) {
	i := slices.IndexFunc(w.people, func(p person) bool { return p.ID == id })
	if i < 0 {
		return person{}, false
	}
	return w.people[i], true
}

// findChannel finds a channel by its id or name ("#support"). The copy shares nothing.
func (w *world) findChannel(name string) (channel, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	bare := strings.TrimPrefix(name, "#")
	for _, c := range w.channels {
		if c.ID == name || (c.Kind != direct && c.Name == bare) {
			return c.clone(), true
		}
	}
	return channel{}, false
}

// listChannels lists all channels. The copies share nothing.
func (w *world) listChannels() []channel {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]channel, 0, len(w.channels))
	for _, c := range w.channels {
		all = append(all, c.clone())
	}
	return all
}

func (c *channel) clone() channel {
	copied := *c
	copied.Members = slices.Clone(c.Members)
	return copied
}

// setMember lets a user into a channel or takes them out of it.
func (w *world) setMember(channel, user string, member bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.channels {
		if c.ID != channel || c.has(user) == member {
			continue
		}
		if member {
			c.Members = append(c.Members, user)
		} else {
			c.Members = slices.DeleteFunc(c.Members, func(id string) bool { return id == user })
		}
		w.touch()
	}
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

// change lets edit alter a message. It reports whether the message stands.
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

// seen lists what changed after a revision as user sees it in channel, oldest
// first, and the revision that this shows. An empty channel means every one, an
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

// await lists like seen, but waits until there is something to list or ctx ends.
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
