package commands

import (
	"html"
	"regexp"
	"slices"
	"strings"

	"github.com/superduperai/sessionbot/internal/redact"
	"github.com/superduperai/sessionbot/store"
)

var (
	// slackLink is <address|label>, where the label may be shortened.
	slackLink = regexp.MustCompile(`<([^<>|]*)\|[^<>]*>`)
	// entity is one of HTML, with the semicolon that it takes: &reg@example.com is
	// an address.
	entity = regexp.MustCompile(`&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});`)
	// quotes maps typographic quotes to ASCII.
	quotes = strings.NewReplacer("“", `"`, "”", `"`, "„", `"`, "‟", `"`, "«", `"`, "»", `"`, "″", `"`, "〝", `"`, "〞", `"`,
		"‘", "'", "’", "'", "‚", "'", "‛", "'", "‹", "'", "›", "'", "′", "'", "´", "'")
	// option matches an option as keyboards leave it: any dashes before a name.
	option = regexp.MustCompile(`^[\p{Pd}\x{2212}]+([A-Za-z][A-Za-z0-9_-]*)(=.*)?$`)
)

// normalise removes Slack's links, entities, typographic quotes, wide and invisible
// characters from what a person typed or pasted.
func normalise(text string) string {
	text = slackLink.ReplaceAllString(strings.ToValidUTF8(text, ""), "<$1>")
	for range 3 { // text that was escaped before it reached Slack is escaped twice
		text = entity.ReplaceAllStringFunc(text, unescapeEntity)
	}
	return quotes.Replace(strings.Map(narrow, store.Visible(text)))
}

// narrow maps the wide forms of East Asian keyboards to ASCII.
func narrow(r rune) rune {
	if r >= '！' && r <= '～' {
		return r - '！' + '!'
	}
	return r
}

// unescapeEntity decodes an entity. One that HTML does not know, wholly or but
// for its beginning, stays as it is.
func unescapeEntity(entity string) string {
	if plain := html.UnescapeString(entity); !strings.HasSuffix(plain, ";") {
		return plain
	}
	return entity
}

// parseOption splits a word into the name and value of an option and reports
// whether it has a value. Name is "" if it is no option, as an id after a dash.
func parseOption(word string) (name, value string, hasValue bool) {
	match := option.FindStringSubmatch(word)
	if match == nil || len(customers(word)) > 0 {
		return "", "", false
	}
	if _, err := store.FindID(word); err == nil {
		return "", "", false
	}
	value, hasValue = strings.CutPrefix(match[2], "=")
	return "--" + strings.ToLower(match[1]), value, hasValue
}

// intentPattern also finds the payment intent of a client secret.
var intentPattern = regexp.MustCompile(`\b(pi_[A-Za-z0-9]{8,64})(?:_secret_[A-Za-z0-9]+)?\b`)

// customer finds the one e-mail address or payment intent in what a person
// pasted.
func customer(text string) (string, error) {
	found := customers(text)
	switch {
	case len(found) > 1:
		return "", usageError("There are several customers here. Ask about one at a time.")
	case len(found) == 0:
		return "", usageError("Whose sessions? Give an e-mail address or a payment (pi_…).")
	}
	return found[0], nil
}

// customers finds e-mail addresses and payment intents, each once, also in links.
func customers(text string) []string {
	var found []string
	add := func(query string) {
		if query != "" && len(query) <= 254 && !slices.Contains(found, query) {
			found = append(found, query)
		}
	}
	for _, word := range strings.Fields(text) {
		for _, part := range linkParts(word) {
			for _, match := range redact.EmailPattern.FindAllStringIndex(part, -1) {
				add(trimMarks(part, match[0], match[1]))
			}
			for _, match := range intentPattern.FindAllStringSubmatch(part, -1) {
				add(match[1])
			}
		}
	}
	return found
}

// linkParts are the pieces of a link, decoded; any other word is one piece.
func linkParts(word string) []string {
	if _, address, found := strings.Cut(word, "mailto:"); found { // an & in it is its own
		address, _, _ = strings.Cut(address, "?")
		return []string{store.Unescape(address)}
	}
	if !strings.Contains(word, "://") {
		return []string{word}
	}
	parts := strings.FieldsFunc(word, func(r rune) bool { return strings.ContainsRune("/?&=#<>", r) })
	for i := range parts {
		parts[i] = store.Unescape(parts[i])
	}
	return parts
}

// trimMarks returns the address at text[from:to] without the quotes or Slack's
// formatting around it, and without the end of a sentence before it.
func trimMarks(text string, from, to int) string {
	address := text[from:to]
	for ; to < len(text) && address[0] == text[to] && strings.IndexByte("*_~'", text[to]) >= 0; to++ {
		address = address[1:]
	}
	if address = strings.TrimLeft(address, "'.!?-"); strings.HasPrefix(address, "@") {
		return ""
	}
	return address
}
