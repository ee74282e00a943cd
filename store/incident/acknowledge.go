package incident

import (
	"context"
	"time"
)

// Acknowledge notes that somebody looks after the incident; false where
// somebody did before, or it is closed. What it returns is without the cases.
func (w *Watch) Acknowledge(ctx context.Context, id, by string, now time.Time) (Incident, bool, error) {
	done := false
	i, err := w.changeOutline(ctx, "", id, false, func(i *Incident) bool {
		if done = i.Acknowledged == nil && i.Closed.IsZero(); done {
			i.Acknowledged = &Acknowledgement{By: by, At: now}
			i.Changed("acknowledged")
		}
		return done
	})
	return i, done, err
}

// SnoozeFor is how long a press on Snooze silences an incident; each further
// press adds as much.
const SnoozeFor = time.Hour

// Snooze silences the incident; false where it is closed. What it returns is
// without the cases.
func (w *Watch) Snooze(ctx context.Context, id, by string, now time.Time) (Incident, bool, error) {
	done := false
	i, err := w.changeOutline(ctx, "", id, false, func(i *Incident) bool {
		if done = i.Closed.IsZero(); done {
			from := now
			if i.Snoozed != nil && i.Snoozed.Until.After(now) {
				from = i.Snoozed.Until
			}
			i.Snoozed = &Acknowledgement{By: by, At: now, Until: from.Add(SnoozeFor)}
			i.Changed("snoozed")
		}
		return done
	})
	return i, done, err
}
