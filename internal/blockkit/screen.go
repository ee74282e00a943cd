package blockkit

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"
	"github.com/slack-go/slack"
)

// Screen is what plain text is written to. The zero value is a message's own text: no
// colour, no line is wrapped, times are UTC, and people and channels have their ids.
type Screen struct {
	Width  int // in characters, 0 = no limit
	Colour bool
	Zone   *time.Location      // of the times, nil = UTC
	Names  map[string]string   // of people and channels, by id; those without one keep their id
	Reword func(string) string // puts our own sentences into the words of the screen, nil = as they are
}

// Text turns blocks into plain text, without the buttons.
func Text(blocks []slack.Block) string { return Screen{}.Text(blocks) }

// Text turns blocks into the text that the terminal prints. Lines are wrapped
// between words only, so that an id can always be copied.
func (s Screen) Text(blocks []slack.Block) string {
	var parts []string
	classic, _ := Degrade(blocks, AnyKind)
	for _, block := range classic {
		if part := s.block(block); part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "\n\n")
}

// Fallback is Text as a message's own text: for notifications and screen
// readers, escaped and within Slack's limit.
func Fallback(blocks []slack.Block) string {
	text := Escape(Text(blocks))
	if len(text) <= maxFallbackText {
		return text
	}
	text = text[:maxFallbackText]
	if entity := strings.LastIndexByte(text, '&'); entity >= 0 && !strings.Contains(text[entity:], ";") {
		text = text[:entity]
	}
	return strings.ToValidUTF8(text, "") + "…"
}

func (s Screen) block(block slack.Block) string {
	switch b := block.(type) {
	case *slack.RichTextBlock:
		return s.richText(b.Elements)
	case *slack.HeaderBlock:
		return s.styled(bold, s.wrap(b.Text.Text))
	case *slack.SectionBlock:
		return s.section(b)
	case *slack.ContextBlock:
		var parts []string
		for _, element := range b.ContextElements.Elements {
			if object, ok := element.(*slack.TextBlockObject); ok {
				parts = append(parts, s.mrkdwnText(object.Text))
			}
		}
		return s.styled(faint, s.wrap(strings.Join(parts, " · ")))
	case *slack.TableBlock:
		return s.table(b)
	}
	return ""
}

func (s Screen) section(b *slack.SectionBlock) string {
	var parts []string
	for _, object := range append([]*slack.TextBlockObject{b.Text}, b.Fields...) {
		if object != nil {
			parts = append(parts, s.wrap(s.mrkdwnText(object.Text)))
		}
	}
	return strings.Join(parts, "\n")
}

func (s Screen) richText(elements []slack.RichTextElement) string {
	var parts []string
	for _, element := range elements {
		switch e := element.(type) {
		case *slack.RichTextSection:
			parts = append(parts, s.wrap(s.reworded(s.spans(e.Elements))))
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
			b.WriteString(e.Text + " (" + OneLine(e.URL) + ")")
		case *slack.RichTextSectionUserElement:
			b.WriteString("@" + s.name(e.UserID))
		case *slack.RichTextSectionUserGroupElement:
			b.WriteString("@" + e.UsergroupID)
		case *slack.RichTextSectionChannelElement:
			b.WriteString("#" + s.name(e.ChannelID))
		case *slack.RichTextSectionDateElement:
			b.WriteString(localTimes(*e.Fallback, time.Unix(int64(e.Timestamp), 0), s.Zone))
		}
	}
	return b.String()
}

