package blockhtml

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// entities are the three that Slack escapes in its own texts.
var entities = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// mrkdwn renders Slack's markup: fences, quotes, and inline markup line by line.
func (r *renderer) mrkdwn(text string) {
	text = r.readable(text)
	for text != "" && !r.full() {
		before, rest, opened := strings.Cut(text, "```")
		code, after, closed := strings.Cut(rest, "```")
		if !opened || !closed || code == "" {
			r.paragraphs(text)
			return
		}
		r.paragraphs(strings.TrimSuffix(before, "\n"))
		r.element("pre", flatten(strings.Trim(code, "\n")), "tabindex", "0")
		text = strings.TrimPrefix(after, "\n")
	}
}

// paragraphs renders lines without fences; runs of lines behind ">" become quotes.
func (r *renderer) paragraphs(text string) {
	if text == "" {
		return
	}
	lines := strings.Split(text, "\n")
	for len(lines) > 0 && !r.full() {
		_, quoted := cutQuote(lines[0])
		end := slices.IndexFunc(lines, func(line string) bool {
			_, q := cutQuote(line)
			return q != quoted
		})
		if rest, all := cutAll(lines[0]); all {
			lines[0], end = rest, -1
		}
		if end < 0 {
			end = len(lines)
		}
		r.run(lines[:end], quoted)
		lines = lines[end:]
	}
}

// run renders lines that belong together.
func (r *renderer) run(lines []string, quoted bool) {
	if quoted {
		r.open("blockquote")
		defer r.close("blockquote")
	}
	for i, line := range each(r, lines) {
		if i > 0 {
			r.open("br")
		}
		if quoted {
			line, _ = cutQuote(line)
		}
		(&inline{r: r, s: line}).render("")
	}
}

// cutQuote removes the mark of a quoted line.
func cutQuote(line string) (string, bool) {
	for _, mark := range []string{"&gt;", ">"} {
		if rest, ok := strings.CutPrefix(line, mark); ok {
			return strings.TrimPrefix(rest, " "), true
		}
	}
	return line, false
}

// cutAll removes ">>>", which quotes everything that follows.
func cutAll(line string) (string, bool) {
	for _, mark := range []string{"&gt;&gt;&gt;", ">>>"} {
		if rest, ok := strings.CutPrefix(line, mark); ok {
			return "> " + strings.TrimPrefix(rest, " "), true
		}
	}
	return line, false
}

// inline renders the markup within one line.
type inline struct {
	r    *renderer
	s    string
	none [256]bool // marks that have no closing partner in the rest of s
}

// marks are Slack's inline styles.
var marks = map[byte]string{'*': "strong", '_': "em", '~': "s"}

// render writes s; active lists the styles that are open around it.
func (p *inline) render(active string) {
	start := 0 // of the text that is not written yet
	for i := 0; i < len(p.s) && !p.r.full(); {
		end, draw := p.token(i, active)
		if draw == nil {
			i++
			continue
		}
		p.r.text(entities.Replace(p.s[start:i]))
		draw()
		i, start = end, end
	}
	p.r.text(entities.Replace(p.s[start:]))
}

// token finds what begins at i: where it ends and how it is drawn, nil for text.
func (p *inline) token(i int, active string) (int, func()) {
	s := p.s
	switch c := s[i]; c {
	case '<':
		end := strings.IndexAny(s[i+1:], "<>")
		if end < 1 || s[i+1+end] != '>' {
			return 0, nil
		}
		body := s[i+1 : i+1+end]
		return i + end + 2, func() { p.r.angle(body) }
	case '`':
		end := p.partner(i, c)
		if end < 0 {
			return 0, nil
		}
		return end + 1, func() { p.r.element("code", flatten(s[i+1:end])) }
	case '*', '_', '~':
		if strings.IndexByte(active, c) >= 0 || !opens(s, i) {
			return 0, nil
		}
		end := p.partner(i, c)
		if end < 0 {
			return 0, nil
		}
		return end + 1, func() {
			p.r.open(marks[c])
			(&inline{r: p.r, s: s[i+1 : end]}).render(active + string(c))
			p.r.close(marks[c])
		}
	case ':':
		name, glyph := emojiAt(s[i:])
		if glyph == "" {
			return 0, nil
		}
		return i + len(name) + 2, func() { p.r.emoji(name, glyph) }
	case 'h':
		address := entities.Replace(bareLink(s, i))
		if !linkable(address) {
			return 0, nil
		}
		return i + len(bareLink(s, i)), func() {
			p.r.link(address)
			p.r.text(address)
			p.r.close("a")
		}
	}
	return 0, nil
}

// partner finds the mark that closes the one at i. Marks within code and within
// angle brackets do not count.
func (p *inline) partner(i int, mark byte) int {
	if p.none[mark] {
		return -1
	}
	for j := i + 1; j < len(p.s); j++ {
		switch c := p.s[j]; {
		case c == mark && j > i+1 && (mark == '`' || closes(p.s, j)):
			return j
		case mark == '`':
		case c == '<':
			if end := strings.IndexAny(p.s[j+1:], "<>"); end > 0 && p.s[j+1+end] == '>' {
				j += end + 1
			}
		case c == '`':
			if end := strings.IndexByte(p.s[j+1:], '`'); end > 0 {
				j += end + 1
			} else if end < 0 {
				p.none['`'] = true
			}
		}
	}
	p.none[mark] = true
	return -1
}

// opens reports whether the mark at i is where a style may begin.
func opens(s string, i int) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:i])
	after, size := utf8.DecodeRuneInString(s[i+1:])
	return (i == 0 || !word(before)) && size > 0 && !unicode.IsSpace(after)
}

// closes reports whether the mark at i is where a style may end.
func closes(s string, i int) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:i])
	after, size := utf8.DecodeRuneInString(s[i+1:])
	return !unicode.IsSpace(before) && (size == 0 || !word(after))
}

func word(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) }

// bareLink returns the address at i that is not in brackets, or "".
func bareLink(s string, i int) string {
	rest := s[i:]
	if !strings.HasPrefix(rest, "http://") && !strings.HasPrefix(rest, "https://") {
		return ""
	}
	if before, _ := utf8.DecodeLastRuneInString(s[:i]); i > 0 && word(before) {
		return ""
	}
	if end := strings.IndexFunc(rest, func(c rune) bool {
		return unicode.IsSpace(c) || strings.ContainsRune("<>|\"`*~", c)
	}); end >= 0 {
		rest = rest[:end]
	}
	return strings.TrimRight(rest, ".,;:!?'_)]}")
}

// flatten replaces what is in angle brackets by its text, as code shows it.
func flatten(s string) string {
	if !strings.Contains(s, "<") {
		return entities.Replace(s)
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(s, "<")
		out.WriteString(before)
		if !found {
			return entities.Replace(out.String())
		}
		end := strings.IndexAny(rest, "<>")
		if end < 1 || rest[end] != '>' || strings.ContainsAny(rest[:1], "@#! ") {
			out.WriteString("<")
			s = rest
			continue
		}
		address, label, labelled := strings.Cut(rest[:end], "|")
		if labelled {
			address = label
		}
		out.WriteString(address)
		s = rest[end+1:]
	}
}
