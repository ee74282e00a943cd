package alert

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands/remedy"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
)

// Digest is what the daily digest reports.
type Digest struct {
	From, Until time.Time
	Trouble     map[diagnosis.Verdict][]incident.Case // that was found on the day, by verdict
	Repairs     []PersonRepairs
	Metrics     []blockkit.Line
	Open        int             // sessions that are in trouble now
	OpenRows    []slack.Block   // some of them
	Uninformed  []blockkit.Line // customers who may not know yet how it ended for them; nil = none
}

// PersonRepairs are the repairs that one person approved or made outside.
type PersonRepairs struct {
	Who   store.Actor
	Count map[string]int // by outcome
	Cents int            // estimated cost
}

// Message shows the digest: where there is nothing to report, in one line.
func (g Digest) Message() Message {
	day := "Digest of " + g.From.Format("Mon 2 Jan")
	found, left := 0, 0
	for _, cases := range g.Trouble {
		i := incident.Incident{Cases: cases}
		found, left = found+len(cases), left+len(i.Open())
	}
	head := day + ": no session got into trouble."
	switch {
	case found == 0 && g.Open == 0 && g.Repairs == nil && g.Uninformed == nil:
		blocks := blockkit.Message(blockkit.PlainLine(day + ": nothing to report. No session got into trouble, none is in trouble now, and nothing was repaired."))
		return Message{Blocks: blocks, Text: blockkit.Fallback(blocks)}
	case found > 0 && left == 0:
		head = day + ": " + humanize.Count(found, "session") + " got into trouble; all are resolved."
	case found > 0:
		head = day + ": " + humanize.Count(found, "session") + " got into trouble; " + humanize.Thousands(int64(left)) + pluralText{" is", " are"}.of(left) + " still open."
	}
	lines := g.troubleLines()
	for _, p := range g.Repairs {
		lines = append(lines, p.line())
	}
	if lines = append(lines, g.Metrics...); g.Open == 0 {
		lines = append(lines, blockkit.PlainLine("No session is in trouble now."))
	}
	var blocks []slack.Block
	if lines != nil {
		blocks = blockkit.Message(lines...)
	}
	window := blockkit.L(blockkit.Plain("From "), humanize.ClockTime(g.From, g.Until), blockkit.Plain(" to "), humanize.ClockTime(g.Until, g.From))
	return composeAlert(":newspaper:", head, "", slices.Concat(blocks, g.OpenRows, g.uninformed(), []slack.Block{blockkit.Context(blockkit.Mrkdwn(window))}))
}

// uninformed is the list of the customers who may not know yet how it ended.
func (g Digest) uninformed() []slack.Block {
	if g.Uninformed == nil {
		return nil
	}
	return blockkit.Message(g.Uninformed...)
}

// troubleLines are how many sessions got into which trouble, and how that ended.
func (g Digest) troubleLines() []blockkit.Line {
	var lines []blockkit.Line
	for _, verdict := range diagnosis.Verdicts {
		cases := g.Trouble[verdict]
		if len(cases) == 0 {
			continue
		}
		i := incident.Incident{Kind: incident.Kind(verdict), Cases: cases}
		text := humanize.Thousands(int64(len(cases)))
		if sum := humanize.Sums(incident.SumOf(cases).Money); sum != "" {
			text += " (" + sum + ")"
		}
		open := len(i.Open())
		if open < len(cases) {
			text += " · " + strings.TrimSuffix(tallyText(i), ".")
		}
		if open > 0 {
			text += " · " + humanize.Thousands(int64(open)) + " still open"
		}
		lines = append(lines, blockkit.Fact(humanize.Title(verdict), blockkit.Plain(text)))
	}
	return lines
}

// line is who repaired what, and at what cost.
func (p PersonRepairs) line() blockkit.Line {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(p.Count)) {
		parts = append(parts, humanize.Thousands(int64(p.Count[what]))+" "+what)
	}
	text := strings.Join(parts, ", ")
	if p.Cents > 0 {
		text += " · " + remedy.CostText(p.Cents)
	}
	return blockkit.Fact("Repaired by", humanize.Person(p.Who), blockkit.Plain(": "+text))
}
