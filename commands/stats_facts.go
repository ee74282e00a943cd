package commands

import (
	"fmt"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
)

// statsFacts are the figures beside the trends, as labelled rows.
func statsFacts(s statistics, now time.Time) []blockkit.Line {
	c := s.Count
	fact := func(label string, parts ...string) blockkit.Line {
		return blockkit.Fact(label, blockkit.Plain(strings.Join(parts, " · ")))
	}
	lines := []blockkit.Line{fact("Sessions", grouped(int64(c.Sessions)), grouped(int64(c.Prompts))+" with a prompt")}
	if parts := shares(store.Verdicts, c.Verdicts, c.Sessions, title); parts != nil {
		lines = append(lines, fact("Verdicts", parts...))
	}
	if c.Longest != nil {
		lines = append(lines,
			fact("Prompts", grouped(c.PromptCharacters)+" characters", "on average "+grouped(c.AverageLength),
				"longest "+grouped(int64(c.Longest.Length))+" in "+shortID(c.Longest.ID),
				"shortest "+grouped(int64(c.Shortest.Length))+" in "+shortID(c.Shortest.ID)),
			fact("Prompts by length", shares(store.LengthClasses, c.Distribution, c.Prompts, nil)...))
	}
	keys := 0
	for _, n := range c.Survey.TTLs {
		keys += n
	}
	if parts := shares(store.TTLClasses, c.Survey.TTLs, keys, nil); parts != nil {
		if c.Survey.TTLsOfSome {
			parts = append(parts, "by a sample of them")
		}
		lines = append(lines, fact("Sessions' keys live for", parts...))
	}
	lines = append(lines, fact("Keys by namespace", surveyText(c.Survey)...))
	if s.Server != nil {
		for _, row := range serverRows(*s.Server) {
			lines = append(lines, fact(row[0], row[1]))
		}
	}
	for _, row := range watchRows(s, now) {
		lines = append(lines, fact(row[0], row[1]))
	}
	return lines
}

// shares are the classes of which there are any, each with its part of the whole.
func shares[K ~string](order []K, counts map[K]int, whole int, name func(K) string) []string {
	var parts []string
	for _, class := range order {
		text := string(class)
		if name != nil {
			text = name(class)
		}
		if n := counts[class]; n > 0 {
			parts = append(parts, text+" "+share(n, whole))
		}
	}
	return parts
}

// surveyText tells of namespaces, and of how many keys: what a sample takes of
// memory is never told as what all take.
func surveyText(s store.Survey) []string {
	parts := []string{fmt.Sprintf("%s of %s looked at", grouped(s.Scanned), grouped(s.Keys))}
	others := s.Others
	others.Name = "others"
	for _, n := range append(s.Namespaces, others) {
		if n.Keys == 0 {
			continue
		}
		name := blockkit.OneLine(n.Name)
		if n.Name != others.Name {
			name += ":"
		}
		text := name + " " + grouped(n.Keys)
		if n.Sampled > 0 {
			text += fmt.Sprintf(" (%s on average of %s asked)", bytes(n.SampledBytes/n.Sampled), grouped(n.Sampled))
		}
		parts = append(parts, text)
	}
	if s.Untold {
		parts = append(parts, "this Redis does not let us ask what a key takes of memory (MEMORY USAGE)")
	}
	return parts
}
