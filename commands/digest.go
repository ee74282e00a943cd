package commands

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands/alert"
	"github.com/superduperai/sessionbot/commands/figures"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/follow"
	"github.com/superduperai/sessionbot/store/incident"
)

// digestRows is how many of the sessions that are in trouble a digest shows.
const digestRows = 5

// Digest reports what happened between two times, and what is still open.
func (r *Registry) Digest(ctx context.Context, from, until time.Time) (alert.Message, error) {
	d, g := r.deps, alert.Digest{From: from, Until: until}
	incidents, err := d.Archive.EverySince(ctx, from)
	if err != nil {
		return alert.Message{}, err
	}
	g.Trouble = casesFound(incidents, from, until)
	entries, err := d.Trail.Since(ctx, from)
	if err != nil {
		return alert.Message{}, err
	}
	g.Repairs = repairsOf(entries, until)
	figuresOf, err := d.Statistics.Figures(ctx, until)
	if err != nil {
		return alert.Message{}, err
	}
	g.Metrics = figures.Day(figuresOf.Series, from, until)
	open, err := d.troubles(ctx, Request{}, TroubleFilter{})
	if err != nil {
		return alert.Message{}, err
	}
	followed, err := d.Followed.Sessions(ctx)
	if err != nil {
		return alert.Message{}, err
	}
	g.Uninformed = uninformedLines(followed, d.Now())
	g.Open, g.OpenRows = len(open.Sessions), openRows(open, d.Now())
	return g.Message(), nil
}

// casesFound returns the sessions that were found in trouble between two times, by
// verdict.
func casesFound(incidents []incident.Incident, from, until time.Time) map[diagnosis.Verdict][]incident.Case {
	found := map[diagnosis.Verdict][]incident.Case{}
	for _, i := range incidents {
		verdict := diagnosis.Verdict(i.Kind)
		if !slices.Contains(diagnosis.Verdicts, verdict) { // its cases are not sessions
			continue
		}
		for _, c := range i.Cases {
			if !c.Found.Before(from) && c.Found.Before(until) {
				found[verdict] = append(found[verdict], c)
			}
		}
	}
	return found
}

// repairsOf counts the repairs that ended before a time, by person. Of one that ended
// more than once, because it was settled, the last end counts.
func repairsOf(entries []audit.Entry, until time.Time) []alert.PersonRepairs {
	entries = slices.DeleteFunc(slices.Clone(entries), func(e audit.Entry) bool { return !e.At.Before(until) })
	last := map[string]int{}
	for n, e := range entries {
		if e.Event == audit.Ended {
			last[e.Plan] = n
		}
	}
	var all []alert.PersonRepairs
	for n, e := range entries {
		what := "handled elsewhere"
		switch {
		case e.Event == audit.Handled:
		case e.Event == audit.Ended && e.Session != "" && last[e.Plan] == n: // a bulk plan's sessions have entries of their own
			what = repairText(e)
		default:
			continue
		}
		k := slices.IndexFunc(all, func(p alert.PersonRepairs) bool { return p.Who == e.Who })
		if k < 0 {
			k = len(all)
			all = append(all, alert.PersonRepairs{Who: e.Who, Count: map[string]int{}})
		}
		all[k].Count[what]++
		all[k].Cents += e.Cents
	}
	return all
}

var repairDone = map[store.Action]string{
	store.ActionGenerate: "generated", store.ActionReplay: "replayed", store.ActionFix: "fixed", store.ActionRestore: "prompt restored",
}

var repairNoun = map[store.Action]string{store.ActionGenerate: "generation", store.ActionRestore: "prompt restoration"}

// repairText is the outcome of a repair.
func repairText(e audit.Entry) string {
	outcome, _, _ := strings.Cut(e.Detail, ":")
	if done := repairDone[e.Action]; done != "" && store.Outcome(outcome) == store.OutcomeDone {
		return done
	}
	return cmp.Or(repairNoun[e.Action], string(e.Action)) + " " + humanize.Words(outcome)
}

// uninformedLines are the customers who are not recorded as informed of how it ended, the
// longest waiting first.
func uninformedLines(followed []follow.Session, now time.Time) []blockkit.Line {
	type row struct {
		session string
		*follow.Answer
	}
	var rows []row
	for _, s := range followed {
		if a := s.Uninformed(); a != nil {
			rows = append(rows, row{s.ID, a})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	slices.SortFunc(rows, func(a, b row) int { return a.Posted.Compare(b.Posted) })
	lines := []blockkit.Line{blockkit.BoldLine(humanize.Count(len(rows), "customer") + " not informed yet (nobody ticked Customer informed in their threads)")}
	for n, r := range rows {
		if n == digestRows {
			lines = append(lines, blockkit.PlainLine("and "+humanize.Thousands(int64(len(rows)-n))+" more"))
			break
		}
		line := blockkit.L(blockkit.Code(humanize.ShortID(r.session)), blockkit.Plain(" · "+humanize.LowerFirst(message.EndText(*r.Answer))+" "), humanize.AgoTime(r.Posted, now))
		if r.Permalink != "" {
			line = append(line, blockkit.Plain(" · "), blockkit.Link(r.Permalink, "thread"))
		}
		lines = append(lines, line)
	}
	return lines
}

// openRows are the sessions that are in trouble, the longest waiting first; nil = none.
func openRows(open Troubles, now time.Time) []slack.Block {
	all := open.Sessions
	if len(all) == 0 {
		return nil
	}
	head := humanize.Count(len(all), "session") + " in trouble now, older ones included"
	if sum := humanize.Sums(open.sum().Money); sum != "" {
		head += " (" + sum + ")"
	}
	if !open.Complete {
		head += "; not all were seen"
	}
	shown := all[:min(len(all), digestRows)]
	blocks := append(blockkit.Message(blockkit.BoldLine(head+", the longest waiting first"),
		blockkit.PlainLine("→ Start at the top: press Debug (changes nothing) and follow it.")), troubleRows(shown, now)...)
	if more := len(all) - len(shown); more > 0 {
		blocks = append(blocks, blockkit.Row("and "+humanize.Thousands(int64(more))+" more", blockkit.Button(alert.ActionList, "Show all", listPlace{}.value())))
	}
	return blocks
}
