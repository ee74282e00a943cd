package blockkit

import (
	"strings"

	"github.com/slack-go/slack"
)

const (
	columnGap = 2
	minColumn = 12 // of a column whose cells are wrapped
)

// table aligns the columns. If it does not fit the screen, the cells of its widest
// columns are wrapped; if it still does not, each row becomes several lines.
func (s Screen) table(table *slack.TableBlock) string {
	var rows [][]string
	for _, cells := range table.Rows {
		row := make([]string, len(cells))
		for i, cell := range cells {
			if raw, ok := cell.(*slack.TableRawTextCell); ok {
				row[i] = OneLine(raw.Text)
			}
		}
		rows = append(rows, row)
	}
	widths, ok := s.columns(rows)
	if !ok {
		return s.records(rows)
	}
	var lines []string
	for n, row := range rows {
		for _, line := range aligned(row, widths) {
			if n == 0 {
				line = s.styled(bold, line)
			}
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// columns returns the widths of the columns and reports whether the table fits
// the screen.
func (s Screen) columns(rows [][]string) ([]int, bool) {
	var widths, minWidths []int
	for _, row := range rows {
		for i, text := range row {
			if i == len(widths) {
				widths, minWidths = append(widths, 0), append(minWidths, 0)
			}
			widths[i] = max(widths[i], width(text))
			for _, word := range strings.Fields(text) {
				minWidths[i] = max(minWidths[i], width(word))
			}
		}
	}
	if s.Width <= 0 {
		return widths, true
	}
	total := columnGap * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	for ; total > s.Width; total-- {
		widest := -1
		for i, w := range widths {
			if w > max(minWidths[i], minColumn) && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return nil, false
		}
		widths[widest]--
	}
	return widths, true
}

// aligned returns a row as lines, its cells wrapped to fit their columns.
func aligned(row []string, widths []int) []string {
	cells := make([][]string, len(row))
	height := 0
	for i, text := range row {
		cells[i] = wrapped(text, widths[i])
		height = max(height, len(cells[i]))
	}
	lines := make([]string, height)
	for n := range lines {
		var b strings.Builder
		for i, cell := range cells {
			text := ""
			if n < len(cell) {
				text = cell[n]
			}
			b.WriteString(text + strings.Repeat(" ", max(widths[i]-width(text), 0)+columnGap))
		}
		lines[n] = strings.TrimRight(b.String(), " ")
	}
	return lines
}

// records shows each row as lines, with the column's name before each cell.
func (s Screen) records(rows [][]string) string {
	header := rows[0]
	label := 0
	for _, name := range header {
		label = max(label, width(name))
	}
	var records []string
	for _, row := range rows[1:] {
		var lines []string
		for i, text := range row {
			name := header[i] + strings.Repeat(" ", label-width(header[i])+columnGap)
			for n, line := range wrapped(text, max(s.Width-width(name), minColumn)) {
				if n > 0 {
					name = strings.Repeat(" ", width(name))
				}
				lines = append(lines, s.styled(bold, name)+line)
			}
		}
		records = append(records, strings.Join(lines, "\n"))
	}
	return strings.Join(records, "\n\n")
}
