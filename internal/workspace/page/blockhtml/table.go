package blockhtml

import (
	"cmp"
	"fmt"
)

// maxRows are shown of a table; Slack allows as many.
const maxRows = 100

// tableBlock is a table or a data_table. The first row is the header.
type tableBlock struct {
	Type      string        `json:"type"`
	BlockID   string        `json:"block_id"`
	Caption   string        `json:"caption"`
	Rows      [][]tableCell `json:"rows"`
	RowHeader int           `json:"row_header_column_index"`
	Columns   []tableColumn `json:"column_settings"`
}

type tableColumn struct {
	Align   string `json:"align"`
	Wrapped bool   `json:"is_wrapped"`
}

type tableCell struct {
	Type     string     `json:"type"`
	Text     string     `json:"text"`
	Value    float64    `json:"value"`
	Elements []richPart `json:"elements"`
	Element  *element   `json:"element"`
	draw     func()     // of a table within Markdown
}

func (r *renderer) table(b tableBlock) {
	r.open("div", "class", "table", "role", "group", "aria-label", cmp.Or(b.Caption, "Table"), "tabindex", "0")
	r.open("table")
	if b.Caption != "" {
		r.element("caption", b.Caption)
	}
	if len(b.Rows) > 0 {
		r.open("thead")
		r.row(b, b.Rows[0], true)
		r.close("thead")
		r.open("tbody")
		for _, row := range each(r, b.Rows[1:min(len(b.Rows), maxRows+1)]) {
			r.row(b, row, false)
		}
		r.close("tbody")
	}
	r.close("table")
	r.close("div")
	if more := len(b.Rows) - maxRows - 1; more > 0 {
		r.element("p", fmt.Sprintf("… and %d more rows", more), "class", "cut")
	}
}

func (r *renderer) row(b tableBlock, cells []tableCell, header bool) {
	r.open("tr")
	for column, cell := range each(r, cells) {
		tag, attrs := "td", []string{"class", b.cellClass(column, cell)}
		switch {
		case header:
			tag, attrs = "th", append(attrs, "scope", "col")
		case b.Type == "data_table" && column == b.RowHeader:
			tag, attrs = "th", append(attrs, "scope", "row")
		}
		r.open(tag, attrs...)
		r.cell(b.BlockID, cell)
		r.close(tag)
	}
	r.close("tr")
}

// cellClass aligns a cell as its column says; numbers go to the right.
func (b tableBlock) cellClass(column int, cell tableCell) string {
	class := "left"
	if cell.Type == "raw_number" {
		class = "right"
	}
	if column < len(b.Columns) {
		switch align := b.Columns[column].Align; align {
		case "left", "center", "right":
			class = align
		}
		if b.Columns[column].Wrapped {
			class += " wrapped"
		}
	}
	return class
}

func (r *renderer) cell(blockID string, c tableCell) {
	if c.draw != nil {
		c.draw()
		return
	}
	switch c.Type {
	case "rich_text":
		r.richText(richTextBlock{Elements: c.Elements})
	case "raw_number":
		r.text(cmp.Or(c.Text, formatNumber(c.Value)))
	case "action_cell":
		if c.Element != nil {
			r.control(blockID, *c.Element)
		}
	default:
		r.plain(c.Text)
	}
}
