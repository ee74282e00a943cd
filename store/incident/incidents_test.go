package incident

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
	"github.com/superduperai/sessionbot/store/storetest"
)

func leading(t *testing.T, w *Records, owner string) lease.Lease {
	t.Helper()
	testenv.Must(t, w.Begin(t.Context(), storetest.At))
	l, ok, err := w.Lead(t.Context(), owner)
	if err != nil || !ok {
		t.Fatalf("%s does not get the lead: %v", owner, err)
	}
	return l
}

// TestFormerLeaderOpensNothing: an incident is fenced by the leader's token.
func TestFormerLeaderOpensNothing(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		w := NewRecords(r)
		former := leading(t, w, "one")
		testenv.Must(t, w.Leases.Release(t.Context(), former))
		leading(t, w, "two")
		if _, err := w.OpenIncident(t.Context(), former, Incident{ID: "i", Opened: storetest.At}); !errors.Is(err, lease.ErrLost) {
			t.Errorf("opened by the old leader: %v", err)
		}
	})
}

func TestIncidentIsChangedByOneAtATime(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		w := NewRecords(r)
		l := leading(t, w, "one")
		i, err := w.OpenIncident(t.Context(), l, Incident{ID: "i", Kind: "orphaned", Opened: storetest.At, Cases: []Case{{ID: "cs_1", At: storetest.At}}})
		testenv.Must(t, err)
		if _, err := w.OpenIncident(t.Context(), l, Incident{ID: "i", Opened: storetest.At}); err == nil {
			t.Error("an incident was opened over another")
		}
		var people sync.WaitGroup
		for n := range 4 {
			people.Go(func() {
				if _, _, err := w.Snooze(t.Context(), "i", fmt.Sprint("U", n), storetest.At.Add(time.Hour), storetest.At); err != nil {
					t.Error(err)
				}
			})
		}
		people.Go(func() {
			if _, err := w.ChangeIncident(t.Context(), l, i, func(i *Incident) bool { i.Shown = 7; return true }); err != nil {
				t.Error(err)
			}
		})
		people.Wait()
		got, err := w.OpenIncidents(t.Context(), map[string]Incident{"i": i})
		testenv.Must(t, err)
		if len(got) != 1 || got[0].Shown != 7 || !got[0].Snoozed.Until.Equal(storetest.At.Add(time.Hour)) || got[0].Revision != 4 {
			t.Fatalf("%+v", got)
		}
		if diff := cmp.Diff([]Case{{ID: "cs_1", At: storetest.At}}, got[0].Cases); diff != "" {
			t.Error(diff)
		}
		same := got[0]
		same.Change = "kept by the caller"
		if again, err := w.OpenIncidents(t.Context(), map[string]Incident{"i": same}); err != nil || again[0].Change != same.Change {
			t.Errorf("what had not changed was read again: %+v, %v", again, err)
		}
		for _, want := range []bool{true, false} {
			if _, done, err := w.Acknowledge(t.Context(), "i", "U1", storetest.At); done != want || err != nil {
				t.Errorf("acknowledged: %t, %v; want %t", done, err, want)
			}
		}
		testenv.Must(t, w.RetireIncident(t.Context(), l, "i"))
		if open, err := w.OpenIncidents(t.Context(), nil); len(open) != 0 || err != nil {
			t.Errorf("%+v, %v", open, err)
		}
		if late, err := w.Incident(t.Context(), "i"); err != nil || late.Acknowledged == nil {
			t.Errorf("a retired incident: %+v, %v", late, err)
		}
		if _, _, err := w.Acknowledge(t.Context(), "none", "U1", storetest.At); !errors.Is(err, ErrUnknownIncident) {
			t.Errorf("no such incident: %v", err)
		}
	})
}

// TestLargeIncident: each of its sessions is read as it was stored, and what
// changes is written without the others.
func TestLargeIncident(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		w := NewRecords(r)
		l := leading(t, w, "one")
		i := Incident{ID: "i", Opened: storetest.At}
		for n := range 2*chunkSize + 1 {
			i.Cases = append(i.Cases, Case{ID: fmt.Sprint("cs_", n), At: storetest.At})
		}
		i, err := w.OpenIncident(t.Context(), l, i)
		testenv.Must(t, err)
		testenv.Must(t, client.HSet(t.Context(), incidentKey("i"), "0", `{"id":"nobody writes it again"}`).Err())
		_, err = w.ChangeIncident(t.Context(), l, i, func(i *Incident) bool {
			i.Cases[chunkSize].Ending = EndLate
			i.Cases = append(i.Cases, Case{ID: "last"})
			return true
		})
		testenv.Must(t, err)
		if i.Cases[chunkSize].Ending != "" {
			t.Error("what the caller knows was changed")
		}
		_, _, err = w.Acknowledge(t.Context(), "i", "U1", storetest.At)
		testenv.Must(t, err)
		got, err := w.Incident(t.Context(), "i")
		testenv.Must(t, err)
		if n := len(got.Cases); n != 2*chunkSize+2 || got.Cases[n-1].ID != "last" || got.Acknowledged == nil {
			t.Fatalf("%d cases, acknowledged by %+v", n, got.Acknowledged)
		}
		if got.Cases[0].ID != "nobody writes it again" || got.Cases[chunkSize].Ending != EndLate || got.Cases[1].ID != "cs_1" {
			t.Errorf("%+v", got.Cases[:2])
		}
		// A change based on a stale version applies to the current one.
		got, err = w.ChangeIncident(t.Context(), l, i, func(i *Incident) bool { i.Cases[0].Ending = EndGone; return true })
		if err != nil || got.Acknowledged == nil || got.Cases[chunkSize].Ending != EndLate {
			t.Errorf("%+v, %v", got.Acknowledged, err)
		}
	})
}

