package page

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/workspace/page/blockhtml"
)

// outline summarises a timeline, one word an entry.
func outline(entries []entry) []string {
	var out []string
	for _, e := range entries {
		word := e.Label
		if e.Kind == "message" {
			word = e.Message.TS
			if e.Message.Continued {
				word += "+"
			}
			if e.Message.Replies > 0 {
				word += "/" + strconv.Itoa(e.Message.Replies)
			}
		}
		out = append(out, word)
	}
	return out
}

func at(ago time.Duration) time.Time { return noon.Add(-ago) }

func TestTimeline(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		messages []Message
		unread   string
		want     []string
	}{
		{"one author goes on", []Message{
			{TS: "1", User: "U1", At: at(9 * time.Minute)}, {TS: "2", User: "U1", At: at(8 * time.Minute)},
			{TS: "3", User: "U1", At: at(time.Minute)}, {TS: "4", User: "U2", At: at(0)},
		}, "", []string{"Today", "1", "2+", "3", "4"}},
		{"days", []Message{
			{TS: "1", User: "U1", At: at(400 * 24 * time.Hour)}, {TS: "2", User: "U1", At: at(50 * time.Hour)},
			{TS: "3", User: "U1", At: at(24 * time.Hour)}, {TS: "4", User: "U1", At: at(0)},
		}, "", []string{"Sunday, 26 January 2025", "1", "Saturday, 28 February", "2", "Yesterday", "3", "Today", "4"}},
		{"ephemeral messages stand alone", []Message{
			{TS: "1", User: "U1", At: at(0)}, {TS: "2", User: "U1", Ephemeral: true, At: at(0)}, {TS: "3", User: "U1", At: at(0)},
		}, "", []string{"Today", "1", "2", "3"}},
		{"replies are counted and left out", []Message{
			{TS: "1", ThreadTS: "1", User: "U1", At: at(0)}, {TS: "2", ThreadTS: "1", User: "U1", At: at(0)},
			{TS: "3", ThreadTS: "1", User: "U1", At: at(0), Deleted: true}, {TS: "4", ThreadTS: "gone", User: "U2", At: at(0)},
		}, "", []string{"Today", "1/1", "4"}},
		{"deleted ones leave a mark only above replies", []Message{
			{TS: "1", User: "U1", At: at(0), Deleted: true}, {TS: "2", User: "U1", At: at(0), Deleted: true},
			{TS: "3", ThreadTS: "2", User: "U2", At: at(0)},
		}, "", []string{"Today", "2/1"}},
		{"new", []Message{
			{TS: "1", User: "U1", At: at(0)}, {TS: "2", User: "U1", At: at(0)},
		}, "2", []string{"Today", "1", "New", "2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := writer{reader: blockhtml.Reader{Now: noon}}
			got := outline(w.timeline(c.messages, repliesByThread(c.messages), c.unread))
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestOlder: only the newest messages are shown, and the others are counted.
func TestOlder(t *testing.T) {
	t.Parallel()
	var messages []Message
	for i := range maxMessages + 3 {
		messages = append(messages, Message{TS: strconv.Itoa(i), User: "U1", At: noon})
	}
	w := writer{reader: blockhtml.Reader{Now: noon}}
	got := outline(w.timeline(messages, nil, ""))
	if got[0] != "3 older messages are not shown" || got[2] != "3" || len(got) != maxMessages+2 {
		t.Errorf("%d entries, from %q", len(got), got[:3])
	}
}

func TestFirstUnread(t *testing.T) {
	t.Parallel()
	messages := []Message{
		{TS: "1", User: "U2"}, {TS: "2", User: "U1"}, {TS: "3", User: "U2"}, {TS: "4", User: "U2", ThreadTS: "1"}, {TS: "5", User: "U1"},
	}
	for _, c := range []struct {
		name     string
		unread   int
		previous string
		want     string
	}{
		{"none", 0, "", ""},
		{"one, by another, no reply", 1, "", "3"},
		{"two", 2, "", "1"},
		{"more than there are", 9, "", "1"},
		{"stays where it stood", 0, "3", "3"},
		{"moves when there is more", 1, "1", "3"},
		{"stood at what is gone", 0, "0", ""},
	} {
		if got := firstUnread(messages, c.unread, c.previous, "U1"); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestCompletions(t *testing.T) {
	t.Parallel()
	for hint, want := range map[string]string{
		"debug|fix <id> · find <e-mail> · help": "/x /x debug(<id>) /x fix(<id>) /x find(<e-mail>) /x help",
		"stats | prompts [--limit N] | ping":    "/x /x stats /x prompts([--limit N]) /x ping",
		"[on|off]":                              "/x /x on /x off",
		"<text>":                                "/x",
		"":                                      "/x",
	} {
		var got []string
		for _, c := range completions([]Command{{Name: "/x", UsageHint: hint}}) {
			word := c.Text
			if c.Usage != "" && c.Text != c.Base {
				word += "(" + c.Usage + ")"
			}
			got = append(got, word)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: got %q, want %q", hint, got, want)
		}
	}
}

func TestInitials(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"Ann Support": "AS", "élodie": "É", "李 小龙": "李小", "session-bot v2": "SB", "": "?", "🙂": "?"} {
		if got := initials(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
