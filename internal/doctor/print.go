package doctor

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Passed tells whether all that is required holds.
func Passed(results []Result) bool { return count(results, Failed) == 0 }

func count(results []Result, level Level) int {
	n := 0
	for _, r := range results {
		if r.Level == level {
			n++
		}
	}
	return n
}

var marks = map[Level]string{OK: "✓", Warning: "!", Failed: "✗"}

// Print writes one line a check, the remedy behind what was seen, and the sum of
// it as the last.
func Print(w io.Writer, results []Result) error {
	width := 0
	for _, r := range results {
		width = max(width, len(r.Check))
	}
	var b strings.Builder
	for _, r := range results {
		fmt.Fprintf(&b, "%s %-*s  %s.", marks[r.Level], width, r.Check, r.Seen)
		if r.Remedy != "" {
			b.WriteString(" → " + r.Remedy + ".")
		}
		b.WriteByte('\n')
	}
	b.WriteString(sum(results) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func sum(results []Result) string {
	failed, warnings := count(results, Failed), count(results, Warning)
	text := "All that is required holds"
	if failed > 0 {
		text = plural(failed, "check") + " failed"
	}
	if warnings > 0 {
		text += "; " + plural(warnings, "warning")
	}
	return text + "."
}

// plural counts things.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// PrintJSON writes the same for scripts.
func PrintJSON(w io.Writer, results []Result) error {
	return json.NewEncoder(w).Encode(struct {
		OK       bool     `json:"ok"`
		Failed   int      `json:"failed"`
		Warnings int      `json:"warnings"`
		Checks   []Result `json:"checks"`
	}{Passed(results), count(results, Failed), count(results, Warning), results})
}

// list names up to five of them, and how many there are beside.
func list(names []string) string {
	const most = 5
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return cmp.Or(strings.Join(names, ", "), "none")
}
