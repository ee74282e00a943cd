package blockhtml

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	mdtext "github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// markdownParser reads GitHub's Markdown, but for HTML, which stays text. Only
// goldmark's parser is used: its renderer knows no bounds.
var markdownParser = goldmark.New(
	goldmark.WithParser(parser.NewParser(
		parser.WithBlockParsers(without(parser.DefaultBlockParsers(), parser.NewHTMLBlockParser())...),
		parser.WithInlineParsers(without(parser.DefaultInlineParsers(), parser.NewRawHTMLParser())...),
		parser.WithParagraphTransformers(parser.DefaultParagraphTransformers()...),
	)),
	goldmark.WithExtensions(extension.GFM),
).Parser()

func without(parsers []util.PrioritizedValue, unwanted any) []util.PrioritizedValue {
	return slices.DeleteFunc(parsers, func(p util.PrioritizedValue) bool { return p.Value == unwanted })
}

// markdown renders one text.
type markdown struct {
	*renderer
	source []byte
}

func (r *renderer) markdown(s string) {
	source := []byte(r.readable(s))
	markdown{r, source}.blocks(markdownParser.Parse(mdtext.NewReader(source)))
}

// blocks renders the blocks within a node.
func (m markdown) blocks(parent ast.Node) {
	for n := parent.FirstChild(); n != nil && !m.full(); n = n.NextSibling() {
		m.block(n)
	}
}

func (m markdown) block(n ast.Node) {
	switch n := n.(type) {
	case *ast.Heading:
		m.open("p", "class", "header level-"+strconv.Itoa(n.Level), "role", "heading", "aria-level", "4")
		m.inline(n)
		m.close("p")
	case *ast.Blockquote:
		m.open("blockquote")
		m.blocks(n)
		m.close("blockquote")
	case *ast.List:
		m.list(n, 0)
	case *ast.CodeBlock, *ast.FencedCodeBlock:
		code := string(n.Lines().Value(m.source))
		m.element("pre", strings.TrimSuffix(code, "\n"), "tabindex", "0")
	case *ast.ThematicBreak:
		m.open("hr")
	case *extast.Table:
		m.table(m.tableBlock(n))
	default:
		m.wrapped("p", n)
	}
}

// list renders a list. As in rich text, nested lists come one after another with
// a growing indent.
func (m markdown) list(list *ast.List, depth int) {
	tag := "ul"
	if list.IsOrdered() {
		tag = "ol"
	}
	number, open := list.Start, false
	for item := list.FirstChild(); item != nil && !m.full(); item = item.NextSibling() {
		if !open {
			attrs := []string{"class", "indent-" + strconv.Itoa(min(depth, 8))}
			if list.IsOrdered() {
				attrs = append(attrs, "start", strconv.Itoa(number))
			}
			m.open(tag, attrs...)
			open = true
		}
		number++
		var nested []*ast.List
		m.open("li")
		for n := item.FirstChild(); n != nil && !m.full(); n = n.NextSibling() {
			switch n := n.(type) {
			case *ast.List:
				nested = append(nested, n)
			case *ast.TextBlock:
				m.inline(n)
			default:
				m.block(n)
			}
		}
		m.close("li")
		for _, list := range nested {
			if open {
				m.close(tag)
				open = false
			}
			m.list(list, depth+1)
		}
	}
	if open {
		m.close(tag)
	}
}

// tableBlock is a table as Slack has it, with cells of Markdown.
func (m markdown) tableBlock(table *extast.Table) tableBlock {
	b := tableBlock{Type: "table"}
	for _, alignment := range table.Alignments {
		b.Columns = append(b.Columns, tableColumn{Align: alignment.String()})
	}
	for row := table.FirstChild(); row != nil; row = row.NextSibling() {
		var cells []tableCell
		for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
			cells = append(cells, tableCell{draw: func() { m.inline(cell) }})
		}
		b.Rows = append(b.Rows, cells)
	}
	return b
}

// inline renders the inline markup within a node.
func (m markdown) inline(parent ast.Node) {
	var pending strings.Builder // neighbouring texts: they may hold one emoji's name
	flush := func() {
		m.plainLine(pending.String())
		pending.Reset()
	}
	for n := parent.FirstChild(); n != nil && !m.full(); n = n.NextSibling() {
		t, isText := n.(*ast.Text)
		if !isText {
			flush()
			m.span(n)
			continue
		}
		pending.Write(util.UnescapePunctuations(t.Value(m.source)))
		if t.SoftLineBreak() || t.HardLineBreak() {
			flush()
			m.open("br")
		}
	}
	flush()
}

// span renders an inline element that is no text.
func (m markdown) span(n ast.Node) {
	switch n := n.(type) {
	case *ast.Emphasis:
		m.emphasis(n)
	case *extast.Strikethrough:
		m.wrapped("s", n)
	case *ast.CodeSpan:
		m.open("code")
		for c := n.FirstChild(); c != nil; c = c.NextSibling() {
			m.text(string(c.(*ast.Text).Value(m.source)))
		}
		m.close("code")
	case *ast.Link:
		m.linked(n, string(n.Destination))
	case *ast.Image: // nothing is loaded from elsewhere
		m.linked(n, string(n.Destination))
	case *ast.AutoLink:
		address := string(n.URL(m.source))
		if n.AutoLinkType == ast.AutoLinkEmail {
			address = "mailto:" + address
		}
		m.anchor(address, string(n.Label(m.source)))
	case *extast.TaskCheckBox:
		if n.IsChecked {
			m.text("☑ ")
		} else {
			m.text("☐ ")
		}
	default:
		m.inline(n)
	}
}

// emphasis renders *this* and **that**. Stars within a word stay: 2*3*4.
func (m markdown) emphasis(n *ast.Emphasis) {
	if t, ok := n.FirstChild().(*ast.Text); ok {
		start := t.Segment.Start - n.Level
		if before, _ := utf8.DecodeLastRune(m.source[:start]); word(before) {
			mark := string(m.source[start:t.Segment.Start])
			m.text(mark)
			m.inline(n)
			m.text(mark)
			return
		}
	}
	tag := "em"
	if n.Level == 2 {
		tag = "strong"
	}
	m.wrapped(tag, n)
}

func (m markdown) wrapped(tag string, n ast.Node) {
	m.open(tag)
	m.inline(n)
	m.close(tag)
}

// linked renders a link, or its source where the address may not be linked to.
func (m markdown) linked(n ast.Node, address string) {
	if m.link(address) {
		m.inline(n)
		m.close("a")
		return
	}
	m.text("[")
	m.inline(n)
	m.text("](" + address + ")")
}
