package page

import (
	"bytes"
	"fmt"
	"html/template"
	"slices"
	"time"

	"github.com/superduperai/sessionbot/internal/workspace/page/blockhtml"
)

// maxMessages are shown of a channel, the newest ones.
const maxMessages = 200

// groupingWindow is how long after a message the next of the same author is shown
// without the author's name.
const groupingWindow = 5 * time.Minute

// entry is one line of a timeline: a message, or a separator with a label.
type entry struct {
	Key     string // stable identity of the entry
	Kind    string // message, date, new, note or replies
	Label   string
	Message messageView
}

type messageView struct {
	Message
	Author     personView
	Body       template.HTML
	Clock      string // 15:04
	Stamp      string // RFC 3339
	Full       string // the whole date in words
	Continued  bool   // the message above is of the same author
	Replies    int
	LastReply  string
	Shortcuts  []Shortcut
	ThreadHref string // empty where there can be no thread
	SourceHref string
}

// writer turns messages into what one reader sees.
type writer struct {
	reader    blockhtml.Reader
	people    []Person
	shortcuts []Shortcut // of messages
	current   location
}

// repliesByThread collects the replies whose first message is there as well.
func repliesByThread(messages []Message) map[string][]Message {
	roots := map[string]bool{}
	for _, m := range messages {
		roots[m.TS] = true
	}
	replies := map[string][]Message{}
	for _, m := range messages {
		if m.ThreadTS != "" && m.ThreadTS != m.TS && roots[m.ThreadTS] && !m.Deleted {
			replies[m.ThreadTS] = append(replies[m.ThreadTS], m)
		}
	}
	return replies
}

// firstUnread returns the ts of the message below the line "New": the previous one
// where nothing is unread, else the first of the unread messages of others.
func firstUnread(messages []Message, unread int, previous, me string) string {
	if _, found := find(messages, previous, messageTS); found && unread == 0 {
		return previous
	}
	first := ""
	for _, m := range slices.Backward(messages) {
		if unread == 0 {
			break
		}
		if m.User != me && !m.Deleted && (m.ThreadTS == "" || m.ThreadTS == m.TS) {
			first = m.TS
			unread--
		}
	}
	return first
}

// timeline is the channel, replies left out.
func (w writer) timeline(messages []Message, replies map[string][]Message, unread string) []entry {
	top := slices.DeleteFunc(slices.Clone(messages), func(m Message) bool {
		_, reply := replies[m.ThreadTS]
		return (reply && m.ThreadTS != m.TS) || (m.Deleted && len(replies[m.TS]) == 0)
	})
	var entries []entry
	if more := len(top) - maxMessages; more > 0 {
		entries = append(entries, entry{Key: "older", Kind: "note", Label: fmt.Sprintf("%d older messages are not shown", more)})
		top = top[more:]
	}
	return append(entries, w.entries(top, replies, unread)...)
}

// entries puts date lines and the line "New" between messages.
func (w writer) entries(messages []Message, replies map[string][]Message, unread string) []entry {
	var entries []entry
	var last Message
	for _, m := range messages {
		day := m.At.In(w.reader.Now.Location()).Format(time.DateOnly)
		fresh := last.TS == "" || day != last.At.In(w.reader.Now.Location()).Format(time.DateOnly)
		if fresh {
			entries = append(entries, entry{Key: "day-" + day, Kind: "date", Label: w.dayLabel(m.At)})
		}
		if m.TS == unread {
			entries = append(entries, entry{Key: "new", Kind: "new", Label: "New"})
			fresh = true
		}
		v := w.message(m, replies[m.TS])
		v.Continued = !fresh && m.User == last.User && m.Name == last.Name && !m.Ephemeral && !last.Ephemeral &&
			!m.Deleted && !last.Deleted && len(replies[last.TS]) == 0 && m.At.Sub(last.At) < groupingWindow
		entries = append(entries, entry{Key: "m-" + m.TS, Kind: "message", Message: v})
		last = m
	}
	return entries
}

func (w writer) message(m Message, replies []Message) messageView {
	at := m.At.In(w.reader.Now.Location())
	author, known := find(w.people, m.User, personID)
	if !known {
		author = Person{ID: m.User, Name: m.Name}
	}
	if m.Name != "" {
		author.Name = m.Name
	}
	author.Bot = author.Bot || m.Bot
	v := messageView{
		Message: m, Author: newPersonView(author, w.people), Replies: len(replies),
		Clock: at.Format("15:04"), Stamp: at.Format(time.RFC3339), Full: at.Format("Monday, 2 January 2006 at 15:04:05"),
		SourceHref: w.panelHref("source", m.TS),
	}
	if !m.Ephemeral {
		v.ThreadHref = w.panelHref("thread", m.TS)
		if m.ThreadTS != "" {
			v.ThreadHref = w.panelHref("thread", m.ThreadTS)
		}
	}
	if len(replies) > 0 {
		v.LastReply = replies[len(replies)-1].At.In(w.reader.Now.Location()).Format("15:04")
	}
	if !m.Deleted {
		v.Body = w.body(m)
	}
	if !m.Deleted && !m.Ephemeral {
		v.Shortcuts = w.shortcuts
	}
	return v
}

// body shows the blocks, as Slack does, and the text only where there are none.
func (w writer) body(m Message) template.HTML {
	reader := w.reader
	reader.Scope = m.TS
	shown := m.Shown
	if len(shown) == 0 {
		shown = m.Blocks
	}
	switch blocks := bytes.TrimSpace(shown); string(blocks) {
	case "", "null", "[]":
		return blockhtml.Text(reader, m.Text)
	default:
		return blockhtml.Blocks(reader, blocks)
	}
}

func (w writer) panelHref(kind, ts string) string {
	to := w.current
	to.panel, to.ts = kind, ts
	return to.href()
}

// dayLabel names a day as a separator.
func (w writer) dayLabel(at time.Time) string {
	now := w.reader.Now
	at = at.In(now.Location())
	switch at.Format(time.DateOnly) {
	case now.Format(time.DateOnly):
		return "Today"
	case now.AddDate(0, 0, -1).Format(time.DateOnly):
		return "Yesterday"
	}
	if at.Year() != now.Year() {
		return at.Format("Monday, 2 January 2006")
	}
	return at.Format("Monday, 2 January")
}
