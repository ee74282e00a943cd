package commands

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store/sweep"
)

const (
	promptsDefault = 20
	promptsLimit   = 10_000 // bounds what a list holds in memory
	previewLength  = 80
)

func (d Deps) prompts() Command {
	return Command{Group: "redis", Name: "prompts", Args: "[--limit N]",
		Summary: "the newest prompts", Parse: d.parsePrompts}
}

func (d Deps) parsePrompts(args Args) (Run, error) {
	if len(args.Words) == 1 && args.Limit == 0 { // a bare number can mean nothing else
		if n, err := strconv.Atoi(args.Words[0]); err == nil && n > 0 {
			args = Args{Limit: n}
		}
	}
	limit := cmp.Or(args.Limit, promptsDefault)
	if limit > promptsLimit {
		return nil, usageError(fmt.Sprintf("--limit goes up to %d.", promptsLimit))
	}
	args.Limit = 0
	return func(ctx context.Context, req Request) (Answer, error) {
		ctx, cancel := countContext(ctx, req)
		defer cancel()
		list, err := d.NewSweeper().Sweep(ctx, sweep.Options{Now: d.Now(), Progress: req.Progress, Newest: limit})
		if err != nil {
			return Answer{}, fmt.Errorf("list prompts: %w", err)
		}
		return promptsAnswer(list, req.Terminal, d.Now()), nil
	}, args.none()
}

// promptsReport is the --json of redis prompts; its member names are public.
type promptsReport struct {
	Total    int            `json:"total"`
	Complete bool           `json:"complete"`
	Prompts  []promptReport `json:"prompts"`
}

type promptReport struct {
	ID     string     `json:"id"`
	Length int        `json:"length"`
	At     *time.Time `json:"at"`
	Prompt string     `json:"prompt"`
}

func promptsAnswer(list sweep.Result, terminal bool, now time.Time) Answer {
	rows := make([][]string, len(list.Prompts))
	report := promptsReport{list.Count.Prompts, list.Count.Complete, make([]promptReport, len(list.Prompts))}
	for i, p := range list.Prompts {
		at := "unknown"
		report.Prompts[i] = promptReport{ID: p.ID, Length: p.Length, Prompt: p.Text}
		if !p.At.IsZero() {
			at, report.Prompts[i].At = humanize.Clock(p.At, now), &p.At
		}
		rows[i] = []string{fmt.Sprint(i + 1), fmt.Sprint(p.Length), at, p.ID, blockkit.Cut(blockkit.OneLine(p.Text), previewLength)}
	}
	head := humanize.Count(report.Total, "prompt") + ", newest first."
	if report.Total == 0 {
		head = "Redis holds no prompts. On a live site that is wrong: check that REDIS_URL is the Redis the site uses, and that it has not been emptied."
	}
	if !report.Complete {
		head = "Time ran out, so some prompts are missing here, maybe newer ones; none is lost. For all of them run sessionbot redis prompts on the bot's host. " + head
	}
	blocks := blockkit.Message(blockkit.BoldLine(head))
	if len(rows) > 0 {
		header := []string{"#", "Length", "Stored", "Session", "Prompt"}
		table, shown := blockkit.DataTable("Prompts", header, rows, 0, 1)
		if terminal {
			table, shown = blockkit.Table(header, rows, true)
		}
		blocks = append(blocks, table)
		if rest := report.Total - shown; rest > 0 {
			blocks = append(blocks, blockkit.Context("… and "+humanize.Thousands(int64(rest))+" more"))
		}
	}
	return Answer{Blocks: blocks, JSON: report, Shareable: true}
}
