package page

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/url"
	"slices"

	"github.com/superduperai/sessionbot/internal/workspace/page/blockhtml"
)

// Bounds of the panel of frames.
const (
	maxFrames    = 150
	maxFrameBody = 8_000 // bytes of one frame
	maxSource    = 60_000
)

// panel is shown next to the channel.
type panel struct {
	Kind     string // thread, source, frames, or empty for none
	Title    string
	Thread   string // ts of the thread's first message
	Entries  []entry
	Composer composer // of the thread
	Frames   []frameView
	Source   string
	Close    string // address of the page without the panel
}

type frameView struct {
	Frame
	Key   string
	Clock string
	Text  string
}

// panel builds the panel that the address asks for.
func (s *server) panel(w writer, messages []Message, replies map[string][]Message, q url.Values) panel {
	p := panel{Kind: q.Get("panel"), Close: w.current.href()}
	root, found := find(messages, q.Get("ts"), messageTS)
	switch {
	case p.Kind == "frames":
		p.Title = "Frames and calls"
		p.Frames = s.frames(w)
	case p.Kind == "thread" && found:
		p.Title, p.Thread = "Thread", root.TS
		p.Composer = composer{Thread: root.TS, Label: "Reply…"}
		p.Entries = w.thread(root, replies[root.TS])
	case p.Kind == "source" && found:
		p.Title = "Message source"
		p.Source = source(root)
	default:
		p.Kind = ""
	}
	return p
}

// thread is the first message, the number of replies, and the replies.
func (w writer) thread(root Message, replies []Message) []entry {
	first := w.message(root, nil)
	first.ThreadHref = ""
	label := "No replies yet"
	switch len(replies) {
	case 0:
	case 1:
		label = "1 reply"
	default:
		label = fmt.Sprintf("%d replies", len(replies))
	}
	entries := []entry{
		{Key: "t-" + root.TS, Kind: "message", Message: first},
		{Key: "replies", Kind: "replies", Label: label},
	}
	for _, m := range replies {
		reply := w.message(m, nil)
		reply.ThreadHref = ""
		entries = append(entries, entry{Key: "t-" + m.TS, Kind: "message", Message: reply})
	}
	return entries
}

// frames are the newest first.
func (s *server) frames(w writer) []frameView {
	frames := s.backend.Frames()
	frames = frames[max(len(frames)-maxFrames, 0):]
	seen := map[uint64]int{}
	var out []frameView
	for _, f := range frames {
		at := f.At.In(w.reader.Now.Location())
		sum := fnv.New64a()
		_, _ = fmt.Fprint(sum, at.UnixNano(), f.Direction, f.Kind, f.Title, f.Body) // a hash never fails
		id := sum.Sum64()
		seen[id]++
		out = append(out, frameView{
			Frame: f, Key: fmt.Sprintf("f-%x-%d", id, seen[id]), Clock: at.Format("15:04:05.000"),
			Text: blockhtml.Indent([]byte(f.Body), maxFrameBody),
		})
	}
	slices.Reverse(out)
	return out
}

// source is a message as its author sent it.
func source(m Message) string {
	data, err := json.Marshal(struct {
		TS          string          `json:"ts"`
		User        string          `json:"user"`
		ThreadTS    string          `json:"thread_ts,omitempty"`
		Text        string          `json:"text"`
		Blocks      json.RawMessage `json:"blocks,omitempty"`
		Attachments json.RawMessage `json:"attachments,omitempty"`
		Metadata    json.RawMessage `json:"metadata,omitempty"`
	}{m.TS, m.User, m.ThreadTS, m.Text, m.Blocks, m.Attachments, m.Metadata})
	if err != nil {
		return "The message's blocks or metadata are no JSON: " + err.Error()
	}
	return blockhtml.Indent(data, maxSource)
}
