package incident

import (
	"context"
	"errors"
	"slices"
	"time"
)

// NoteSnooze adds a note to the snooze of an open incident, and reports whether it did:
// only the person who snoozed it may. It returns the
// incident without its cases.
func (s *Incidents) NoteSnooze(ctx context.Context, id, by, note string, now time.Time) (Incident, bool, error) {
	return s.changeWithoutCases(ctx, "", id, false, func(i *Incident) bool {
		if i.Snoozed == nil || i.Snoozed.By != by || !i.Closed.IsZero() {
			return false
		}
		i.Snoozed.Note = note
		i.Active(now)
		i.Changed("snoozed")
		return true
	})
}

// NoteHandled adds the note of the user who handled a session to its case, in the incident
// that it is in or left. It does nothing where there is none.
func (s *Incidents) NoteHandled(ctx context.Context, session, note string) error {
	for range maxAttempts {
		i, _, err := s.CaseOf(ctx, session)
		if errors.Is(err, ErrUnknownIncident) {
			return nil
		}
		if err != nil {
			return err
		}
		changed := i
		changed.Cases = slices.Clone(i.Cases)
		for n := range changed.Cases {
			if changed.Cases[n].ID == session {
				changed.Cases[n].Note = note
			}
		}
		changed.Changed("noted")
		if err := s.save(ctx, "", &changed, i.Cases, false); !errors.Is(err, errConflict) {
			return err
		}
	}
	return errConflict
}
