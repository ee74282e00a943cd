package watch

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/sweep"
)

// listed returns the sessions of /session list by verdict, as Slack or a terminal
// shows them.
func (h *simulation) listed(terminal bool) map[diagnosis.Verdict][]string {
	h.t.Helper()
	registry := commands.New(commands.Deps{
		NewSweeper: func() commands.Sweeper { return sweep.New(h.product) }, Watch: h.records, Incidents: h.records,
		Sources: diagnosis.Sources{Files: h.cfg.Files, Jobs: h.cfg.Ledger, Proven: h.term.proven, Limits: h.cfg.Limits, Now: h.cfg.Now},
		Reads:   h.cfg.Reads, OtherMode: h.cfg.OtherMode, Limits: h.cfg.Limits, Now: h.cfg.Now,
	})
	answer := registry.Parse(commands.Request{Command: "/session", Text: "list", Terminal: terminal}).Run(h.t.Context())
	h.must(answer.Err)
	raw, err := json.Marshal(answer.JSON)
	h.must(err)
	var report struct {
		AsOf     time.Time `json:"as_of"`
		Complete bool
		Sessions []struct {
			ID      string
			Verdict diagnosis.Verdict
			Age     *int64 `json:"age_seconds"`
		}
	}
	h.must(json.Unmarshal(raw, &report))
	if !report.Complete || h.at.Sub(report.AsOf) > 2*h.cfg.Interval {
		h.t.Errorf("as of %s ago, complete: %v", h.at.Sub(report.AsOf), report.Complete)
	}
	found := map[diagnosis.Verdict][]string{}
	var ages []int64
	for _, s := range report.Sessions {
		found[s.Verdict] = append(found[s.Verdict], s.ID)
		if s.Age != nil {
			ages = append(ages, *s.Age)
		}
	}
	if slices.Reverse(ages); !slices.IsSorted(ages) {
		h.t.Error("not the longest waiting first")
	}
	return found
}

// expectListAgrees compares the list with what was counted, and with the alerts: a
// lost session of which Redis holds nothing is in these alone.
func (h *simulation) expectListAgrees(counted map[diagnosis.Verdict]int) {
	h.t.Helper()
	incidents, err := h.records.OpenIncidents(h.t.Context(), nil)
	h.must(err)
	alerted := map[diagnosis.Verdict][]string{}
	for _, i := range incidents {
		for _, c := range i.Open() {
			alerted[c.Verdict] = append(alerted[c.Verdict], c.ID)
		}
	}
	for _, terminal := range []bool{false, true} {
		list := h.listed(terminal)
		for _, v := range diagnosis.TroubleVerdicts {
			if v != diagnosis.VerdictLost && len(list[v]) != counted[v] {
				h.t.Errorf("terminal: %v: %d sessions are %s, and %d were counted", terminal, len(list[v]), v, counted[v])
			}
			if !slices.Contains(h.cfg.AlertOn, v) {
				delete(list, v)
			}
		}
		for _, all := range []map[diagnosis.Verdict][]string{list, alerted} {
			for v := range maps.Keys(all) {
				slices.Sort(all[v])
			}
		}
		if diff := cmp.Diff(alerted, list); diff != "" {
			h.t.Errorf("terminal: %v: alerted, and listed (-alerted +listed):\n%s", terminal, diff)
		}
	}
}

// TestListFollowsTheSweeps: what a sweep found is shown as it is now, and what only a
// repair knows of is left out.
func TestListFollowsTheSweeps(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.lead()
	for _, id := range []string{"cs_live_a", "cs_live_b", "cs_live_c"} {
		h.orphan(id)
	}
	h.advance(time.Minute)
	h.put("webhook:cs_live_a", `{"status":"error","timestamp":"`+h.at.UTC().Format(time.RFC3339)+`"}`)
	h.put("webhook:cs_live_b", `{"status":"error","error":"`+commands.FixText+`","timestamp":"`+h.at.UTC().Format(time.RFC3339)+`"}`)
	want := map[diagnosis.Verdict][]string{diagnosis.VerdictFailed: {"cs_live_a"}, diagnosis.VerdictOrphaned: {"cs_live_c"}}
	for _, terminal := range []bool{false, true} {
		if diff := cmp.Diff(want, h.listed(terminal)); diff != "" {
			t.Errorf("before the next sweep, terminal: %v (-want +got):\n%s", terminal, diff)
		}
	}
	h.must(h.client.Del(t.Context(), "prompt:cs_live_c").Err()) // of a lost session Redis holds nothing
	h.advance(time.Minute)
	want[diagnosis.VerdictLost] = want[diagnosis.VerdictOrphaned]
	delete(want, diagnosis.VerdictOrphaned)
	for _, terminal := range []bool{false, true} {
		if diff := cmp.Diff(want, h.listed(terminal)); diff != "" {
			t.Errorf("afterwards, terminal: %v (-want +got):\n%s", terminal, diff)
		}
	}
}
