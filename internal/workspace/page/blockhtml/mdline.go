package blockhtml

import "strings"

// mdLine renders the inline markup of one line of Markdown.
func (r *renderer) mdLine(s string) {
	(&mdInline{r: r, s: s, none: map[string]bool{}}).render("")
}

// mdInline renders Markdown's inline markup; see inline for Slack's own.
type mdInline struct {
	r    *renderer
	s    string
	none map[string]bool // marks that have no closing partner in the rest of s
}

// mdMarks are Markdown's inline styles, the longer ones first.
var mdMarks = []struct{ mark, tag string }{
	{"**", "strong"}, {"__", "strong"}, {"~~", "s"}, {"*", "em"}, {"_", "em"},
}

// render writes s; active lists the elements that are open around it.
func (p *mdInline) render(active string) {
	start := 0 // of the text that is not written yet
	for i := 0; i < len(p.s) && !p.r.full(); {
		end, draw := p.token(i, active)
		if draw == nil {
			i++
			continue
		}
		p.r.plainLine(p.s[start:i])
		draw()
		i, start = end, end
	}
	p.r.plainLine(p.s[start:])
}

// token finds what begins at i: where it ends and how it is drawn, nil for text.
func (p *mdInline) token(i int, active string) (int, func()) {
	s := p.s
	switch s[i] {
	case '\\':
		if i+1 < len(s) && strings.IndexByte("\\`*_{}[]()#+-.!|~>", s[i+1]) >= 0 {
			return i + 2, func() { p.r.text(s[i+1 : i+2]) }
		}
	case '`':
		if end := p.partner(i, "`"); end > 0 {
			return end + 1, func() { p.r.element("code", s[i+1:end]) }
		}
	case '!', '[':
		return p.labelled(i)
	case '*', '_', '~':
		return p.style(i, active)
	case 'h':
		if address := bareLink(s, i); linkable(address) {
			return i + len(address), func() { p.r.anchor(address, "") }
		}
	}
	return 0, nil
}

// labelled reads [label](address), and an image as a link to it.
func (p *mdInline) labelled(i int) (int, func()) {
	rest := strings.TrimPrefix(p.s[i:], "!")
	if !strings.HasPrefix(rest, "[") {
		return 0, nil
	}
	end := strings.IndexAny(rest[1:], "[]")
	if end < 0 || !strings.HasPrefix(rest[1+end:], "](") {
		return 0, nil
	}
	label, rest := rest[1:1+end], rest[3+end:]
	stop := strings.IndexAny(rest, "()")
	if stop < 0 || rest[stop] != ')' {
		return 0, nil
	}
	address, _, _ := strings.Cut(strings.TrimSpace(rest[:stop]), " ")
	address = strings.Trim(address, "<>")
	after := len(p.s) - len(rest) + stop + 1
	return after, func() { p.r.anchor(address, label) }
}

func (p *mdInline) style(i int, active string) (int, func()) {
	for _, m := range mdMarks {
		if !strings.HasPrefix(p.s[i:], m.mark) {
			continue
		}
		if strings.Contains(active, m.tag+";") || !opens(p.s, i, len(m.mark)) {
			return 0, nil
		}
		end := p.partner(i, m.mark)
		if end < 0 {
			return 0, nil
		}
		return end + len(m.mark), func() {
			p.r.open(m.tag)
			(&mdInline{r: p.r, s: p.s[i+len(m.mark) : end], none: map[string]bool{}}).render(active + m.tag + ";")
			p.r.close(m.tag)
		}
	}
	return 0, nil
}

// partner finds the mark that closes the one at i.
func (p *mdInline) partner(i int, mark string) int {
	if p.none[mark] {
		return -1
	}
	from := i + len(mark)
	for {
		j := strings.Index(p.s[from:], mark)
		if j < 0 {
			p.none[mark] = true
			return -1
		}
		j += from
		double := len(mark) == 1 && mark != "`" && strings.HasPrefix(p.s[j+1:], mark)
		switch {
		case double:
			from = j + 2
		case j > i+len(mark) && (mark == "`" || closes(p.s, j, len(mark))):
			return j
		default:
			from = j + 1
		}
	}
}
