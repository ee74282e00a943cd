package commands

import (
	"context"
	"time"
)

// watchReport is what --json tells of the watch; its names are public. Ages are
// in seconds, null = never.
type watchReport struct {
	SweepAge        *int64 `json:"sweep_age_seconds"`
	StripeAge       *int64 `json:"stripe_age_seconds"`
	NotificationAge *int64 `json:"notification_age_seconds"`
	Unreachable     string `json:"alert_channel_unreachable,omitempty"`
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
	return rows, &watchReport{SweepAge: age(state.Swept, now), StripeAge: age(state.Passed, now),
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