// TestForgottenIncident: one that has expired is removed from the open ones.
func TestForgottenIncident(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		w := NewRecords(r)
		l := leading(t, w, "one")
		i, err := w.OpenIncident(t.Context(), l, Incident{ID: "i", Opened: storetest.At})
		testenv.Must(t, err)
		testenv.Must(t, client.Del(t.Context(), incidentKey("i")).Err())
		if _, err := w.ChangeIncident(t.Context(), l, i, func(*Incident) bool { return true }); !errors.Is(err, ErrUnknownIncident) {
			t.Errorf("it is changed: %v", err)
		}
		if open, err := w.OpenIncidents(t.Context(), map[string]Incident{"i": i}); err != nil || len(open) > 0 {
			t.Errorf("%+v, %v", open, err)
		}
	})
}

// TestStoredIncident: the record of an incident is flat, as older versions wrote it.
func TestStoredIncident(t *testing.T) {
	t.Parallel()
	const record = `{"id":"i","kind":"orphaned","opened":"2026-03-04T12:00:00Z","grown":"2026-03-04T12:00:00Z","since":"2026-03-04T11:00:00Z",` +
		`"revision":3,"change":"joined","shown":2,"place":{"Channel":"C1","TS":"1.2"},"posting":"mark","tries":1,"reopened":true,"reminders":4}`
	var i Incident
	testenv.Must(t, json.Unmarshal([]byte(record), &i))
	want := Delivery{Revision: 3, Change: "joined", Shown: 2, SlackMessage: store.Message{Channel: "C1", TS: "1.2"}, Posting: "mark", Tries: 1, Reopened: true, Reminders: 4}
	if diff := cmp.Diff(want, i.Delivery); diff != "" {
		t.Error(diff)
	}
	if raw, err := json.Marshal(i); err != nil || string(raw) != record {
		t.Errorf("stored as %s, %v", raw, err)
	}
}

func TestMatching(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		w := NewRecords(r)
		l := leading(t, w, "one")
		for n, ids := range [][]string{{"cs_live_a1B2xx0001", "cs_live_a1B2yy0002"}, {"cs_live_a1B2xx0001"}, {"cs_live_a1B2zz0001"}} {
			i := Incident{ID: fmt.Sprint("i", n), Kind: "lost", Opened: storetest.At}
			for _, id := range ids {
				i.Cases = append(i.Cases, Case{ID: id, At: storetest.At, Gone: storetest.At})
			}
			_, err := w.OpenIncident(t.Context(), l, i)
			testenv.Must(t, err)
		}
		_, short := store.FindID("cs_live_a1B2…0001")
		got, err := w.Matching(t.Context(), short.(store.ShortID)) //nolint:errorlint,forcetypeassert // FindID does not wrap it
		if diff := cmp.Diff([]string{"cs_live_a1B2xx0001", "cs_live_a1B2zz0001"}, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
	})
}

// TestCaseOf: the incident that a session is in counts, else the newest that it left.
func TestCaseOf(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		w := NewRecords(r)
		lead := leading(t, w, "one")
		open := func(id string, kind Kind, age time.Duration, cases ...Case) {
			_, err := w.OpenIncident(t.Context(), lead, Incident{ID: id, Kind: kind, Opened: storetest.At.Add(-age), Cases: cases})
			testenv.Must(t, err)
		}
		gone := func(id string) Case { return Case{ID: id, Gone: storetest.At, Ending: EndLate} }
		open("old", "orphaned", 3*time.Hour, Case{ID: "a"}, gone("b"))
		open("left", "orphaned", 2*time.Hour, gone("a"), gone("b"))
		open("backlog", Backlog, time.Hour, Case{ID: "a"}, Case{ID: "c"})
		for session, want := range map[string]string{"a": "old", "b": "left", "c": "", "d": ""} {
			i, c, err := w.CaseOf(t.Context(), session)
			if want == "" && !errors.Is(err, ErrUnknownIncident) || want != "" && (err != nil || i.ID != want || c.ID != session) {
				t.Errorf("%s is in %q (%+v), %v; want %q", session, i.ID, c, err, want)
			}
		}
	})
}
