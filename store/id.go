package store

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// The errors of FindID.
var (
	ErrNoID       = errors.New("no session id found")
	ErrSeveralIDs = errors.New("more than one session id found")
)

// ellipsis matches the ellipsis of a shortened id as people and keyboards write it.
const ellipsis = `(?:…|⋯|\.{3,})`

// maxID is the maximum length of a session id in bytes. Stripe's have about 66.
const maxID = 255

var (
	escaped = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
	onlyID  = regexp.MustCompile(`^cs_(?:live|test)_[A-Za-z0-9_]+$`)
	shortID = regexp.MustCompile(`^(cs_(?:live|test)_[A-Za-z0-9_]*)` + ellipsis + `([A-Za-z0-9_]*)$`)
	// word takes a shortened id as one word.
	word = regexp.MustCompile(`_*cs_(?:live|test)_[A-Za-z0-9_]*` + ellipsis + `[A-Za-z0-9_]*|[A-Za-z0-9_]+`)
)

// FindID returns the one session id in a text that was pasted: bare, quoted, in a link,
// percent-encoded, with invisible characters. The same id several times, or together with
// its short form, counts once. A short form alone is returned as an error of type ShortID; the
// other errors are ErrNoID and ErrSeveralIDs.
func FindID(text string) (string, error) {
	if onlyID.MatchString(text) && len(text) <= maxID {
		return text, nil // the usual case
	}
	whole, short := FindIDs(text)
	switch {
	case len(whole) == 0 && len(short) == 0:
		return "", ErrNoID
	case len(whole) == 0 && len(short) == 1:
		return "", short[0]
	case len(whole) != 1 || len(short) > 0:
		return "", ErrSeveralIDs
	}
	return whole[0], nil
}

// FindIDs returns all session ids in what FindID takes, each once, and the short forms
// of none of them.
func FindIDs(text string) (whole []string, short []ShortID) {
	for _, w := range word.FindAllString(Visible(Unescape(text)), -1) {
		if bare := strings.TrimLeft(w, "_"); bare != w { // Slack's italics
			w = strings.TrimRight(bare, "_")
		}
		if s, ok := parseShortID(w); ok && !slices.Contains(short, s) {
			short = append(short, s)
		} else if onlyID.MatchString(w) && len(w) <= maxID && !slices.Contains(whole, w) {
			whole = append(whole, w)
		}
	}
	short = slices.DeleteFunc(short, func(s ShortID) bool { return slices.ContainsFunc(whole, s.Matches) })
	return whole, short
}

// Unescape decodes percent-encoding, up to three times. Anything else stays as it is.
func Unescape(text string) string {
	for range 3 {
		plain := escaped.ReplaceAllStringFunc(text, func(code string) string {
			n, err := strconv.ParseUint(code[1:], 16, 8)
			if err != nil {
				return code
			}
			return string([]byte{byte(n)})
		})
		if plain == text {
			break
		}
		text = plain
	}
	return text
}

// Visible removes invisible characters: zero-width spaces, joiners, direction marks,
// soft hyphens, fillers, variation selectors and control characters, but no white space.
func Visible(text string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r <= '~' || unicode.IsSpace(r) {
			return r
		}
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) ||
			r == '\u2800' || r == '\ufffc' { // a blank of Braille, a picture that was pasted
			return -1
		}
		return r
	}, text)
}

// IsLive reports whether the id of a session is of Stripe's live mode.
func IsLive(id string) bool { return strings.HasPrefix(id, "cs_live_") }

// IsSessionID reports whether the text is the id of a Checkout Session: cs_live_ or
// cs_test_, then letters and digits.
func IsSessionID(text string) bool {
	rest, live := strings.CutPrefix(text, "cs_live_")
	rest, test := strings.CutPrefix(rest, "cs_test_")
	if live == test || rest == "" || len(text) > maxID {
		return false
	}
	for i := range len(rest) {
		if c := rest[i] | 0x20; (c < 'a' || c > 'z') && (rest[i] < '0' || rest[i] > '9') {
			return false
		}
	}
	return true
}
