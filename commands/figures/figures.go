// Package figures shows the statistics: anomalies, trends and figures, as blocks and as
// JSON.
package figures

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/stats"
	"github.com/superduperai/sessionbot/store/watchstate"
)

// Statistics holds what the sweeps counted, and the state of the watch.
type Statistics struct {
	stats.Rollup
	Series      stats.Series
	Watch       *watchstate.State // nil = there is no watch, or it could not be read
	WatchErr    bool              // it could not be read
	EvidenceErr bool              // the records of payments and files could not be read
}

// Blocks show the anomalies, the trends and the figures.
func Blocks(s Statistics, now time.Time) []slack.Block {
	if s.Count.Sessions == 0 && s.Count.Complete {
		return emptyBlocks(s, now)
	}
	var head []blockkit.Line
	for _, line := range anomalies(s) {
		head = append(head, blockkit.BoldLine(line))
	}
	if text := paymentCaveat(s); text != "" {
		head = append(head, blockkit.PlainLine(text))
	}
	blocks := blockkit.Message(head...)
	for _, chart := range []slack.Block{
		chart("Last 24 h, in percent", steps(s, 12, 2, dayLayout)), chart("Last 7 days, in percent", steps(s, 7, 24, weekLayout)),
	} {
		if chart != nil {
			blocks = append(blocks, chart)
		}
	}
	complete := "complete"
	switch survey := s.Count.Survey; {
	case s.Count.Complete:
	case survey.Keys == 0:
		complete = "not complete: time ran out"
	default:
		complete = fmt.Sprintf("not complete: time ran out after %s of %s keys", humanize.Thousands(survey.Scanned), humanize.Thousands(survey.Keys))
	}
	return append(blocks, trendTable(s), blockkit.Paragraph(statsFacts(s, now)...), blockkit.Context(blockkit.Mrkdwn(
		blockkit.L(blockkit.Plain("As of "), humanize.AsOfTime(s.AsOf, now), blockkit.Plain(", "+humanize.Count(s.Count.Sessions, "session")+", "+strings.TrimSpace(complete+". "+arrowsText(s)))))))
}

// emptyBlocks describe a Redis without sessions, whose figures and trends mean nothing.
func emptyBlocks(s Statistics, now time.Time) []slack.Block {
	state := blockkit.L(blockkit.Plain("As of "), humanize.AsOfTime(s.AsOf, now))
	if s.Server != nil {
		state = append(state, blockkit.Plain(": Redis "+ServerRows(*s.Server)[0][1]+", "+humanize.Count(int(s.Server.Keys), "key")))
	}
	return blockkit.Message(blockkit.BoldLine(anomalies(s)[0]),
		blockkit.PlainLine("→ If that is unexpected, check that REDIS_URL is the Redis the site uses (host, database number), and that it has not been emptied."), state)
}

// statsFacts are the figures without trends, as labelled rows.
func statsFacts(s Statistics, now time.Time) []blockkit.Line {
	c := s.Count
	var lines []blockkit.Line
	add := func(label string, parts ...string) {
		lines = append(lines, blockkit.Fact(label, blockkit.Plain(strings.Join(parts, " · "))))
	}
	add("Sessions", humanize.Thousands(int64(c.Sessions)), humanize.Thousands(int64(c.Prompts))+" with a prompt")
	if parts := shares(diagnosis.Verdicts, c.Verdicts, c.Sessions, humanize.Title); parts != nil {
		add("Verdicts, handled sessions included", parts...)
	}
	span := func(class string) string { return strings.ReplaceAll(class, "-", "–") + ":" }
	if c.Longest != nil {
		add("Prompts", humanize.Thousands(c.PromptCharacters)+" characters", "on average "+humanize.Thousands(c.AverageLength),
			"longest "+humanize.Thousands(int64(c.Longest.Length))+" in "+humanize.ShortID(c.Longest.ID),
			"shortest "+humanize.Thousands(int64(c.Shortest.Length))+" in "+humanize.ShortID(c.Shortest.ID))
		add("Prompts by length", shares(stats.LengthClasses, c.Distribution, c.Prompts, span)...)
	}
	keys := 0
	for _, n := range c.Survey.TTLs {
		keys += n
	}
	if parts := shares(stats.TTLClasses, c.Survey.TTLs, keys, span); parts != nil {
		if c.Survey.TTLsOfSome {
			parts = append(parts, "estimated from a sample")
		}
		add("Session keys (up to 3 per session) expire in", parts...)
	}
	add("Keys by namespace", surveyTexts(c.Survey)...)
	if s.Server != nil {
		for _, row := range ServerRows(*s.Server) {
			add(row[0], row[1])
		}
	}
	switch {
	case s.WatchErr:
		add("Monitoring", "unknown: its state could not be read")
	case s.Watch != nil:
		lines = append(lines, blockkit.Fact("Last sweep", agoOrNever(s.Watch.Swept, now)),
			blockkit.Fact("Last Stripe check", agoOrNever(s.Watch.StripeReadAt, now)),
			blockkit.Fact("Last Redis event", agoOrNever(s.Watch.Notified, now)))
		if s.Watch.Unreachable != "" {
			add("Alerts do not arrive", s.Watch.Unreachable)
		}
	}
	return lines
}

// shares are the classes that are not empty, each with its share of the whole.
func shares[K ~string](order []K, counts map[K]int, whole int, name func(K) string) []string {
	var parts []string
	for _, class := range order {
		if n := counts[class]; n > 0 && whole > 0 {
			parts = append(parts, fmt.Sprintf("%s %s (%.1f%%)", name(class), humanize.Thousands(int64(n)), 100*float64(n)/float64(whole)))
		} else if n > 0 {
			parts = append(parts, name(class)+" "+humanize.Thousands(int64(n)))
		}
	}
	return parts
}

// surveyTexts are the namespaces with their numbers of keys, and the memory of a
// sample of them.
func surveyTexts(s stats.Survey) []string {
	parts := []string{fmt.Sprintf("%s of %s scanned", humanize.Thousands(s.Scanned), humanize.Thousands(s.Keys))}
	add := func(name string, n stats.Namespace) {
		if n.Keys == 0 {
			return
		}
		text := name + " " + humanize.Thousands(n.Keys)
		if n.Sampled > 0 {
			text += fmt.Sprintf(" (average %s, sample of %s)", humanize.Bytes(n.SampledBytes/n.Sampled), humanize.Thousands(n.Sampled))
		}
		parts = append(parts, text)
	}
	for _, n := range s.Namespaces {
		add(blockkit.OneLine(n.Name)+":", n)
	}
	add("others", s.Others)
	if s.MemoryDenied {
		parts = append(parts, "this Redis does not allow MEMORY USAGE")
	}
	return parts
}

func agoOrNever(at, now time.Time) blockkit.Span {
	if at.IsZero() {
		return blockkit.Plain("never")
	}
	return humanize.AgoTime(at, now)
}
