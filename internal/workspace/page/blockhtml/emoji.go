package blockhtml

import (
	"maps"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/kyokomi/emoji/v2"
)

// plain writes plain text, with line breaks and emoji.
func (r *renderer) plain(s string) {
	for i, line := range each(r, strings.Split(r.readable(s), "\n")) {
		if i > 0 {
			r.open("br")
		}
		r.plainLine(line)
	}
}

func (r *renderer) plainLine(s string) {
	start := 0
	for i := 0; i < len(s) && !r.full(); {
		name, glyph := "", ""
		if s[i] == ':' {
			name, glyph = emojiAt(s[i:])
		}
		if glyph == "" {
			i++
			continue
		}
		r.text(s[start:i])
		r.emoji(name, glyph)
		i += len(name) + 2
		start = i
	}
	r.text(s[start:])
}

func (r *renderer) emoji(name, glyph string) {
	r.element("span", glyph, "class", "emoji", "role", "img", "aria-label", strings.ReplaceAll(name, "_", " "), "title", ":"+name+":")
}

// emojiAt reads the :name: at the start of s. glyph is "" where it is none that
// is known.
func emojiAt(s string) (name, glyph string) {
	const longest = 60 // bytes, colons included
	end := strings.IndexByte(s[1:min(len(s), longest)], ':')
	if end < 1 {
		return "", ""
	}
	name = s[1 : 1+end]
	return name, emojis()[name]
}

// fromCodePoints reads Slack's form of an emoji, such as 1f469-200d-1f680.
func fromCodePoints(s string) string {
	var out strings.Builder
	for _, part := range strings.Split(clip(s, 100), "-") {
		point, err := strconv.ParseInt(part, 16, 32)
		if err != nil || point < 0x80 || !utf8.ValidRune(rune(point)) {
			return ""
		}
		out.WriteRune(rune(point))
	}
	return out.String()
}

// emojis returns the glyphs by the names that Slack has for them. They are read
// when the first message is shown: the program that holds the page may show none.
var emojis = sync.OnceValue(func() map[string]string {
	all := map[string]string{}
	for code, glyph := range emoji.CodeMap() {
		all[strings.Trim(code, ":")] = glyph
	}
	// Where the library differs from Slack, or gives a glyph without the mark that
	// shows it in colour.
	maps.Copy(all, map[string]string{
		"email": "📧", "envelope": "✉️", "pause_button": "⏸️", "pencil": "📝", "stop_button": "⏹️",
	})
	return all
})
