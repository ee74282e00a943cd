package main

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
)

// TestAuditExport: the trail in both formats, oldest first, and what is wrong with the
// flags.
func TestAuditExport(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	trail := audit.NewTrail(rdbtest.Open(t, s.env["REDIS_URL"]))
	now := time.Now().UTC().Truncate(time.Millisecond)
	for _, e := range []audit.Entry{
		{At: now.Add(-time.Hour), Event: audit.Ended, Action: store.ActionGenerate, Session: watchID(1), Plan: "late", Detail: "=1+1", Cents: 2400},
		{At: now.Add(-2 * time.Hour), Event: audit.Claimed, Action: store.ActionGenerate, Session: watchID(1), Plan: "early"},
		{At: now.Add(-40 * 24 * time.Hour), Event: audit.Planned, Action: store.ActionFix, Session: watchID(2), Plan: "old\u202e"},
	} {
		testenv.Must(t, trail.Record(t.Context(), e))
	}
	export := func(want int, args ...string) string {
		t.Helper()
		p := run(t, map[string]string{"REDIS_URL": s.env["REDIS_URL"]}, append([]string{"audit", "export"}, args...)...)
		if code := p.exitCode(); code != want {
			t.Errorf("%v ends with %d", args, code)
		}
		return p.log.String()
	}
	rows, err := csv.NewReader(strings.NewReader(export(0, "--since", "30d"))).ReadAll()
	if err != nil || len(rows) != 3 || rows[1][4] != "early" || rows[2][4] != "late" || rows[2][8] != "'=1+1" || rows[2][9] != "2400" {
		t.Errorf("the CSV: %q, %v", rows, err)
	}
	if all := export(0, "--csv"); strings.Count(all, "\n") != 4 {
		t.Errorf("all of it:\n%s", all)
	}
	var report struct {
		AsOf    time.Time     `json:"as_of"`
		Since   *time.Time    `json:"since"`
		Kept    time.Time     `json:"kept_since"`
		Dropped *int64        `json:"dropped"`
		Entries []audit.Entry `json:"entries"`
	}
	out := export(0, "--json")
	testenv.Must(t, json.Unmarshal([]byte(out), &report))
	if len(report.Entries) != 3 || report.Entries[0].Plan != "old\u202e" || report.Since != nil || report.Dropped == nil || *report.Dropped != 0 ||
		report.AsOf.IsZero() || report.Kept.IsZero() || strings.Contains(out, "\u202e") || strings.Count(out, "\n") != 1 {
		t.Errorf("the JSON: %s", out)
	}
	if out := export(0, "--json", "--since", "1s"); !strings.Contains(out, `"entries":[]`) {
		t.Errorf("of the last second: %s", out)
	}
	for _, args := range [][]string{{"--since", "yesterday"}, {"--since", "0s"}, {"--json", "--csv"}, {"x"}, {"--xml"}} {
		if out := export(2, args...); !strings.Contains(out, "See: sessionbot audit export --help") {
			t.Errorf("%v: %s", args, out)
		}
	}
}
