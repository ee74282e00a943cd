package commands

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
)

// countFor is how long sessions are counted on the spot before the answer says
// how far it came.
const countFor = 8 * time.Second

func (d Deps) stats() Command {
	return Command{Group: "redis", Name: "stats", Summary: "figures over all sessions",
		Parse: func(args Args) (Run, error) { return d.runStats, args.none() }}
}

// statistics are what the figures of an answer are made of.
type statistics struct {
	store.Rollup
	series store.Series
	watch  *store.WatchState // nil = nobody watches, or it could not be read
	silent bool              // it could not be read
	blind  bool              // what is known of payments could not be read
}

// runStats tells what the last sweep counted, in one round trip. In a terminal,
// and where there is no such count, sessions are counted now.
func (d Deps) runStats(ctx context.Context, req Request) (Answer, error) {
	now := d.Now()
	var s statistics
	kept, err := d.Watch.Figures(ctx, now)
	if err != nil {
		d.Log.WarnContext(ctx, "what sweeps counted could not be read", "ref", req.Ref, "error", err)
	}
	s.series, s.silent = kept.Series, err != nil
	if d.Alerts && err == nil {
		s.watch = &kept.State
	}
	if kept.Rollup != nil && !req.Terminal {
		s.Rollup = *kept.Rollup
	} else if err := d.countNow(ctx, req, now, &s); err != nil {
		return Answer{}, err
	}
	return Answer{Blocks: statsBlocks(s, now), JSON: statsJSON(s, now), Shareable: true}, nil
}

// countNow counts all sessions on the spot.
func (d Deps) countNow(ctx context.Context, req Request, now time.Time, s *statistics) error {
	server, err := d.Redis.Server(ctx)
	switch {
	case errors.Is(err, store.ErrSilent) || errors.Is(err, store.ErrRefused):
		return fmt.Errorf("server: %w", err) // counting would only wait as well
	case err != nil:
		d.Log.WarnContext(ctx, "Redis does not tell about itself", "ref", req.Ref, "error", err)
	default:
		s.Server = &server
	}
	if !req.Terminal { // in a terminal a person may wait and interrupt
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, countFor)
		defer cancel()
	}
	s.AsOf = now
	s.Count, err = d.Redis.Count(ctx, store.Counting{Now: now, Limits: d.Limits, Progress: req.Progress,
		Known: func(ctx context.Context, ids []string) map[string]store.Payment {
			payments, err := d.Watch.Payments(ctx, now, ids)
			s.blind = s.blind || err != nil && ctx.Err() == nil
			return payments
		}})
	if err != nil {
		return fmt.Errorf("count sessions: %w", err)
	}
	return nil
}

func statsBlocks(s statistics, now time.Time) []slack.Block {
	c := s.Count
	complete := "complete"
	if !c.Complete {
		complete = fmt.Sprintf("not complete: %s of %s keys seen, time ran out", grouped(c.Survey.Scanned), grouped(c.Survey.Keys))
	}
	blocks := []slack.Block{
		blockkit.Paragraph(
			blockkit.L(blockkit.Bold(oddity(c))),
			blockkit.L(blockkit.Plain("Payment was not asked for: sessions without a status may be unpaid. Debug one to be sure.")),
		),
	}
	if chart := verdictChart(c); chart != nil {
		blocks = append(blocks, chart)
	}
	table, _ := blockkit.Table([]string{"Figure", "Value"}, append(statsRows(s), watchRows(s, now)...), true)
	return append(blocks, table, blockkit.Context(fmt.Sprintf("As of %s, %s, %s", asOf(s.AsOf, now), count(c.Sessions, "session"), complete)))
}

// asOf is when figures were true.
func asOf(at, now time.Time) string {
	if now.Sub(at) < time.Second {
		return at.UTC().Format("15:04:05 UTC")
	}
	return span(now.Sub(at)) + " ago (" + at.UTC().Format("15:04:05 UTC") + ")"
}

// oddity is what a person should look at first.
func oddity(c store.Count) string {
	switch orphaned, stalled := c.Verdicts[store.VerdictOrphaned], c.Verdicts[store.VerdictStalled]; {
	case c.Sessions == 0:
		return "Redis holds no sessions."
	case orphaned > 0 && stalled > 0:
		return fmt.Sprintf("%s without a webhook status past the grace time, %d stalled.", count(orphaned, "session"), stalled)
	case orphaned > 0:
		return count(orphaned, "session") + " without a webhook status past the grace time."
	case stalled > 0:
		return count(stalled, "session") + " stalled."
	}
	return "Nothing odd: every session has a status or is still within its grace time."
}

func verdictChart(c store.Count) slack.Block {
	var points []slack.DataVisualizationDataPoint
	var categories []string
	for _, verdict := range store.Verdicts {
		if n := c.Verdicts[verdict]; n > 0 {
			points = append(points, slack.NewDataVisualizationDataPoint(title(verdict), float64(n)))
			categories = append(categories, title(verdict))
		}
	}
	if points == nil {
		return nil
	}
	return slack.NewDataVisualizationBlock("Sessions by verdict", slack.NewDataVisualizationBarChart(
		slack.NewDataVisualizationAxisConfig(categories...), slack.NewDataVisualizationDataSeries("Sessions", points...)))
}

