package watch

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/commands/alert"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/sweep"
)

// lists is the registry of the commands, with the data of this watch.
func (h *simulation) lists() *commands.Registry {
	return commands.New(commands.Deps{
		NewSweeper: func() commands.Sweeper { return sweep.New(h.product) }, Watch: h.records, Incidents: h.records,
		Sources:    diagnosis.Sources{Files: h.cfg.Files, Jobs: h.cfg.Ledger, Proven: h.term.proven, Limits: h.cfg.Limits, Now: h.cfg.Now},
		SiteLayout: h.cfg.SiteLayout, OtherMode: h.cfg.OtherMode, Limits: h.cfg.Limits, Now: h.cfg.Now,
	})
}

// listed returns the sessions of /session list by verdict, as Slack or a terminal
// shows them.
func (h *simulation) listed(terminal bool) map[diagnosis.Verdict][]string {
	h.t.Helper()
	return h.readList(h.lists().Parse(commands.Request{Command: "/session", Text: "list", Terminal: terminal}))
}

// readList returns the sessions of a list by verdict.
func (h *simulation) readList(call commands.Call) map[diagnosis.Verdict][]string {
	h.t.Helper()
	answer := call.Run(h.t.Context())
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
// repair knows of is left out. A session of the other mode, which Stripe's lists cannot
// name, is not taken for unpaid.
func TestListFollowsTheSweeps(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.cfg.OtherMode = func(session string) bool { return strings.HasPrefix(session, "cs_test_") }
	h.lead()
	h.put("prompt:cs_test_d", `{"prompt":"A fox","timestamp":"`+h.at.Add(-time.Hour).UTC().Format(time.RFC3339)+`"}`)
	for _, id := range []string{"cs_live_a", "cs_live_b", "cs_live_c"} {
		h.orphan(id)
	}
	h.advance(time.Minute)
	h.put("webhook:cs_live_a", `{"status":"error","timestamp":"`+h.at.UTC().Format(time.RFC3339)+`"}`)
	h.put("webhook:cs_live_b", `{"status":"error","error":"`+commands.FixText+`","timestamp":"`+h.at.UTC().Format(time.RFC3339)+`"}`)
	want := map[diagnosis.Verdict][]string{diagnosis.VerdictFailed: {"cs_live_a"}, diagnosis.VerdictOrphaned: {"cs_test_d", "cs_live_c"}}
	for _, terminal := range []bool{false, true} {
		if diff := cmp.Diff(want, h.listed(terminal)); diff != "" {
			t.Errorf("before the next sweep, terminal: %v (-want +got):\n%s", terminal, diff)
		}
	}
	h.must(h.client.Del(t.Context(), "prompt:cs_live_c").Err()) // of a lost session Redis holds nothing
	h.advance(time.Minute)
	want[diagnosis.VerdictLost], want[diagnosis.VerdictOrphaned] = []string{"cs_live_c"}, []string{"cs_test_d"}
	for _, terminal := range []bool{false, true} {
		if diff := cmp.Diff(want, h.listed(terminal)); diff != "" {
			t.Errorf("afterwards, terminal: %v (-want +got):\n%s", terminal, diff)
		}
	}
}

// TestListOfTheBacklog: the summary holds ten sessions, and "Show all" shows all from
// before the watch, and nobody else.
func TestListOfTheBacklog(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	var old []string
	for n := range 12 {
		id := fmt.Sprintf("cs_live_old%02d", n)
		h.pay(id, h.at.Add(-alertableAge-time.Duration(n+1)*time.Hour))
		old = append(old, id)
	}
	h.lead()
	h.advance(2 * time.Minute)
	h.orphan("cs_live_new")
	h.advance(time.Minute)
	const prefix = "sessionbot:{watch}:incident:"
	keys, err := h.client.Keys(t.Context(), prefix+"*").Result() // the summary is shown, and so no longer open
	h.must(err)
	shown := map[incident.Kind][]string{}
	for _, key := range keys {
		i, err := h.records.Outline(t.Context(), strings.TrimPrefix(key, prefix))
		h.must(err)
		list := h.readList(h.lists().ParseAction(alert.ActionList, i.ID, commands.Request{}))
		shown[i.Kind] = slices.Sorted(slices.Values(list[diagnosis.VerdictOrphaned]))
	}
	want := map[incident.Kind][]string{incident.Backlog: old, incident.Kind(diagnosis.VerdictOrphaned): {"cs_live_new"}}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("of the incidents (-want +got):\n%s", diff)
	}
}
