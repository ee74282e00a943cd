package incident

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
	"github.com/superduperai/sessionbot/store/storetest"
)

// TestPressed: a press counts for the incident that the message shows, while it is open.
func TestPressed(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		w := NewRecords(r)
		lead := leading(t, w, "one")
		message := func(ts string) store.Message { return store.Message{Channel: "C1", TS: ts} }
		for ts, i := range map[string]Incident{
			"1": {ID: "open"}, "2": {ID: "closed", Closed: storetest.At}, "3": {ID: "backlog", Kind: Backlog}, "4": {ID: "retired"},
		} {
			i.Opened, i.SlackMessage = storetest.At, message(ts)
			_, err := w.OpenIncident(t.Context(), lead, i)
			testenv.Must(t, err)
		}
		testenv.Must(t, w.RetireIncident(t.Context(), lead, "retired"))
		pressed := storetest.At.Add(time.Minute)
		for _, ts := range []string{"1", "2", "3", "4", "5", ""} {
			testenv.Must(t, w.Pressed(t.Context(), message(ts), pressed))
		}
		testenv.Must(t, w.Pressed(t.Context(), store.Message{Channel: "C2", TS: "1"}, pressed.Add(time.Hour)))
		testenv.Must(t, w.Pressed(t.Context(), message("1"), storetest.At)) // a press that took longer
		for id, want := range map[string]time.Time{"open": pressed, "closed": {}, "backlog": {}, "retired": {}} {
			i, err := w.Outline(t.Context(), id)
			testenv.Must(t, err)
			if !i.ActiveAt.Equal(want) || i.Revision != 0 {
				t.Errorf("%s: active at %v, revision %d", id, i.ActiveAt, i.Revision)
			}
		}
		open, err := w.OpenIncidents(t.Context(), nil)
		testenv.Must(t, err)
		if slices.ContainsFunc(open, func(i Incident) bool { return i.ID == "retired" }) {
			t.Error("a press brought a retired incident back")
		}
	})
}

// TestClicksRaceWithTheResolution: whichever comes first, the incident stays closed.
func TestClicksRaceWithTheResolution(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		w := NewRecords(r)
		lead := leading(t, w, "one")
		m := store.Message{Channel: "C1", TS: "1"}
		i, err := w.OpenIncident(t.Context(), lead, Incident{ID: "i", Opened: storetest.At, Cases: []Case{{ID: "cs_1"}}, Delivery: Delivery{SlackMessage: m}})
		testenv.Must(t, err)
		until := storetest.At.Add(time.Hour)
		clicks := []func(context.Context) error{
			func(ctx context.Context) error {
				_, _, err := w.Acknowledge(ctx, "i", "U1", storetest.At)
				return err
			},
			func(ctx context.Context) error {
				_, _, err := w.Snooze(ctx, "i", "U2", until, storetest.At)
				return err
			},
			func(ctx context.Context) error {
				_, _, err := w.NoteSnooze(ctx, "i", "U2", "why", storetest.At)
				return err
			},
			func(ctx context.Context) error { return w.Pressed(ctx, m, storetest.At) },
		}
		var people sync.WaitGroup
		for _, click := range clicks {
			people.Go(func() {
				if err := click(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		people.Go(func() {
			_, err := w.ChangeIncident(t.Context(), lead, i, func(i *Incident) bool {
				i.Closed, i.Cases[0].Gone, i.Cases[0].Ending = storetest.At, storetest.At, EndLate
				return true
			})
			if err != nil {
				t.Error(err)
			}
		})
		people.Wait()
		for _, click := range clicks { // too late
			testenv.Must(t, click(t.Context()))
		}
		got, err := w.Incident(t.Context(), "i")
		testenv.Must(t, err)
		if got.Closed.IsZero() || got.Cases[0].Ending != EndLate {
			t.Errorf("it is open again: %+v", got)
		}
		before := got.Revision
		testenv.Must(t, w.RetireIncident(t.Context(), lead, "i"))
		for _, click := range clicks {
			testenv.Must(t, click(t.Context()))
		}
		if open, err := w.OpenIncidents(t.Context(), nil); err != nil || len(open) > 0 {
			t.Errorf("a click brought it back: %+v, %v", open, err)
		}
		if late, err := w.Outline(t.Context(), "i"); err != nil || late.Revision != before {
			t.Errorf("a late click changed it: %+v, %v", late, err)
		}
	})
}

// TestClosedIncidentTakesNoClick: a click after the resolution is not recorded.
func TestClosedIncidentTakesNoClick(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		w := NewRecords(r)
		_, err := w.OpenIncident(t.Context(), leading(t, w, "one"), Incident{ID: "i", Opened: storetest.At, Closed: storetest.At})
		testenv.Must(t, err)
		if i, done, err := w.Acknowledge(t.Context(), "i", "U1", storetest.At); done || err != nil || i.Acknowledged != nil {
			t.Errorf("acknowledged: %t, %v, %+v", done, err, i)
		}
		if i, done, err := w.Snooze(t.Context(), "i", "U1", storetest.At.Add(time.Hour), storetest.At); done || err != nil || i.Snoozed != nil {
			t.Errorf("snoozed: %t, %v, %+v", done, err, i)
		}
	})
}

// TestNotes: a snooze takes a note by the person who snoozed, and the next snooze clears it;
// a case takes the note of the person who handled its session.
func TestNotes(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		w := NewRecords(r)
		lead := leading(t, w, "one")
		_, err := w.OpenIncident(t.Context(), lead, Incident{ID: "i", Kind: "orphaned", Opened: storetest.At, Cases: []Case{{ID: "cs_1"}, {ID: "cs_2", Gone: storetest.At, Ending: EndHandled, HandledBy: "U1"}}})
		testenv.Must(t, err)
		snooze := func() {
			_, _, err := w.Snooze(t.Context(), "i", "U1", storetest.At.Add(time.Hour), storetest.At)
			testenv.Must(t, err)
		}
		noted := func(by string) bool {
			_, done, err := w.NoteSnooze(t.Context(), "i", by, "Stripe is down", storetest.At)
			testenv.Must(t, err)
			return done
		}
		if noted("U1") {
			t.Error("a note on no snooze")
		}
		if snooze(); noted("U2") || !noted("U1") {
			t.Error("the note is not by the person who snoozed")
		}
		testenv.Must(t, w.NoteHandled(t.Context(), "cs_2", "refunded"))
		testenv.Must(t, w.NoteHandled(t.Context(), "cs_3", "in no alert"))
		got, err := w.Incident(t.Context(), "i")
		testenv.Must(t, err)
		if got.Snoozed.Note != "Stripe is down" || got.Cases[1].Note != "refunded" || got.Cases[0].Note != "" {
			t.Errorf("%+v", got)
		}
		if snooze(); true {
			if got, err := w.Outline(t.Context(), "i"); err != nil || got.Snoozed.Note != "" {
				t.Errorf("the note of an earlier snooze: %+v, %v", got.Snoozed, err)
			}
		}
		if _, _, err := w.NoteSnooze(t.Context(), "none", "U1", "", storetest.At); !errors.Is(err, ErrUnknownIncident) {
			t.Errorf("no such incident: %v", err)
		}
	})
}
