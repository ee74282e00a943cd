package commands

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/superduperai/sessionbot/commands/figures"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
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

// runStats answers with the counts of the last sweep, in one round trip. In a
// terminal, and without such counts, it counts the sessions now.
func (d Deps) runStats(ctx context.Context, req Request) (Answer, error) {
	now := d.Now()
	s, last := d.keptStatistics(ctx, now)
	if last != nil && !req.Terminal {
		s.Rollup = *last
	} else if err := d.countNow(ctx, req, now, &s); err != nil {
		return Answer{}, err
	}
	s.Series = s.Series.With(s.Rollup)
	return Answer{Blocks: figures.Blocks(s, now), JSON: figures.JSON(s, now), Shareable: true}, nil
}

// keptStatistics returns the data that is kept, and what the last sweep counted, nil =
// nothing that is known.
func (d Deps) keptStatistics(ctx context.Context, now time.Time) (figures.Statistics, *stats.Rollup) {
	stored, err := d.Statistics.Figures(ctx, now)
	if err != nil {
		d.Log.WarnContext(ctx, "figures of the sweeps unavailable", "error", err)
	}
	s := figures.Statistics{Series: stored.Series, WatchErr: err != nil}
	if d.Alerts && err == nil {
		state, err := d.Watch.State(ctx)
		if err != nil {
			d.Log.WarnContext(ctx, "state of the watch unavailable", "error", err)
		} else {
			s.Watch = &state
		}
	}
	return s, stored.Rollup
}

// countNow counts all sessions.
func (d Deps) countNow(ctx context.Context, req Request, now time.Time, s *figures.Statistics) error {
	server, err := d.Redis.Server(ctx)
	switch {
	case rdb.Kind(err) != nil:
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
	s.AsOf, s.Count, s.EvidenceErr = now, counted.Count, evidenceErr.Load()
	return nil
}
