package commands

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
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

// statistics are what the figures of an answer are made of.
type statistics struct {
	store.Rollup
	series store.Series
	watch  *store.WatchState // nil = nobody watches, or it could not be read
	silent bool              // it could not be read
	unread bool              // what is known of payments and files could not be read
}

// runStats tells what the last sweep counted, in one round trip. In a terminal,
// and where there is no such count, sessions are counted now.
func (d Deps) runStats(ctx context.Context, req Request) (Answer, error) {
	now := d.Now()
	var s statistics
	kept, err := d.Statistics.Figures(ctx, now)
	if err != nil {
		d.Log.WarnContext(ctx, "what sweeps counted could not be read", "error", err)
	}
	s.series, s.silent = kept.Series, err != nil
	if d.Alerts && err == nil {
		state, err := d.Watch.State(ctx)
		if err != nil {
			d.Log.WarnContext(ctx, "state of the watch not read", "error", err)
		} else {
			s.watch = &state
		}
	}
	if kept.Rollup != nil && !req.Terminal {
		s.Rollup = *kept.Rollup
	} else if err := d.countNow(ctx, req, now, &s); err != nil {
		return Answer{}, err
	}
	s.series = s.series.With(s.Rollup)
	return Answer{Blocks: statsBlocks(s, now), JSON: statsJSON(s, now), Shareable: true}, nil
}

// countNow counts all sessions on the spot.
func (d Deps) countNow(ctx context.Context, req Request, now time.Time, s *statistics) error {
	server, err := d.Redis.Server(ctx)
	switch {
	case store.Trouble(err) != nil:
		return fmt.Errorf("server: %w", err) // counting would only wait as well
	case err != nil:
		d.Log.WarnContext(ctx, "Redis does not tell about itself", "error", err)
	default:
		s.Server = &server
	}
	ctx, cancel := countContext(ctx, req)
	defer cancel()
	var unread atomic.Bool
	s.AsOf = now
	counted, err := d.NewSweeper().Sweep(ctx, sweep.Options{Now: now, Limits: d.Limits, Progress: req.Progress,
		Evidence: func(ctx context.Context, sessions []store.Session) ([]store.Evidence, error) {
			evidence, err := d.Sources.Evidence(ctx, sessions, func(ctx context.Context, ids []string) (map[string]store.Payment, error) {
				return d.Watch.Payments(ctx, now, ids)
			})
			if err != nil && ctx.Err() == nil { // sessions are counted without it, and the answer says so
				unread.Store(true)
				return make([]store.Evidence, len(sessions)), nil
			}
			return evidence, err
		}})
	if err != nil {
		return fmt.Errorf("count sessions: %w", err)
	}
	s.Count, s.unread = counted.Count, unread.Load()
	return nil
}

func statsBlocks(s statistics, now time.Time) []slack.Block {
	c := s.Count
	head := make([]blockkit.Line, 0, 4)
	for _, line := range odd(s) {
		head = append(head, blockkit.L(blockkit.Bold(line)))
	}
	if text := unsure(s); text != "" {
		head = append(head, blockkit.L(blockkit.Plain(text)))
	}
	blocks := []slack.Block{blockkit.Paragraph(head...)}
	charted := "the table says what the charts show"
	for _, block := range []slack.Block{
		chart("Last 24 h, in percent", steps(s, 12, 2, dayLayout)), chart("Last 7 days, in percent", steps(s, 7, 24, weekLayout)),
	} {
		if block != nil {
			blocks, charted = append(blocks, block), "a line goes on as it was where nothing happened; "+charted
		}
	}
	complete := "complete"
	if !c.Complete {
		complete = fmt.Sprintf("not complete: %s of %s keys seen, time ran out", grouped(c.Survey.Scanned), grouped(c.Survey.Keys))
	}
	return append(blocks, trendTable(s), blockkit.Paragraph(statsFacts(s, now)...),
		blockkit.Context(fmt.Sprintf("As of %s, %s, %s", asOf(s.AsOf, now), count(c.Sessions, "session"), complete)))
}

// asOf is when figures were true.
func asOf(at, now time.Time) string {
	if now.Sub(at) < time.Second {
		return at.UTC().Format("15:04:05 UTC")
	}
	return span(now.Sub(at)) + " ago (" + at.UTC().Format("15:04:05 UTC") + ")"
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
	return percent(*r)
}

// percent never rounds up: 100% means all.
func percent(share float64) string {
	return strconv.FormatFloat(math.Floor(share*1000)/10, 'f', 1, 64) + "%"
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
