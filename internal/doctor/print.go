package doctor

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/superduperai/sessionbot/internal/blockkit"
)

// Passed reports whether no check failed.
func Passed(results []Result) bool { return count(results, Failed) == 0 }

func count(results []Result, level Level) (n int) {
	for _, r := range results {
		if r.Level == level {
			n++
		}
	}
	return n
}

var marks = map[Level]string{OK: "✓", Warning: "!", Failed: "✗"}

// Print writes one line per check, and a summary. Lines too long for the screen
// are wrapped.
func Print(w io.Writer, screen blockkit.Screen, results []Result) error {
	width := 0
	for _, r := range results {
		width = max(width, len(r.Check))
	}
	var b strings.Builder
	for _, r := range results {
		fmt.Fprintf(&b, "%s %-*s  %s.", marks[r.Level], width, r.Check, blockkit.OneLine(r.Seen))
		if r.Remedy != "" {
			b.WriteString(" → " + blockkit.OneLine(r.Remedy) + ".")
		}
		b.WriteByte('\n')
	}
	summary := "All required checks passed"
	if failed := count(results, Failed); failed > 0 {
		summary = plural(failed, "check") + " failed"
	}
	if warnings := count(results, Warning); warnings > 0 {
		summary += "; " + plural(warnings, "warning")
	}
	b.WriteString(summary + ".\n")
	_, err := io.WriteString(w, screen.List(b.String()))
	return err
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// PrintJSON writes the results as JSON.
func PrintJSON(w io.Writer, results []Result) error {
	return json.NewEncoder(w).Encode(struct {
		OK       bool     `json:"ok"`
		Failed   int      `json:"failed"`
		Warnings int      `json:"warnings"`
		Checks   []Result `json:"checks"`
	}{Passed(results), count(results, Failed), count(results, Warning), results})
}

// list names up to five of them, and the number of the others.
func list(names []string) string {
	const most = 5
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return cmp.Or(strings.Join(names, ", "), "none")
}
