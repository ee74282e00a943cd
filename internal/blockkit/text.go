package blockkit

import (
	"regexp"
	"strings"

	"github.com/mattn/go-runewidth"
	"github.com/slack-go/slack"
)

// Text turns blocks into plain text: what the terminal prints. Buttons are left
// out.
func Text(blocks []slack.Block) string {
	var parts []string
	for _, block := range blocks {
		if part := blockText(block); part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "\n\n")
}

// Fallback is Text as a message's own text: for notifications and screen
// readers, escaped and within Slack's limit.
func Fallback(blocks []slack.Block) string {
	var b strings.Builder
	for _, r := range Text(blocks) {
		escaped := Escape(string(r))
		if b.Len()+len(escaped) > maxFallbackText {
			return b.String() + "…"
		}
		b.WriteString(escaped)
	}
	return b.String()
}

func blockText(block slack.Block) string {
	switch b := block.(type) {
	case *slack.RichTextBlock:
		return richText(b.Elements)
	case *slack.SectionBlock:
		var parts []string
		for _, object := range append([]*slack.TextBlockObject{b.Text}, b.Fields...) {
			if object != nil {
				parts = append(parts, objectText(object))
			}
		}
		return strings.Join(parts, "\n")
	case *slack.HeaderBlock:
		return objectText(b.Text)
	case *slack.ContextBlock:
		var parts []string
		for _, element := range b.ContextElements.Elements {
			if object, ok := element.(*slack.TextBlockObject); ok {
				parts = append(parts, objectText(object))
			}
		}
		return strings.Join(parts, " · ")
	case *slack.TableBlock:
		return tableText(b)
	}
	return ""
}

func richText(elements []slack.RichTextElement) string {
	var parts []string
	for _, element := range elements {
		switch e := element.(type) {
		case *slack.RichTextSection:
			parts = append(parts, spansText(e.Elements))
		case *slack.RichTextQuote:
			parts = append(parts, "> "+strings.ReplaceAll(spansText(e.Elements), "\n", "\n> "))
		}
	}
	return strings.Join(parts, "\n")
}

func spansText(spans []Span) string {
	var b strings.Builder
	for _, span := range spans {
		switch s := span.(type) {
		case *slack.RichTextSectionTextElement:
			b.WriteString(s.Text)
		case *slack.RichTextSectionLinkElement:
			b.WriteString(s.Text + " (" + s.URL + ")")
		case *slack.RichTextSectionUserElement:
			b.WriteString("@" + s.UserID)
		case *slack.RichTextSectionUserGroupElement:
			b.WriteString("@" + s.UsergroupID)
		case *slack.RichTextSectionChannelElement:
			b.WriteString("#" + s.ChannelID)
		}
	}
	return b.String()
}

var mrkdwnLink = regexp.MustCompile(`<([^<>|]+)(?:\|([^<>]*))?>`)

func objectText(object *slack.TextBlockObject) string {
	if object.Type != slack.MarkdownType {
		return object.Text
	}
	text := mrkdwnLink.ReplaceAllStringFunc(object.Text, func(link string) string {
		match := mrkdwnLink.FindStringSubmatch(link)
		if match[2] == "" {
			return match[1]
		}
		return match[2] + " (" + match[1] + ")"
	})
	return plainer.Replace(text)
}

var plainer = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&", "*", "", "`", "")

// tableText aligns the columns by what they take on the screen, where wide
// characters take two places.
func tableText(table *slack.TableBlock) string {
	var rows [][]string
	var widths []int
	for _, cells := range table.Rows {
		row := make([]string, len(cells))
		for i, cell := range cells {
			if raw, ok := cell.(*slack.TableRawTextCell); ok {
				row[i] = OneLine(raw.Text)
			}
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], runewidth.StringWidth(row[i]))
		}
		rows = append(rows, row)
	}
	var lines []string
	for _, row := range rows {
		var b strings.Builder
		for i, text := range row {
			b.WriteString(text)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-runewidth.StringWidth(text)+2))
			}
		}
		lines = append(lines, b.String())
	}
	return strings.Join(lines, "\n")
}
