package commands

import (
	"strconv"
	"strings"
)

// Args are the words and options of a request.
type Args struct {
	Words []string
	Limit int // of --limit; 0 = not given
}

// parseArgs splits what stands behind a slash command into words and options.
func parseArgs(text string) (Args, error) {
	var args Args
	words := strings.Fields(normalise(text))
	for i := 0; i < len(words); i++ {
		name, value, given := asOption(words[i])
		if name == "" {
			args.Words = append(args.Words, words[i])
			continue
		}
		if name != "--limit" {
			return Args{}, usageError{text: "There is no option " + name + "."}
		}
		if !given && i+1 < len(words) {
			i++
			value = words[i]
		}
		limit, err := strconv.Atoi(value)
		if err != nil || limit < 1 {
			return Args{}, usageError{text: "--limit takes a whole number from 1, such as --limit 20."}
		}
		args.Limit = limit
	}
	return args, nil
}

func joined(a Args) string { return strings.Join(a.Words, " ") }

// none refuses words and options that a command does not take: nothing that a
// person types is ignored.
func (a Args) none() error {
	if len(a.Words) > 0 {
		return usageError{text: "Too many words: " + joined(a)}
	}
	return a.noLimit()
}

func (a Args) noLimit() error {
	if a.Limit != 0 {
		return usageError{text: "--limit does not belong here."}
	}
	return nil
}

// nearest is the name that a mistyped word most likely meant, "" = none is near.
func nearest(word string, names []string) string {
	best, distance := "", 3
	for _, name := range names {
		if d := editDistance(word, name); d < distance {
			best, distance = name, d
		}
		if len(word) >= 2 && strings.HasPrefix(name, word) {
			return name
		}
	}
	return best
}

// editDistance counts the letters to insert, drop, replace or swap with their
// neighbour.
func editDistance(a, b string) int {
	s, t := []rune(a), []rune(b)
	if len(s) > 40 {
		return len(s)
	}
	d := make([][]int, len(s)+1)
	for i := range d {
		d[i] = make([]int, len(t)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(s); i++ {
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(s)][len(t)]
}
