package audit

import (
	"bytes"
	"encoding/csv"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
)

// TestExportOrder: an entry that was recorded late is ordered by the time of the decision, in
// the export and in the history.
func TestExportOrder(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		trail, now := NewTrail(r), time.Now().UTC().Truncate(time.Millisecond)
		for _, e := range []struct {
			plan string
			ago  time.Duration
		}{{"old", 48 * time.Hour}, {"second", time.Hour}, {"third", time.Hour}, {"first", 2 * time.Hour}} {
			testenv.Must(t, trail.Record(t.Context(), Entry{At: now.Add(-e.ago), Event: Claimed, Session: "cs_live_1", Plan: e.plan}))
		}
		plans := func(entries []Entry) (plans []string) {
			for _, e := range entries {
				plans = append(plans, e.Plan)
			}
			return plans
		}
		for _, c := range []struct {
			since time.Time
			want  []string
		}{
			{time.Time{}, []string{"old", "first", "second", "third"}},
			{now.Add(-3 * time.Hour), []string{"first", "second", "third"}},
			{now.Add(-time.Hour), []string{"second", "third"}},
			{now, nil},
		} {
			got, err := trail.Since(t.Context(), c.since)
			if diff := cmp.Diff(c.want, plans(got)); diff != "" || err != nil {
				t.Errorf("since %s: %v %s", c.since, err, diff)
			}
		}
		got, err := trail.History(t.Context(), "cs_live_1", 3) // the last that were recorded
		if diff := cmp.Diff([]string{"first", "second", "third"}, plans(got)); diff != "" || err != nil {
			t.Errorf("history: %v %s", err, diff)
		}
	})
}

// TestExtent: a real Redis counts the entries that were dropped.
func TestExtent(t *testing.T) {
	t.Parallel()
	d := redistest.NewDatabase(t)
	trail := NewTrail(rdbtest.Open(t, d.URL()))
	if x, err := trail.Extent(t.Context()); err != nil || x.Entries != 0 || !x.Oldest.IsZero() || x.DroppedText() != "" {
		t.Errorf("of nothing: %+v, %v", x, err)
	}
	began := time.Now().Add(-time.Second) // Redis' clock is another one
	for n := range 3 {
		testenv.Must(t, trail.Record(t.Context(), Entry{At: began, Event: Claimed, Plan: string(rune('a' + n))}))
	}
	x, err := trail.Extent(t.Context())
	if err != nil || x.Entries != 3 || x.Dropped == nil || *x.Dropped != 0 || x.Oldest.Before(began) || x.DroppedText() != "" {
		t.Errorf("of three: %+v, %v", x, err)
	}
	testenv.Must(t, d.Client().XTrimMaxLen(t.Context(), auditKey, 1).Err())
	x, err = trail.Extent(t.Context())
	if err != nil || x.Entries != 1 || x.Dropped == nil || *x.Dropped != 2 || !strings.HasPrefix(x.DroppedText(), "2 earlier entries were dropped") {
		t.Errorf("of three, two of them dropped: %+v, %v", x, err)
	}
}

// TestCSV: no external text is taken for a formula by a spreadsheet; and the file says what
// it lacks.
func TestCSV(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 4, 12, 0, 0, 0, time.FixedZone("", 3600))
	details := map[string]string{
		"done": "done", "": "", "a, \"b\"": "a, \"b\"", "=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", " =1": "' =1", "\t=1": "' =1", "\r\n=1": "'  =1",
		"＝1": "'＝1", "two\nlines": "two lines", "\u202eevil\x1b[31m": "evil[31m", "=HYPERLINK(\"http://x\",\"y\")": "'=HYPERLINK(\"http://x\",\"y\")",
	}
	var entries []Entry
	for detail := range details {
		entries = append(entries, Entry{At: at, Who: store.Actor{ID: "=cmd|' /C calc'!A0", Terminal: true}, Where: Terminal, Event: Ended, Action: store.ActionGenerate,
			Session: "cs_live_1", Plan: "-plan", Detail: detail, Cents: 2400, Before: map[string]string{"webhook": "b", "prompt": "a"}})
	}
	dropped := int64(7)
	for _, c := range []struct {
		since time.Time
		extra []string
		x     Extent
	}{
		{x: Extent{Dropped: new(int64)}},
		{x: Extent{Dropped: &dropped, Oldest: at}, extra: []string{"2026-03-04T11:00:00Z", "dropped", "", "", "", "", "", "", "7 earlier entries were dropped, all of them recorded before 2026-03-04T11:00:00Z", "", "", ""}},
		{x: Extent{Dropped: &dropped, Oldest: at}, since: at.Add(time.Hour)}, // nothing of that time is missing
		{x: Extent{Oldest: at}, extra: []string{"2026-03-04T11:00:00Z", "dropped", "", "", "", "", "", "", "earlier entries may have been dropped: this Redis does not count them", "", "", ""}},
	} {
		var out bytes.Buffer
		testenv.Must(t, WriteCSV(&out, entries, c.since, c.x))
		rows, err := csv.NewReader(&out).ReadAll()
		if err != nil || !slices.Equal(rows[0], columns) {
			t.Fatalf("%q, %v", rows, err)
		}
		rows = rows[1:]
		if c.extra != nil {
			if !slices.Equal(rows[0], c.extra) {
				t.Errorf("the first row is %q", rows[0])
			}
			rows = rows[1:]
		}
		if len(rows) != len(entries) {
			t.Fatalf("%d rows of %d entries", len(rows), len(entries))
		}
		for n, row := range rows {
			want := []string{"2026-03-04T11:00:00Z", "outcome", "generate", "cs_live_1", "'-plan", "'=cmd|' /C calc'!A0", "true", "terminal", details[entries[n].Detail], "2400", "prompt=a webhook=b", ""}
			if diff := cmp.Diff(want, row); diff != "" {
				t.Errorf("%q: %s", entries[n].Detail, diff)
			}
		}
	}
}

// TestDecisionIsLogged with the end of the session's id, and without what may quote a
// prompt.
func TestDecisionIsLogged(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		var log bytes.Buffer
		trail := NewTrail(r)
		trail.Log = slog.New(slog.NewTextHandler(&log, nil))
		testenv.Must(t, trail.Record(t.Context(), Entry{Who: store.Actor{ID: "U0LEAD"}, Where: "C0ALERTS", Event: Claimed, Action: store.ActionFix, Session: "cs_live_a1B2c3D4e5F6", Plan: "p1", Detail: "A fox runs"}))
		got := log.String()
		for _, part := range []string{`msg="decision recorded"`, "event=claimed", "action=fix", "session_suffix=c3D4e5F6", "plan=p1", "who=U0LEAD", "where=C0ALERTS"} {
			if !strings.Contains(got, part) {
				t.Errorf("no %s in %s", part, got)
			}
		}
		if strings.Count(got, "\n") != 1 || strings.Contains(got, "fox") || strings.Contains(got, "cs_live") {
			t.Errorf("logged: %s", got)
		}
	})
}
