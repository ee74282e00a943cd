// Package blockkit builds Block Kit and turns it into plain text. The text of a span
// is data: Slack does not interpret it, so it can neither format nor mention.
package blockkit

import (
	"strings"
	"unicode"

	"github.com/slack-go/slack"
)

// Slack's limits that our messages come near.
const (
	maxButtonText   = 75
	maxTableRows    = 100 // header included
	maxTableText    = 10_000
	maxFallbackText = 3_900 // Slack: under 4000
)

// Span is a piece of a line.
type Span = slack.RichTextSectionElement

// Line is a line of text.
type Line []Span

// L makes a line of spans.
func L(spans ...Span) Line { return spans }

// Plain is text as it is.
func Plain(text string) Span { return styled(text, nil) }

// Bold is emphasised text.
func Bold(text string) Span {
	return styled(text, &slack.RichTextSectionTextStyle{Bold: true})
}

// Struck is text that is no longer true.
func Struck(text string) Span {
	return styled(text, &slack.RichTextSectionTextStyle{Strike: true})
}

// Code is an id or another literal.
func Code(text string) Span {
	return styled(text, &slack.RichTextSectionTextStyle{Code: true})
}

func styled(text string, style *slack.RichTextSectionTextStyle) Span {
	return slack.NewRichTextSectionTextElement(Clean(text), style)
}

// Link leads to a page.
func Link(url, label string) Span {
	return slack.NewRichTextSectionLinkElement(url, Clean(label), nil)
}

// User mentions a person of the workspace.
func User(id string) Span { return slack.NewRichTextSectionUserElement(OneLine(id), nil) }

// Group names a user group.
func Group(id string) Span { return slack.NewRichTextSectionUserGroupElement(OneLine(id)) }

// Channel names a channel, to those who may see it.
func Channel(id string) Span { return slack.NewRichTextSectionChannelElement(OneLine(id), nil) }

// PlainLine is a line of plain text.
func PlainLine(text string) Line { return Line{Plain(text)} }

// BoldLine is a line of emphasised text.
func BoldLine(text string) Line { return Line{Bold(text)} }

// Fact is a labelled row.
func Fact(label string, spans ...Span) Line {
	return append(Line{Bold(label), Plain("  ")}, spans...)
}

// Paragraph is a block of lines.
func Paragraph(lines ...Line) slack.Block {
	var spans []Span
	for i, line := range lines {
		if i > 0 {
			spans = appendSpan(spans, Plain("\n"))
		}
		for _, span := range line {
			spans = appendSpan(spans, span)
		}
	}
	return slack.NewRichTextBlock("", slack.NewRichTextSection(spans...))
}

// appendSpan joins plain texts, which halves the size of messages, and drops empty
// ones, which Slack refuses.
func appendSpan(spans []Span, span Span) []Span {
	text, ok := span.(*slack.RichTextSectionTextElement)
	if ok && text.Text == "" {
		return spans
	}
	if ok && text.Style == nil && len(spans) > 0 {
		last, ok := spans[len(spans)-1].(*slack.RichTextSectionTextElement)
		if ok && last.Style == nil {
			spans[len(spans)-1] = slack.NewRichTextSectionTextElement(last.Text+text.Text, nil)
			return spans
		}
	}
	return append(spans, span)
}

// Message is a message of one paragraph.
func Message(lines ...Line) []slack.Block { return []slack.Block{Paragraph(lines...)} }

// Quote is text to be copied.
func Quote(text string) slack.Block {
	return slack.NewRichTextBlock("", &slack.RichTextQuote{
		Type:     slack.RTEQuote,
		Elements: []slack.RichTextSectionElement{Plain(text)},
	})
}

// Context is a small grey line in mrkdwn: data in it must be escaped.
func Context(mrkdwn string) slack.Block {
	return slack.NewContextBlock("", slack.NewTextBlockObject(slack.MarkdownType, Clean(mrkdwn), false, false))
}

// Button starts an action; its value is an id, never an instruction.
func Button(actionID, label, value string) *slack.ButtonBlockElement {
	text := slack.NewTextBlockObject(slack.PlainTextType, Cut(label, maxButtonText), false, false)
	return slack.NewButtonBlockElement(actionID, value, text)
}

// Confirm makes a button ask first, in its own style.
func Confirm(b *slack.ButtonBlockElement, title, question, confirm, deny string) {
	text := func(s string) *slack.TextBlockObject {
		return slack.NewTextBlockObject(slack.PlainTextType, s, false, false)
	}
	b.Confirm = slack.NewConfirmationBlockObject(text(title), text(question), text(confirm), text(deny))
	b.Confirm.Style = b.Style
}

// Row is a section in mrkdwn with a button or a menu as its accessory: data in it must
// be escaped.
func Row(mrkdwn string, accessory slack.BlockElement) slack.Block {
	text := slack.NewTextBlockObject(slack.MarkdownType, Clean(mrkdwn), false, false)
	return slack.NewSectionBlock(text, nil, slack.NewAccessory(accessory))
}

// Table shows rows under a header and returns the number of rows shown: those
// that would exceed Slack's limits are omitted, unless it is unlimited.
func Table(header []string, rows [][]string, unlimited bool) (slack.Block, int) {
	table := slack.NewTableBlock("")
	budget := maxTableText
	add := func(row []string) bool {
		cells := make([]slack.TableCell, len(row))
		for i, text := range row {
			if text = Clean(text); text == "" {
				text = "–" // Slack refuses empty cells
			}
			budget -= len([]rune(text))
			cells[i] = slack.NewTableRawTextCell(text)
		}
		if !unlimited && (budget < 0 || len(table.Rows) == maxTableRows) {
			return false
		}
		table.AddRow(cells...)
		return true
	}
	add(header)
	for i, row := range rows {
		if !add(row) {
			return table, i
		}
	}
	return table, len(rows)
}

// Escape makes data safe inside mrkdwn and in a message's text.
func Escape(text string) string { return escaper.Replace(text) }

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// Cut shortens text to at most n runes, the last of them an ellipsis.
func Cut(text string, n int) string {
	runes := []rune(text)
	if len(runes) <= n {
		return text
	}
	return strings.TrimRightFunc(string(runes[:n-1]), unicode.IsSpace) + "…"
}

// Clean drops control characters other than line breaks and tabs, and invisible
// ones, except for joiners between emoji.
func Clean(text string) string {
	emoji := false // the previous rune belongs to one
	return strings.Map(func(r rune) rune {
		if r == '\u2028' || r == '\u2029' { // line and paragraph separator
			r = '\n'
		}
		if r >= ' ' && r <= '~' || r == '\n' || r == '\t' {
			emoji = false
			return r
		}
		joins := emoji && (r == zeroWidthJoiner || r == emojiStyle)
		if !joins && (Invisible(r) || r == unicode.ReplacementChar) {
			return -1
		}
		emoji = joins && r == emojiStyle || unicode.In(r, unicode.So, unicode.Sk)
		return r
	}, text)
}

const (
	zeroWidthJoiner = '\u200d'
	emojiStyle      = '\ufe0f' // the variation selector for the emoji presentation
)

// Invisible reports whether a rune is shown as nothing, or changes the text
// around it or the terminal.
func Invisible(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp,
		unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// OneLine is Clean with every run of white space turned into one space.
func OneLine(text string) string { return strings.Join(strings.Fields(Clean(text)), " ") }