var (
	dateToken    = regexp.MustCompile(`<!date\^(\d+)\^[^<>|]*\|([^<>]+)>`)
	mentionToken = regexp.MustCompile(`<([@#])([A-Z0-9]+)>`)
	labelledLink = regexp.MustCompile(`<([^<>|]+)\|([^<>]+)>`)
	bareLink     = regexp.MustCompile(`<([^<>|]+)\|?>`)
	unescaper    = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&", "*", "", "`", "")
)

// mrkdwnText turns the mrkdwn that we use into plain text.
func (s Screen) mrkdwnText(mrkdwn string) string {
	text := dateToken.ReplaceAllStringFunc(Clean(mrkdwn), func(token string) string {
		match := dateToken.FindStringSubmatch(token)
		at, _ := strconv.ParseInt(match[1], 10, 64) // digits alone; 0 = beyond all times
		return localTimes(match[2], time.Unix(at, 0), s.Zone)
	})
	text = mentionToken.ReplaceAllStringFunc(text, func(token string) string {
		match := mentionToken.FindStringSubmatch(token)
		return match[1] + s.name(match[2])
	})
	text = labelledLink.ReplaceAllString(text, "$2 ($1)")
	return s.reworded(unescaper.Replace(bareLink.ReplaceAllString(text, "$1")))
}

// name is what a person or a channel is called.
func (s Screen) name(id string) string { return cmp.Or(OneLine(s.Names[id]), id) }

func (s Screen) reworded(text string) string {
	if s.Reword == nil {
		return text
	}
	return s.Reword(text)
}

// clock matches a time of day, with its date where that is not today's.
var clock = regexp.MustCompile(`(\d{1,2} [A-Z][a-z]{2} )?(\d{4} )?\d{2}:\d{2}(:\d{2})? UTC`)

// localTimes puts a time that a text gives in UTC into a zone, with its offset.
func localTimes(text string, at time.Time, zone *time.Location) string {
	if zone == nil {
		return text
	}
	at = at.In(zone)
	if _, offset := at.Zone(); offset == 0 {
		return text
	}
	return clock.ReplaceAllStringFunc(text, func(utc string) string {
		match, layout := clock.FindStringSubmatch(utc), "15:04"
		if match[3] != "" {
			layout += ":05"
		}
		switch {
		case match[2] != "":
			layout = "2 Jan 2006 " + layout
		case match[1] != "", at.Format(time.DateOnly) != at.UTC().Format(time.DateOnly):
			layout = "2 Jan " + layout
		}
		return at.Format(layout + " -07:00")
	})
}

// How a terminal shows text, "" = as it is.
const (
	bold   = "1"
	faint  = "2"
	struck = "9"
	cyan   = "36"
)

func styleOf(style *slack.RichTextSectionTextStyle) string {
	switch {
	case style == nil:
		return ""
	case style.Bold:
		return bold
	case style.Strike:
		return struck
	case style.Code:
		return cyan
	}
	return ""
}

// styled adds a style if the screen has colour, line by line, so that each can be
// moved on its own.
func (s Screen) styled(style, text string) string {
	if !s.Colour || style == "" || text == "" {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if line != "" {
			lines[i] = "\x1b[" + style + "m" + line + "\x1b[0m"
		}
	}
	return strings.Join(lines, "\n")
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

// width is the number of terminal cells that text takes: two for wide characters,
// none for styles.
func width(text string) int { return runewidth.StringWidth(escapes.ReplaceAllString(text, "")) }

// wrap breaks lines that are too long for the screen between words. A longer word
// stays whole.
func (s Screen) wrap(text string) string {
	if s.Width <= 0 {
		return text
	}
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		lines = append(lines, wrapped(line, s.Width)...)
	}
	return strings.Join(lines, "\n")
}

// lastColumn matches a line up to the beginning of its last column.
var lastColumn = regexp.MustCompile(`^(.*\S)? {2,}`)

// List wraps lines of plain text as in a list: continuation lines are indented to the last
// column.
func (s Screen) List(text string) string {
	if s.Width <= 0 {
		return text
	}
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		head := lastColumn.FindString(line)
		indent := width(head)
		if indent > s.Width/2 { // too narrow
			line, head, indent = strings.Join(strings.Fields(line), " "), "", 0
		}
		for i, part := range wrapped(line[len(head):], s.Width-indent) {
			if i > 0 {
				head = strings.Repeat(" ", indent)
			}
			lines = append(lines, head+part)
		}
	}
	return strings.Join(lines, "\n")
}

// wrapped splits a line into lines of at most so many cells, but for longer words.
func wrapped(line string, limit int) []string {
	if width(line) <= limit {
		return []string{line}
	}
	var lines []string
	current := ""
	for i, word := range strings.Split(line, " ") {
		switch {
		case i == 0:
			current = word
		case width(current)+1+width(word) > limit:
			lines, current = append(lines, strings.TrimRight(current, " ")), word
		default:
			current += " " + word
		}
	}
	return append(lines, current)
}
