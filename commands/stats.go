package commands

import (
	"context"
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

func (d Deps) runStats(ctx context.Context, req Request) (Answer, error) {
	server, serverErr := d.Redis.Server(ctx)
	if store.Trouble(serverErr) != nil {
		return Answer{}, fmt.Errorf("server: %w", serverErr) // counting would only wait as well
	}
	if serverErr != nil {
		d.Log.WarnContext(ctx, "Redis does not tell about itself", "ref", req.Ref, "error", serverErr)
	}
	counting := ctx
	if !req.Terminal { // in a terminal a person may wait and interrupt
		var cancel context.CancelFunc
		counting, cancel = context.WithTimeout(ctx, countFor)
		defer cancel()
	}
	now := d.Now()
	figures, err := d.Redis.Count(counting, now, d.Limits)
	if err != nil {
		return Answer{}, fmt.Errorf("count sessions: %w", err)
	}
	report := statsJSON(figures, server, now)
	var watchRows [][]string
	if d.Watch != nil {
		watchRows, report.Watch = d.watched(ctx, req, now)
	}
	return Answer{Blocks: statsBlocks(figures, server, now, watchRows), JSON: report, Shareable: true}, nil
}

func statsBlocks(c store.Count, s store.Server, now time.Time, watched [][]string) []slack.Block {
	complete := "complete"
	if !c.Complete {
		complete = fmt.Sprintf("not complete: %s of %s keys seen, time ran out", grouped(c.KeysSeen), grouped(c.Keys))
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
	table, _ := blockkit.Table([]string{"Figure", "Value"}, append(statsRows(c, s), watched...), true)
	return append(blocks, table, blockkit.Context(fmt.Sprintf("As of %s, %s, %s",
		now.UTC().Format("15:04:05 UTC"), count(c.Sessions, "session"), complete)))
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

func statsRows(c store.Count, s store.Server) [][]string {
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
	return append(rows, serverRows(s)...)
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

func statsJSON(c store.Count, s store.Server, now time.Time) statsReport {
	return statsReport{
		AsOf: now.UTC(), Complete: c.Complete, Sessions: c.Sessions, Prompts: c.Prompts,
		PromptCharacters: c.PromptCharacters, AverageLength: c.AverageLength,
		Longest: c.Longest, Shortest: c.Shortest, Distribution: c.Distribution, Verdicts: c.Verdicts,
		WebhookSuccessRate: c.WebhookSuccessRate, GenerationSuccessRate: c.GenerationSuccessRate, Redis: s,
	}
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
