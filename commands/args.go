package commands

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
)

// Args are the words and options of a request.
type Args struct {
	Words []string
	Limit int           // of --limit; 0 = not given
	Since time.Duration // of --since; 0 = not given

	// Order is the order to restore, its prompt as it was typed.
	Order store.Order

	// Session is what the shortened id among the words means, once that is known.
	Session string
}

// marks are quotes and Slack's formatting, as they stand around a pasted word.
const marks = "`'\"*_~"

// parseArgs splits the text after a slash command into words and options.
func parseArgs(text string) (Args, error) {
	var args Args
	words := strings.Fields(normalise(text))
	for i := 0; i < len(words); i++ {
		name, value, hasValue := parseOption(words[i])
		if name == "" {
			args.Words = append(args.Words, words[i])
			continue
		}
		if name != "--limit" && name != "--since" {
			return Args{}, usageError("There is no option " + name + ".")
		}
		if !hasValue && i+1 < len(words) {
			i++
			value = words[i]
		}
		if err := args.setOption(name, strings.Trim(value, marks)); err != nil {
			return Args{}, err
		}
	}
	return args, nil
}

func (a *Args) setOption(name, value string) error {
	if name == "--since" {
		var err error
		a.Since, err = ParseSince(value)
		return err
	}
	limit, err := strconv.Atoi(value)
	if err != nil || limit < 1 {
		return usageError("--limit takes a whole number from 1, such as --limit 20.")
	}
	a.Limit = limit
	return nil
}

// maxSince outlives all sessions, and what is on record of them.
const maxSince = 10 * 366 * 24 * time.Hour

// sinceUsage says what ParseSince takes.
const sinceUsage = "--since takes a time such as 30m, 2h or 7d."

// ParseSince parses the value of --since, a duration above zero, which may be in whole
// days.
func ParseSince(text string) (time.Duration, error) {
	since, err := parseSince(strings.ToLower(text))
	if err != nil || since <= 0 {
		return 0, usageError(sinceUsage)
	}
	return since, nil
}

func parseSince(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return min(time.Duration(n)*24*time.Hour, maxSince), err
	}
	since, err := time.ParseDuration(text)
	return min(since, maxSince), err
}

func (a Args) text() string { return strings.Join(a.Words, " ") }

// none rejects words and options: nothing that a person types is ignored.
func (a Args) none() error {
	if len(a.Words) > 0 {
		return usageError("Unexpected: “" + blockkit.OneLine(a.text()) + "”")
	}
	return a.noOptions()
}

func (a Args) noOptions() error {
	switch {
	case a.Limit != 0:
		return usageError("--limit cannot be used here.")
	case a.Since != 0:
		return usageError("--since cannot be used here.")
	}
	return nil
}

// sessionID finds the one id in what a person pasted. The error is a store.ShortID if
// it is shortened and not resolved yet.
func (a Args) sessionID() (string, error) {
	if err := a.noOptions(); err != nil {
		return "", err
	}
	id, err := store.FindID(a.text())
	_, short := errors.AsType[store.ShortID](err)
	switch {
	case short && a.Session != "":
		return a.Session, nil
	case short:
		return "", err
	case errors.Is(err, store.ErrSeveralIDs):
		return "", usageError("There are several ids here. Ask about one session at a time.")
	case err != nil && len(a.Words) == 0:
		return "", usageError("Which session? Paste its id or a link to it.")
	case err != nil:
		return "", usageError("The session id is missing: it starts with cs_live_ or cs_test_. If you do not have it, search for the customer: /session find <e-mail>.")
	}
	return id, nil
}

// nearest returns a name that begins with a mistyped word, else one within two edits
// of it, "" = none.
func nearest(word string, names []string) string {
	for _, name := range names {
		if len(word) >= 2 && strings.HasPrefix(name, word) {
			return name
		}
	}
	for edits := range 3 {
		for _, name := range names {
			if within(edits, []rune(word), []rune(name)) {
				return name
			}
		}
	}
	return ""
}

// within reports whether the edit distance of a and b, in which a swap of two
// neighbours counts once, is at most edits.
func within(edits int, a, b []rune) bool {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	if len(a) == 0 || len(b) == 0 {
		return len(a)+len(b) <= edits
	}
	if edits == 0 {
		return false
	}
	swapped := len(a) > 1 && len(b) > 1 && a[0] == b[1] && a[1] == b[0]
	return within(edits-1, a[1:], b[1:]) || within(edits-1, a, b[1:]) || within(edits-1, a[1:], b) ||
		swapped && within(edits-1, a[2:], b[2:])
}
