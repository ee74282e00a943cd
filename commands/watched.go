package commands

import (
	"time"

	"github.com/superduperai/sessionbot/store"
)

// watchReport is what --json tells of the watch; its names are public.
type watchReport struct {
	store.WatchAges
	Unreachable string `json:"alert_channel_unreachable,omitempty"`
}

// watchRows tell how long ago the watch last saw anything.
func watchRows(s statistics, now time.Time) [][]string {
	switch {
	case s.silent:
		return [][]string{{"Watch", "unknown: Redis did not say"}}
	case s.watch == nil:
		return nil
	}
	rows := [][]string{
		{"Last sweep", never(s.watch.Swept, now)},
		{"Stripe last listed", never(s.watch.Passed, now)},
		{"Redis last notified", never(s.watch.Notified, now)},
	}
	if s.watch.Unreachable != "" {
		rows = append(rows, []string{"Alerts do not arrive", s.watch.Unreachable})
	}
	return rows
}

func watchJSON(state *store.WatchState, now time.Time) *watchReport {
	if state == nil {
		return nil
	}
	return &watchReport{WatchAges: state.Ages(now), Unreachable: state.Unreachable}
}

func never(at, now time.Time) string {
	if at.IsZero() {
		return "never"
	}
	return ago(at, now)
}
