package page

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/workspace/form"
)

// world is a canned Backend: it keeps what it is given and signals changes.
type world struct {
	mu       sync.Mutex
	people   []Person
	channels []Channel
	messages map[string][]Message
	frames   []Frame
	clicks   []string // what was clicked, as words
	typed    []string
	unread   map[string]int
	views    []View // that are open, the top last
	home     *View
	filled   form.Values // of the modals
	fault    error       // answered to everything that is done
	changed  chan struct{}
	serial   int
}

var noon = time.Date(2026, 3, 2, 12, 0, 31, 0, time.UTC)

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{
		people: []Person{
			{ID: "U0SUPPORT", Name: "Ann Support"}, {ID: "U0ONCALL", Name: "Bob Oncall"},
			{ID: "U0LEAD", Name: "Chloé Lead"}, {ID: "U0GUEST", Name: "Gus", Title: "guest"},
			{ID: "U0BOT", Name: "sessionbot", Bot: true},
		},
		channels: []Channel{
			{ID: "C0SUPPORT", Name: "support", Topic: "Customers who wait for their video", Member: true},
			{ID: "C0ALERTS", Name: "alerts", Topic: "What the bot found by itself", Member: true},
			{ID: "C0OTHER", Name: "gallery"},
			{ID: "D0BOT", Name: "sessionbot", Direct: true, Member: true},
		},
		messages: map[string][]Message{},
		unread:   map[string]int{"C0ALERTS": 2},
		filled:   form.Values{},
		changed:  make(chan struct{}),
	}
	w.messages["C0SUPPORT"] = story(t)
	w.messages["C0OTHER"] = gallery(t)
	w.frames = []Frame{
		{At: noon.Add(-5 * time.Second), Direction: "in", Kind: "call", Title: "chat.postMessage", Body: `{"channel":"C0SUPPORT","text":"hi"}`},
		{At: noon.Add(-4 * time.Second), Direction: "out", Kind: "frame", Title: "slash_commands", Body: `{"envelope_id":"e-1","type":"slash_commands","payload":{"command":"/session","text":"debug cs_live_a1B2"}}`},
		{At: noon.Add(-3 * time.Second), Direction: "in", Kind: "frame", Title: "ack e-1", Body: `{"envelope_id":"e-1"}`},
	}
	return w
}

// story is the conversation in testdata/story.json, dated back from noon.
func story(t testing.TB) []Message {
	t.Helper()
	data, err := os.ReadFile("testdata/story.json")
	if err != nil {
		t.Fatal(err)
	}
	var lines []struct {
		Message
		Ago string
	}
	if err := json.Unmarshal(data, &lines); err != nil {
		t.Fatal(err)
	}
	var messages []Message
	for _, line := range lines {
		ago, err := time.ParseDuration(line.Ago)
		if err != nil {
			t.Fatal(err)
		}
		line.At = noon.Add(-ago)
		messages = append(messages, line.Message)
	}
	return messages
}

// gallery is one message for every file of the renderer's blocks.
func gallery(t testing.TB) []Message {
	t.Helper()
	files, err := filepath.Glob("blockhtml/testdata/blocks/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no blocks: %v", err)
	}
	var messages []Message
	for i, file := range files {
		blocks, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, Message{
			TS: fmt.Sprintf("9.%d", i), User: "U0BOT", Name: "sessionbot", Bot: true, Blocks: blocks,
			At: noon.Add(time.Duration(i-len(files)) * 10 * time.Minute),
		})
	}
	return messages
}

func (w *world) Team() string     { return "Video Works" }
func (w *world) People() []Person { return w.people }
func (w *world) Groups() []Group  { return []Group{{ID: "S0OPS", Handle: "ops"}} }

func (w *world) Channels(string) []Channel {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Channel
	for _, c := range w.channels {
		c.Unread = w.unread[c.ID]
		out = append(out, c)
	}
	return out
}

func (w *world) Messages(channel, user string) []Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Message
	for _, m := range w.messages[channel] {
		if !m.Ephemeral || user == "U0SUPPORT" {
			out = append(out, m)
		}
	}
	return out
}

func (w *world) Commands() []Command {
	return []Command{
		{Name: "/session", Description: "What happened to a customer's session", UsageHint: "debug <id> | find <e-mail or pi_…> | help"},
		{Name: "/redis", Description: "Figures over all sessions", UsageHint: "stats | prompts [--limit N] | ping"},
	}
}

func (w *world) Type(user, channel, thread, text string) error {
	w.mu.Lock()
	fault := w.fault
	w.typed = append(w.typed, strings.Join([]string{user, channel, thread, text}, " "))
	w.mu.Unlock()
	if fault != nil {
		return fault
	}
	w.post(channel, Message{User: user, Text: text, ThreadTS: thread})
	return nil
}

func (w *world) Read(_, channel string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unread[channel] = 0
	w.wake()
}

func (w *world) Frames() []Frame { return w.frames }

func (w *world) NextChange() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

// wake ends every wait for a change; w.mu is held.
func (w *world) wake() {
	close(w.changed)
	w.changed = make(chan struct{})
}

func (w *world) post(channel string, m Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serial++
	m.TS, m.At = fmt.Sprintf("1772452831.%06d", w.serial), noon
	w.messages[channel] = append(w.messages[channel], m)
	w.wake()
}

func (w *world) change(channel, ts string, edit func(*Message)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.messages[channel] {
		if w.messages[channel][i].TS == ts {
			edit(&w.messages[channel][i])
		}
	}
	w.wake()
}

func (w *world) fail(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault = nil
	if text != "" {
		w.fault = errors.New(text)
	}
}

func (w *world) done() (typed, clicks []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.typed...), append([]string(nil), w.clicks...)
}
