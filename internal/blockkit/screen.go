package blockkit

import (
	"regexp"
	"strings"

	"github.com/mattn/go-runewidth"
	"github.com/slack-go/slack"
)

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
