package commands

import (
	"fmt"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/stats"
)

// statsFacts are the figures beside the trends, as labelled rows.
func statsFacts(s statistics, now time.Time) []blockkit.Line {
	c := s.Count
	var lines []blockkit.Line
	add := func(label string, parts ...string) {
		lines = append(lines, blockkit.Fact(label, blockkit.Plain(strings.Join(parts, " · "))))
	}
	add("Sessions", grouped(int64(c.Sessions)), grouped(int64(c.Prompts))+" with a prompt")
	if parts := shares(diagnosis.Verdicts, c.Verdicts, c.Sessions, title); parts != nil {
		add("Verdicts", parts...)
	}
	asIs := func(class string) string { return class }
	if c.Longest != nil {
		add("Prompts", grouped(c.PromptCharacters)+" characters", "on average "+grouped(c.AverageLength),
			"longest "+grouped(int64(c.Longest.Length))+" in "+shortID(c.Longest.ID),
			"shortest "+grouped(int64(c.Shortest.Length))+" in "+shortID(c.Shortest.ID))
		add("Prompts by length", shares(stats.LengthClasses, c.Distribution, c.Prompts, asIs)...)
	}
	keys := 0
	for _, n := range c.Survey.TTLs {
		keys += n
	}
	if parts := shares(stats.TTLClasses, c.Survey.TTLs, keys, asIs); parts != nil {
		if c.Survey.TTLsOfSome {
			parts = append(parts, "by a sample of them")
		}
		add("Sessions' keys live for", parts...)
	}
	add("Keys by namespace", surveyTexts(c.Survey)...)
	if s.Server != nil {
		for _, row := range serverRows(*s.Server) {
			add(row[0], row[1])
		}
	}
	switch {
	case s.watchErr:
		add("Watch", "unknown: Redis did not say")
	case s.watch != nil:
		add("Last sweep", agoOrNever(s.watch.Swept, now))
		add("Stripe last listed", agoOrNever(s.watch.Passed, now))
		add("Redis last notified", agoOrNever(s.watch.Notified, now))
		if s.watch.Unreachable != "" {
			add("Alerts do not arrive", s.watch.Unreachable)
		}
	}
	return lines
}

// shares are the classes that are not empty, each with its share of the whole.
func shares[K ~string](order []K, counts map[K]int, whole int, name func(K) string) []string {
	var parts []string
	for _, class := range order {
		if n := counts[class]; n > 0 && whole > 0 {
			parts = append(parts, fmt.Sprintf("%s %s (%.1f%%)", name(class), grouped(int64(n)), 100*float64(n)/float64(whole)))
		} else if n > 0 {
			parts = append(parts, name(class)+" "+grouped(int64(n)))
		}
	}
	return parts
}

// surveyTexts are the namespaces with their numbers of keys. What a sample takes
// of memory is never given as what all take.
func surveyTexts(s stats.Survey) []string {
	parts := []string{fmt.Sprintf("%s of %s looked at", grouped(s.Scanned), grouped(s.Keys))}
	add := func(name string, n stats.Namespace) {
		if n.Keys == 0 {
			return
		}
		text := name + " " + grouped(n.Keys)
		if n.Sampled > 0 {
			text += fmt.Sprintf(" (%s on average of %s asked)", bytes(n.SampledBytes/n.Sampled), grouped(n.Sampled))
		}
		parts = append(parts, text)
	}
	for _, n := range s.Namespaces {
		add(blockkit.OneLine(n.Name)+":", n)
	}
	add("others", s.Others)
	if s.Untold {
		parts = append(parts, "this Redis does not let us ask what a key takes of memory (MEMORY USAGE)")
	}
	return parts
}

func agoOrNever(at, now time.Time) string {
	if at.IsZero() {
		return "never"
	}
	return ago(at, now)
}
