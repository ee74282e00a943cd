package commands

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/stats"
	"github.com/superduperai/sessionbot/store/sweep"
)

// countTimeout bounds a count in Slack; then the answer says how far it came.
const countTimeout = 8 * time.Second

// countContext bounds a count; in a terminal a person may wait and interrupt.
func countContext(ctx context.Context, req Request) (context.Context, context.CancelFunc) {
	if req.Terminal {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, countTimeout)
}

func (d Deps) stats() Command {
	return Command{Group: "redis", Name: "stats", Summary: "figures over all sessions", Parse: withoutArgs(d.runStats)}
}

// statistics is the data of an answer.
type statistics struct {
	stats.Rollup
	series      stats.Series
	watch       *incident.WatchState // nil = there is no watch, or it could not be read
	watchErr    bool                 // it could not be read
	evidenceErr bool                 // the records of payments and files could not be read
}

// runStats answers with the counts of the last sweep, in one round trip. In a
// terminal, and without such counts, it counts the sessions now.
func (d Deps) runStats(ctx context.Context, req Request) (Answer, error) {
	now := d.Now()
	stored, err := d.Statistics.Figures(ctx, now)
	if err != nil {
		d.Log.WarnContext(ctx, "figures of the sweeps unavailable", "error", err)
	}
	s := statistics{series: stored.Series, watchErr: err != nil}
	if d.Alerts && err == nil {
		state, err := d.Watch.State(ctx)
		if err != nil {
			d.Log.WarnContext(ctx, "state of the watch unavailable", "error", err)
		} else {
			s.watch = &state
		}
	}
	if stored.Rollup != nil && !req.Terminal {
		s.Rollup = *stored.Rollup
	} else if err := d.countNow(ctx, req, now, &s); err != nil {
		return Answer{}, err
	}
	s.series = s.series.With(s.Rollup)
	return Answer{Blocks: statsBlocks(s, now), JSON: statsJSON(s, now), Shareable: true}, nil
}

// countNow counts all sessions.
func (d Deps) countNow(ctx context.Context, req Request, now time.Time, s *statistics) error {
	server, err := d.Redis.Server(ctx)
	switch {
	case rdb.Trouble(err) != nil:
		return fmt.Errorf("server: %w", err) // counting would only wait as well
	case err != nil:
		d.Log.WarnContext(ctx, "server information unavailable", "error", err)
	default:
		s.Server = &server
	}
	ctx, cancel := countContext(ctx, req)
	defer cancel()
	var evidenceErr atomic.Bool
	counted, err := d.NewSweeper().Sweep(ctx, sweep.Options{Now: now, Limits: d.Limits, Progress: req.Progress,
		Evidence: func(ctx context.Context, sessions []store.Session) ([]diagnosis.Evidence, error) {
			evidence, err := d.Sources.Evidence(ctx, sessions, d.payments(now))
			if err != nil && ctx.Err() == nil { // sessions are counted without it, and the answer says so
				evidenceErr.Store(true)
				return make([]diagnosis.Evidence, len(sessions)), nil
			}
			return evidence, err
		}})
	if err != nil {
		return fmt.Errorf("count sessions: %w", err)
	}
	s.AsOf, s.Count, s.evidenceErr = now, counted.Count, evidenceErr.Load()
	return nil
}

func statsBlocks(s statistics, now time.Time) []slack.Block {
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
	if survey := s.Count.Survey; !s.Count.Complete {
		complete = fmt.Sprintf("not complete: %s of %s keys seen, time ran out", thousands(survey.Scanned), thousands(survey.Keys))
	}
	return append(blocks, trendTable(s), blockkit.Paragraph(statsFacts(s, now)...), blockkit.Context(blockkit.Mrkdwn(
		blockkit.L(blockkit.Plain("As of "), asOfTime(s.AsOf, now), blockkit.Plain(", "+count(s.Count.Sessions, "session")+", "+complete)))))
}

// asOfTime is the time of figures, and how long ago that was.
func asOfTime(at, now time.Time) blockkit.Span {
	if now.Sub(at) >= time.Second {
		return agoTime(at, now)
	}
	return secondsTime(at, now)
}

// statsFacts are the figures beside the trends, as labelled rows.
func statsFacts(s statistics, now time.Time) []blockkit.Line {
	c := s.Count
	var lines []blockkit.Line
	add := func(label string, parts ...string) {
		lines = append(lines, blockkit.Fact(label, blockkit.Plain(strings.Join(parts, " · "))))
	}
	add("Sessions", thousands(int64(c.Sessions)), thousands(int64(c.Prompts))+" with a prompt")
	if parts := shares(diagnosis.Verdicts, c.Verdicts, c.Sessions, title); parts != nil {
		add("Verdicts", parts...)
	}
	asIs := func(class string) string { return class }
	if c.Longest != nil {
		add("Prompts", thousands(c.PromptCharacters)+" characters", "on average "+thousands(c.AverageLength),
			"longest "+thousands(int64(c.Longest.Length))+" in "+shortID(c.Longest.ID),
			"shortest "+thousands(int64(c.Shortest.Length))+" in "+shortID(c.Shortest.ID))
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
		lines = append(lines, blockkit.Fact("Last sweep", agoOrNever(s.watch.Swept, now)),
			blockkit.Fact("Stripe last listed", agoOrNever(s.watch.Passed, now)),
			blockkit.Fact("Redis last notified", agoOrNever(s.watch.Notified, now)))
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
			parts = append(parts, fmt.Sprintf("%s %s (%.1f%%)", name(class), thousands(int64(n)), 100*float64(n)/float64(whole)))
		} else if n > 0 {
			parts = append(parts, name(class)+" "+thousands(int64(n)))
		}
	}
	return parts
}

// surveyTexts are the namespaces with their numbers of keys, and the memory of a
// sample of them.
func surveyTexts(s stats.Survey) []string {
	parts := []string{fmt.Sprintf("%s of %s looked at", thousands(s.Scanned), thousands(s.Keys))}
	add := func(name string, n stats.Namespace) {
		if n.Keys == 0 {
			return
		}
		text := name + " " + thousands(n.Keys)
		if n.Sampled > 0 {
			text += fmt.Sprintf(" (%s on average of %s asked)", bytes(n.SampledBytes/n.Sampled), thousands(n.Sampled))
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

func agoOrNever(at, now time.Time) blockkit.Span {
	if at.IsZero() {
		return blockkit.Plain("never")
	}
	return agoTime(at, now)
}
