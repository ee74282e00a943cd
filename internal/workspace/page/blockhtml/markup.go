package blockhtml

import (
	"bytes"
	"encoding/json"
	"html/template"
	"iter"
	"net/url"
	"strings"
	"unicode/utf8"
)

// markup builds HTML. Names of elements and attributes are constants of this
// package; every text and every attribute's value is escaped here and only here.
type markup struct {
	out       strings.Builder
	textLeft  int  // bytes of text that may still be written
	nodesLeft int  // elements that may still be opened
	cut       bool // something was left out
}

// full reports whether nothing more should be written.
func (m *markup) full() bool {
	full := m.textLeft <= 0 || m.nodesLeft <= 0
	m.cut = m.cut || full
	return full
}

// each yields the items of a list until the message is full.
func each[T any](m interface{ full() bool }, list []T) iter.Seq2[int, T] {
	return func(yield func(int, T) bool) {
		for i, item := range list {
			if m.full() || !yield(i, item) {
				return
			}
		}
	}
}

// readable is as much of s as is looked at.
func (m *markup) readable(s string) string {
	m.cut = m.cut || len(s) > maxText
	return clip(s, maxText)
}

// open writes a start tag. attrs are names and values in turn.
func (m *markup) open(tag string, attrs ...string) {
	m.nodesLeft--
	m.out.WriteString("<" + tag)
	for i := 0; i+1 < len(attrs); i += 2 {
		m.out.WriteString(" " + attrs[i] + `="` + escape(attrs[i+1]) + `"`)
	}
	m.out.WriteString(">")
}

func (m *markup) close(tag string) { m.out.WriteString("</" + tag + ">") }

// div writes a division of a class, and content within it.
func (m *markup) div(class string, content func()) {
	m.open("div", "class", class)
	content()
	m.close("div")
}

// element writes an element that holds nothing but text.
func (m *markup) element(tag, text string, attrs ...string) {
	m.open(tag, attrs...)
	m.text(text)
	m.close(tag)
}

// text writes as much of s as the message may still hold.
func (m *markup) text(s string) {
	if len(s) > m.textLeft {
		m.cut = true
		s = clip(s, max(m.textLeft, 0))
	}
	m.textLeft -= len(s)
	m.out.WriteString(escape(s))
}

// lines writes text with its line breaks.
func (m *markup) lines(s string) {
	for i, line := range each(m, strings.Split(s, "\n")) {
		if i > 0 {
			m.open("br")
		}
		m.text(line)
	}
}

// link opens an anchor where the address may be linked to, and reports whether
// it did.
func (m *markup) link(address string, attrs ...string) bool {
	if !linkable(address) {
		return false
	}
	m.open("a", append([]string{"href", address, "target", "_blank", "rel", "noopener noreferrer nofollow"}, attrs...)...)
	return true
}

// raw shows JSON as it is, under a label.
func (m *markup) raw(label string, data json.RawMessage) {
	m.open("details", "class", "raw")
	m.open("summary")
	m.element("span", label, "class", "kind")
	m.text(" is shown as JSON")
	m.close("summary")
	m.element("pre", Indent(data, maxRaw), "tabindex", "0")
	m.close("details")
}

// Indent formats JSON for reading and cuts it after about limit bytes, which it
// says. What is no JSON is returned as it is.
func Indent(data []byte, limit int) string {
	const note = "\n… cut here"
	if len(data) > limit {
		return clip(string(data), limit) + note
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, data, "", "  "); err != nil {
		return string(data)
	}
	if pretty.Len() > 2*limit {
		return clip(pretty.String(), 2*limit) + note
	}
	return pretty.String()
}

func escape(s string) string { return template.HTMLEscapeString(strings.ToValidUTF8(s, "\uFFFD")) }

// clip returns the first n bytes of s without splitting a rune.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// linkable reports whether an address may become a link.
func linkable(address string) bool {
	if len(address) > 3000 || strings.ContainsFunc(address, func(c rune) bool { return c <= ' ' }) {
		return false
	}
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	web := u.Scheme == "http" || u.Scheme == "https"
	return web && u.Host != "" || u.Scheme == "mailto" && u.Opaque != ""
}
