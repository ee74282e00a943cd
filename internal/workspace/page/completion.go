package page

import (
	"regexp"
	"strings"
)

// completion is something to type and what it expects behind it.
type completion struct {
	Text  string // "/session" or "/session debug"
	Base  string // the command that Text begins with
	Usage string // what follows, such as "<id>"
	About string
}

// A usage hint lists its forms between these signs, and the words of a form
// between bars.
var (
	betweenForms = regexp.MustCompile(`\s*[·;,\n]\s*|\s+\|\s+`)
	plainWord    = regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)
)

// completions offers every command, and behind it the words that its usage hint
// begins its forms with: "debug|fix <id> · help" has debug, fix and help.
func completions(commands []Command) []completion {
	var out []completion
	for _, c := range commands {
		out = append(out, completion{Text: c.Name, Base: c.Name, Usage: c.UsageHint, About: c.Description})
		for _, form := range betweenForms.Split(c.UsageHint, -1) {
			words, usage, _ := strings.Cut(form, " ")
			for _, word := range strings.Split(strings.Trim(words, "[]()"), "|") {
				if plainWord.MatchString(word) {
					out = append(out, completion{Text: c.Name + " " + word, Base: c.Name, Usage: usage})
				}
			}
		}
	}
	return out
}
