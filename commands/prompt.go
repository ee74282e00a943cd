package commands

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/stats"
)

// maxPrompt is the length of the longest prompt that is restored, in UTF-16 units: a
// plan shows it whole, within Slack's limits.
const maxPrompt = 8000

// MaxPromptBytes is more than a prompt that is not too long ever has.
const MaxPromptBytes = 3*maxPrompt + 1<<10

// checkPrompt returns a prompt without the white space around it, "" if it is blank.
func checkPrompt(text string) (string, error) {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	if n := stats.Length(text); n > maxPrompt {
		return "", usageError(fmt.Sprintf("The prompt is too long: %s, at most %s are possible. Nothing was changed.", humanize.Count(n, "character"), humanize.Thousands(maxPrompt)))
	}
	if !utf8.ValidString(text) {
		return "", usageError("The prompt is not text in UTF-8. Nothing was changed.")
	}
	control := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' || r == utf8.RuneError }
	if at := strings.IndexFunc(text, control); at >= 0 {
		bad, _ := utf8.DecodeRuneInString(text[at:])
		return "", usageError(fmt.Sprintf("The prompt contains a control character (%U, as character %d). Paste it again as plain text. Nothing was changed.", bad, utf8.RuneCountInString(text[:at])+1))
	}
	return text, nil
}

var (
	// firstWord matches a word, or one of Slack's links, whose label may have spaces.
	firstWord = regexp.MustCompile(`^(?:<[^<>]*>|\S)\S*`)
	// slackMarkup is what Slack makes of the links and names that a person types: a "<"
	// of their own is an entity.
	slackMarkup = regexp.MustCompile(`<([#@!]?)([^<>|]*)(?:\|([^<>]*))?>`)
	// slackEntities are those in which Slack escapes what was typed.
	slackEntities = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">")
)

// cutWord returns the first word of a text, and what follows it.
func cutWord(text string) (word, rest string) {
	text = strings.TrimLeftFunc(text, blank)
	word = firstWord.FindString(text)
	if i := strings.IndexFunc(word, unicode.IsSpace); i >= 0 && !strings.HasPrefix(word, "<") {
		word = word[:i] // such as a no-break space
	}
	return word, text[len(word):]
}

// blank reports whether a rune before a word is white space, or invisible.
func blank(r rune) bool { return unicode.IsSpace(r) || store.Visible(string(r)) == "" }

// cutRestore reports whether a request is to restore a prompt, and returns the words up
// to the session's id and the prompt, which is taken as it was typed.
func cutRestore(req Request) (words, prompt string, ok bool, err error) {
	name, rest := cutWord(req.Text)
	if !strings.EqualFold(strings.Trim(normalise(name), marks), restoreName) {
		return "", "", false, nil
	}
	words, rest = cutWord(rest)
	for words != "" && !strings.ContainsFunc(normalise(words), isWord) { // such as the dash of a list
		words, rest = cutWord(rest)
	}
	if req.Terminal {
		if strings.TrimSpace(rest) != "" {
			err = usageError("Give the prompt on standard input or with --prompt-file, and only the session's id as an argument.")
		}
		return words, req.Prompt, true, err
	}
	if req.Entered != nil {
		return words, req.Entered.Prompt, true, nil
	}
	if id, none := store.FindID(normalise(words)); none == nil && !strings.ContainsAny(words, "/<") &&
		strings.ContainsFunc(strings.Replace(normalise(words), id, "", 1), isWord) {
		err = usageError("Put a space between the session's id and the prompt.")
	}
	return words, typed(rest), true, err
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// typed returns what a person typed, of what Slack makes of it.
func typed(text string) string {
	text = slackMarkup.ReplaceAllStringFunc(text, func(markup string) string {
		m := slackMarkup.FindStringSubmatch(markup)
		sign, target, label := m[1], m[2], m[3]
		switch {
		case label == "":
			return strings.Replace(sign, "!", "@", 1) + target
		case sign == "" || strings.HasPrefix(label, "@") || strings.HasPrefix(label, "#"):
			return label
		}
		return strings.Replace(sign, "!", "@", 1) + label
	})
	return slackEntities.Replace(text)
}