func statsRows(s statistics) [][]string {
	c := s.Count
	rows := [][]string{
		{"Sessions", grouped(int64(c.Sessions))},
		{"With a prompt", grouped(int64(c.Prompts))},
	}
	for _, verdict := range store.Verdicts {
		if n := c.Verdicts[verdict]; n > 0 {
			rows = append(rows, []string{title(verdict), share(n, c.Sessions)})
		}
	}
	rows = append(rows,
		[]string{"Webhook success, 24 h", rate(c.WebhookSuccessRate)},
		[]string{"Generation success, 24 h", rate(c.GenerationSuccessRate)},
		[]string{"Prompt characters", grouped(c.PromptCharacters) + ", on average " + grouped(c.AverageLength)},
	)
	if c.Longest != nil {
		rows = append(rows,
			[]string{"Longest prompt", grouped(int64(c.Longest.Length)) + " · " + shortID(c.Longest.ID)},
			[]string{"Shortest prompt", grouped(int64(c.Shortest.Length)) + " · " + shortID(c.Shortest.ID)})
	}
	for _, name := range store.LengthClasses {
		rows = append(rows, []string{"Prompts of " + name + " characters", share(c.Distribution[name], c.Prompts)})
	}
	if s.Server != nil {
		rows = append(rows, serverRows(*s.Server)...)
	}
	return rows
}

// share is a number with its part of the whole, to one decimal.
func share(n, whole int) string {
	if whole == 0 {
		return grouped(int64(n))
	}
	return fmt.Sprintf("%s (%.1f%%)", grouped(int64(n)), 100*float64(n)/float64(whole))
}

func rate(r *float64) string {
	if r == nil {
		return "no data"
	}
	return strconv.FormatFloat(math.Floor(*r*1000)/10, 'f', 1, 64) + "%"
}

// statsReport is the --json of redis stats; its names are public.
type statsReport struct {
	AsOf                  time.Time             `json:"as_of"`
	Complete              bool                  `json:"complete"`
	Sessions              int                   `json:"sessions"`
	Prompts               int                   `json:"prompts"`
	PromptCharacters      int64                 `json:"prompt_characters"`
	AverageLength         int64                 `json:"average_length"`
	Longest               *store.PromptLength   `json:"longest"`
	Shortest              *store.PromptLength   `json:"shortest"`
	Distribution          map[string]int        `json:"distribution"`
	Verdicts              map[store.Verdict]int `json:"verdicts"`
	WebhookSuccessRate    *float64              `json:"webhook_success_rate"`
	LookupSuccessRate     *float64              `json:"lookup_success_rate"`
	GenerationSuccessRate *float64              `json:"generation_success_rate"`
	Redis                 store.Server          `json:"redis"`
	Watch                 *watchReport          `json:"watch,omitempty"`
}

func statsJSON(s statistics, now time.Time) statsReport {
	c := s.Count
	report := statsReport{
		AsOf: s.AsOf.UTC(), Complete: c.Complete, Sessions: c.Sessions, Prompts: c.Prompts,
		PromptCharacters: c.PromptCharacters, AverageLength: c.AverageLength,
		Longest: c.Longest, Shortest: c.Shortest, Distribution: c.Distribution, Verdicts: c.Verdicts,
		WebhookSuccessRate: c.WebhookSuccessRate, GenerationSuccessRate: c.GenerationSuccessRate,
		LookupSuccessRate: s.series.Sum(store.HourOf(now), 24).Lookup.Rate(),
		Watch:             watchJSON(s.watch, now),
	}
	if s.Server != nil {
		report.Redis = *s.Server
	}
	return report
}

// serverRows leaves out what the server does not tell.
func serverRows(s store.Server) [][]string {
	answers := "answers in " + strconv.FormatFloat(s.PingMS, 'f', 1, 64) + " ms"
	if s.Version != "" {
		answers = "version " + s.Version + ", " + answers
	}
	rows := [][]string{{"Redis", answers}}
	if s.UsedMemoryBytes > 0 {
		memory := bytes(s.UsedMemoryBytes) + ", at most " + bytes(s.UsedMemoryPeakBytes)
		if s.MaxMemoryBytes > 0 {
			memory += fmt.Sprintf(", %.0f%% of %s", 100*float64(s.UsedMemoryBytes)/float64(s.MaxMemoryBytes), bytes(s.MaxMemoryBytes))
		} else {
			memory += ", no limit set"
		}
		rows = append(rows, []string{"Memory", memory})
	}
	return append(rows,
		[]string{"Keys", grouped(s.Keys)},
		[]string{"Keys evicted", grouped(s.EvictedKeys)},
		[]string{"Clients connected", grouped(s.ConnectedClients)})
}

func bytes(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	value := float64(n)
	for _, unit := range units {
		if value < 1000 || unit == units[len(units)-1] {
			return strconv.FormatFloat(value, 'f', min(slices.Index(units, unit), 1), 64) + " " + unit
		}
		value /= 1000
	}
	return ""
}
