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

// styled sets text off where the screen has colour. Line by line, so that each
// can be moved on its own.
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

// width is how many places text takes on the screen, where wide characters take
// two and styles none.
func width(text string) int { return runewidth.StringWidth(escapes.ReplaceAllString(text, "")) }

// wrap breaks lines that are too long for the screen between words. A word that
// is longer than a line stays whole.
func (s Screen) wrap(text string) string {
	if s.Width <= 0 {
		return text
	}
	var lines []string
	for _, line := range strings.Split(text, "\n") {
		lines = append(lines, wrapped(line, s.Width)...)
	}
	return strings.Join(lines, "\n")
}

// wrapped is a line in pieces of at most so many places, but for longer words.
func wrapped(line string, most int) []string {
	if width(line) <= most {
		return []string{line}
	}
	var lines []string
	current := ""
	for i, word := range strings.Split(line, " ") {
		switch {
		case i == 0:
			current = word
		case width(current)+1+width(word) > most:
			lines, current = append(lines, strings.TrimRight(current, " ")), word
		default:
			current += " " + word
		}
	}
	return append(lines, current)
}
