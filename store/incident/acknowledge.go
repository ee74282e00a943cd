package incident

import (
	"context"
	"time"
)

// Acknowledge records who acknowledged the incident, and reports whether it was open and
// not acknowledged yet. It returns the incident without its cases.
func (s *Incidents) Acknowledge(ctx context.Context, id, by string, now time.Time) (Incident, bool, error) {
	return s.changeWithoutCases(ctx, "", id, false, func(i *Incident) bool {
		if i.Acknowledged != nil || !i.Closed.IsZero() {
			return false
		}
		i.Acknowledged, i.OwnerReminders = &Acknowledgement{By: by, At: now}, 0
		i.Active(now)
		i.Changed("acknowledged")
		return true
	})
}

// Snooze silences the incident until a time, which replaces that of an earlier snooze,
// and reports whether it is open. It returns the incident without its cases.
func (s *Incidents) Snooze(ctx context.Context, id, by string, until, now time.Time) (Incident, bool, error) {
	return s.changeWithoutCases(ctx, "", id, false, func(i *Incident) bool {
		if !i.Closed.IsZero() {
			return false
		}
		i.Snoozed = &Acknowledgement{By: by, At: now, Until: until}
		i.Active(now)
		i.Changed("snoozed")
		return true
	})
}
