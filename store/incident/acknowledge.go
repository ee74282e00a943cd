package incident

import (
	"context"
	"time"
)

// Acknowledge records who looks after the incident, and reports whether nobody did
// and it is open. It returns the incident without its cases.
func (s *Incidents) Acknowledge(ctx context.Context, id, by string, now time.Time) (Incident, bool, error) {
	return s.changeWithoutCases(ctx, "", id, false, func(i *Incident) bool {
		if i.Acknowledged != nil || !i.Closed.IsZero() {
			return false
		}
		i.Acknowledged = &Acknowledgement{By: by, At: now}
		i.Changed("acknowledged")
		return true
	})
}

// SnoozeFor is how long Snooze silences an incident. Each further call adds as
// much.
const SnoozeFor = time.Hour

// Snooze silences the incident, and reports whether it is open. It returns the
// incident without its cases.
func (s *Incidents) Snooze(ctx context.Context, id, by string, now time.Time) (Incident, bool, error) {
	return s.changeWithoutCases(ctx, "", id, false, func(i *Incident) bool {
		if !i.Closed.IsZero() {
			return false
		}
		from := now
		if i.Snoozed != nil && i.Snoozed.Until.After(now) {
			from = i.Snoozed.Until
		}
		i.Snoozed = &Acknowledgement{By: by, At: now, Until: from.Add(SnoozeFor)}
		i.Changed("snoozed")
		return true
	})
}
