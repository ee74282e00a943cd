package blockhtml

import (
	"regexp"
	"strconv"
	"strings"
)

// The subset of Markdown that a markdown block may use, line by line.
var (
	mdHeading = regexp.MustCompile(`^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$`)
	mdRule    = regexp.MustCompile(`^ {0,3}([-*_])( *[-*_]){2,}\s*$`)
	mdFence   = regexp.MustCompile("^ {0,3}(```+|~~~+)")
	mdItem    = regexp.MustCompile(`^(\s*)([-*+]|(\d{1,9})[.)])\s+(.*)$`)
	mdQuote   = regexp.MustCompile(`^ {0,3}> ?(.*)$`)
	mdColumns = regexp.MustCompile(`^\s*\|?\s*:?-{1,}:?\s*(\|\s*:?-{1,}:?\s*)*\|?\s*$`)
)

// markdown renders a safe subset: headings, lists, quotes, fences, tables,
// rules and inline markup. HTML within it is text.
func (r *renderer) markdown(s string) {
	lines := strings.Split(strings.ReplaceAll(r.readable(s), "\r\n", "\n"), "\n")
	for len(lines) > 0 && !r.full() {
		lines = lines[r.mdBlock(lines):]
	}
}

// mdBlock renders what the first lines hold and returns how many they were.
func (r *renderer) mdBlock(lines []string) int {
	line := lines[0]
	switch {
	case strings.TrimSpace(line) == "":
		return 1
	case mdFence.MatchString(line):
		return r.mdCode(lines)
	case mdRule.MatchString(line):
		r.open("hr")
		return 1
	case mdHeading.MatchString(line):
		m := mdHeading.FindStringSubmatch(line)
		r.open("p", "class", "header level-"+strconv.Itoa(len(m[1])), "role", "heading", "aria-level", "4")
		r.mdLine(m[2])
		r.close("p")
		return 1
	case mdQuote.MatchString(line):
		r.open("blockquote")
		n := r.mdLines(lines, func(line string) (string, bool) {
			m := mdQuote.FindStringSubmatch(line)
			if m == nil {
				return "", false
			}
			return m[1], true
		})
		r.close("blockquote")
		return n
	case mdItem.MatchString(line):
		return r.mdList(lines)
	case len(lines) > 1 && strings.Contains(line, "|") && mdColumns.MatchString(lines[1]):
		return r.mdTable(lines)
	}
	r.open("p")
	n := r.mdLines(lines, func(line string) (string, bool) { return line, !startsBlock(line) })
	r.close("p")
	return max(n, 1)
}

// startsBlock reports whether a line ends the paragraph above it.
func startsBlock(line string) bool {
	return strings.TrimSpace(line) == "" || mdFence.MatchString(line) || mdHeading.MatchString(line) ||
		mdQuote.MatchString(line) || mdItem.MatchString(line)
}

// mdLines renders lines as long as belongs takes them, and returns their number.
func (r *renderer) mdLines(lines []string, belongs func(string) (string, bool)) int {
	for i, line := range lines {
		text, ok := belongs(line)
		if !ok || r.full() {
			return i
		}
		if i > 0 {
			r.open("br")
		}
		r.mdLine(text)
	}
	return len(lines)
}

func (r *renderer) mdCode(lines []string) int {
	fence := strings.TrimSpace(mdFence.FindString(lines[0]))
	end := 1
	for end < len(lines) && !strings.HasPrefix(strings.TrimSpace(lines[end]), fence) {
		end++
	}
	r.element("pre", strings.Join(lines[1:end], "\n"), "tabindex", "0")
	return min(end+1, len(lines))
}

// mdList renders neighbouring items of one kind; deeper ones are indented.
func (r *renderer) mdList(lines []string) int {
	tag := func(m []string) string {
		if m[3] != "" {
			return "ol"
		}
		return "ul"
	}
	first := mdItem.FindStringSubmatch(lines[0])
	indent := len(first[1])
	attrs := []string{"class", "indent-" + strconv.Itoa(min(indent/2, 8))}
	if first[3] != "" {
		attrs = append(attrs, "start", first[3])
	}
	r.open(tag(first), attrs...)
	n := 0
	for n < len(lines) && !r.full() {
		m := mdItem.FindStringSubmatch(lines[n])
		if m == nil || len(m[1]) != indent || tag(m) != tag(first) {
			break
		}
		r.open("li")
		r.mdLine(taskMark.Replace(m[4]))
		r.close("li")
		n++
	}
	r.close(tag(first))
	return max(n, 1)
}

var taskMark = strings.NewReplacer("[ ] ", "☐ ", "[x] ", "☑ ", "[X] ", "☑ ")

func (r *renderer) mdTable(lines []string) int {
	b := tableBlock{Type: "table"}
	n := 0
	for n < len(lines) && strings.Contains(lines[n], "|") {
		if n == 1 {
			b.Columns = mdAlignment(lines[n])
		} else {
			b.Rows = append(b.Rows, mdCells(lines[n]))
		}
		n++
	}
	r.table(b)
	return n
}

// mdAlignment reads the second line of a table, which draws the columns: the
// colons say where their text stands.
func mdAlignment(line string) []tableColumn {
	var columns []tableColumn
	for _, cell := range mdCells(line) {
		left, right := strings.HasPrefix(cell.Text, ":"), strings.HasSuffix(cell.Text, ":")
		switch {
		case left && right:
			columns = append(columns, tableColumn{Align: "center"})
		case right:
			columns = append(columns, tableColumn{Align: "right"})
		default:
			columns = append(columns, tableColumn{Align: "left"})
		}
	}
	return columns
}

func mdCells(line string) []tableCell {
	line = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(line), "|"), "|")
	var cells []tableCell
	for _, cell := range strings.Split(line, "|") {
		cells = append(cells, tableCell{Type: markdownCell, Text: strings.TrimSpace(cell)})
	}
	return cells
}
