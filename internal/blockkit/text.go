package blockkit

import (
	"regexp"
	"strings"

	"github.com/slack-go/slack"
)

// Screen is what plain text is written to. The zero value is a pipe, or a
// message's own text: no colour, and no line is wrapped.
type Screen struct {
	Width  int // in characters, 0 = no limit
	Colour bool
}

// Text turns blocks into plain text, without the buttons.
func Text(blocks []slack.Block) string { return Screen{}.Text(blocks) }

// Text turns blocks into the text that the terminal prints. Lines are wrapped
// between words only, so that an id can always be copied.
func (s Screen) Text(blocks []slack.Block) string {
	var parts []string
	for _, block := range blocks {
		if part := s.block(block); part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "\n\n")
}

// Fallback is Text as a message's own text: for notifications and screen
// readers, escaped and within Slack's limit.
func Fallback(blocks []slack.Block) string {
	text := Text(blocks)
	if escaped := Escape(text); len(escaped) <= maxFallbackText {
		return escaped
	}
	var b strings.Builder
	for _, r := range text {
		escaped := Escape(string(r))
		if b.Len()+len(escaped) > maxFallbackText {
			return b.String() + "…"
		}
		b.WriteString(escaped)
	}
	return b.String()
}

func (s Screen) block(block slack.Block) string {
	switch b := block.(type) {
	case *slack.RichTextBlock:
		return s.richText(b.Elements)
	case *slack.SectionBlock:
		return s.wrap(mrkdwnText(b.Text.Text))
	case *slack.ContextBlock:
		var parts []string
		for _, element := range b.ContextElements.Elements {
			if object, ok := element.(*slack.TextBlockObject); ok {
				parts = append(parts, mrkdwnText(object.Text))
			}
		}
		return s.styled(faint, s.wrap(strings.Join(parts, " · ")))
	case *slack.TableBlock:
		return s.table(b)
	}
	return ""
}

func (s Screen) richText(elements []slack.RichTextElement) string {
	var parts []string
	for _, element := range elements {
		switch e := element.(type) {
		case *slack.RichTextSection:
			parts = append(parts, s.wrap(s.spans(e.Elements)))
		case *slack.RichTextQuote: // in one piece, to be copied
			parts = append(parts, "> "+strings.ReplaceAll(s.spans(e.Elements), "\n", "\n> "))
		}
	}
	return strings.Join(parts, "\n")
}

func (s Screen) spans(spans []Span) string {
	var b strings.Builder
	for _, span := range spans {
		switch e := span.(type) {
		case *slack.RichTextSectionTextElement:
			b.WriteString(s.styled(styleOf(e.Style), e.Text))
		case *slack.RichTextSectionLinkElement:
			b.WriteString(e.Text + " (" + Clean(e.URL) + ")")
		case *slack.RichTextSectionUserElement:
			b.WriteString("@" + e.UserID)
		case *slack.RichTextSectionUserGroupElement:
			b.WriteString("@" + e.UsergroupID)
		case *slack.RichTextSectionChannelElement:
			b.WriteString("#" + e.ChannelID)
		}
	}
	return b.String()
}

var (
	labelledLink = regexp.MustCompile(`<([^<>|]+)\|([^<>]+)>`)
	bareLink     = regexp.MustCompile(`<([^<>|]+)\|?>`)
	unescaper    = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&", "*", "", "`", "")
)

// mrkdwnText turns the mrkdwn that we use into plain text.
func mrkdwnText(mrkdwn string) string {
	text := labelledLink.ReplaceAllString(Clean(mrkdwn), "$2 ($1)")
	return unescaper.Replace(bareLink.ReplaceAllString(text, "$1"))
}
