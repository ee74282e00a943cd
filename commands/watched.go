package commands

import (
	"context"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// watchReport is what --json tells of the watch; its names are public.
type watchReport struct {
	store.WatchAges
	Unreachable string `json:"alert_channel_unreachable,omitempty"`
}

// watched tells how long ago the watch last saw anything.
func (d Deps) watched(ctx context.Context, req Request, now time.Time) ([][]string, *watchReport) {
	state, err := d.Watch.State(ctx)
	if err != nil {
		d.Log.WarnContext(ctx, "the state of the watch could not be read", "ref", req.Ref, "error", err)
		return [][]string{{"Watch", "unknown: Redis did not say"}}, nil
	}
	rows := [][]string{
		{"Last sweep", never(state.Swept, now)},
		{"Stripe last listed", never(state.Passed, now)},
		{"Redis last notified", never(state.Notified, now)},
	}
	if state.Unreachable != "" {
		rows = append(rows, []string{"Alerts do not arrive", state.Unreachable})
	}
	return rows, &watchReport{WatchAges: state.Ages(now), Unreachable: state.Unreachable}
}

func never(at, now time.Time) string {
	if at.IsZero() {
		return "never"
	}
	return ago(at, now)
}
