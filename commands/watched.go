package commands

import (
	"time"

	"github.com/superduperai/sessionbot/store"
)

// watchReport is what --json tells of the watch; its names are public. Ages are
// in seconds, null = never.
type watchReport struct {
	SweepAge        *int64 `json:"sweep_age_seconds"`
	StripeAge       *int64 `json:"stripe_age_seconds"`
	NotificationAge *int64 `json:"notification_age_seconds"`
	Unreachable     string `json:"alert_channel_unreachable,omitempty"`
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
	return &watchReport{SweepAge: age(state.Swept, now), StripeAge: age(state.Passed, now),
		NotificationAge: age(state.Notified, now), Unreachable: state.Unreachable}
}

func never(at, now time.Time) string {
	if at.IsZero() {
		return "never"
	}
	return ago(at, now)
}

func age(at, now time.Time) *int64 {
	if at.IsZero() {
		return nil
	}
	seconds := int64(now.Sub(at) / time.Second)
	return &seconds
}
