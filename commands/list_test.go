package commands_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/commands/alert"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/workspace/blockcheck"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/sweep"
)

func listID(n int) string { return fmt.Sprintf("cs_live_list%04d", n) }

// inTrouble is a session that was paid so many minutes ago, with this status; "" = it
// is an orphan.
func inTrouble(n, minutes int, status, failure string) sweep.Observation {
	at := noon.Add(-time.Duration(minutes) * time.Minute)
	prompt, webhook := "A fox", store.Key{Kind: "webhook"}
	if status != "" {
		webhook = store.Key{Kind: "webhook", Exists: true, Value: store.Value{Status: &status, Error: &failure, Timestamp: at}}
	}
	e := diagnosis.Evidence{
		Session: store.Session{ID: listID(n), Webhook: webhook, Prompt: store.Key{Kind: "prompt", Exists: true, Value: store.Value{Prompt: &prompt, Timestamp: at}}},
		Payment: store.Payment{SessionID: listID(n), State: store.PaymentPaid, Amount: 100, Currency: "usd", ChargedAt: at},
	}
	return sweep.Observation{Evidence: e, Diagnosis: diagnosis.Diagnose(e, noon, diagnosis.Thresholds{})}
}

// listed are the ids in the answer's JSON, without what they begin with.
func listed(t *testing.T, answer commands.Answer) string {
	t.Helper()
	raw, err := json.Marshal(answer.JSON)
	if err != nil {
		t.Fatal(err)
	}
	var report struct{ Sessions []struct{ ID string } }
	if err := json.Unmarshal(raw, &report); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, s := range report.Sessions {
		ids = append(ids, strings.TrimLeft(strings.TrimPrefix(s.ID, "cs_live_list"), "0"))
	}
	return strings.Join(ids, " ")
}

// TestList: whom it shows, in which order, and what it says of the others.
func TestList(t *testing.T) {
	t.Parallel()
	unverified, unpaid, tie, unknown := inTrouble(4, 60, "", ""), inTrouble(6, 500, "", ""), inTrouble(3, 180, "", ""), inTrouble(9, 0, "completed", "")
	unverified.Payment = store.Payment{State: store.PaymentUnverified}
	unpaid.Payment.State = store.PaymentUnpaid
	unknown.Payment = store.Payment{SessionID: listID(9), State: store.PaymentPaid, Amount: 50, Currency: "eur"} // which says no time
	unknown.Session.Prompt.Value.Timestamp, unknown.Session.Webhook.Value.Timestamp = time.Time{}, time.Time{}
	w := &world{observed: []sweep.Observation{
		unverified, unknown, tie, inTrouble(2, 180, "", ""), inTrouble(1, 360, "error", "no balance"), unpaid,
		inTrouble(7, 90, "error", commands.FixText), inTrouble(8, 100, "", ""),
	}}
	w.known = map[string]incident.Known{
		listID(2): {Paid: &store.Paid{EventID: "evt_1"}},
		listID(8): {Dismissed: incident.TroubleKey(inTrouble(8, 100, "", "").Diagnosis)},
	}
	for _, c := range []struct{ text, ids, says string }{
		{"list", "1 2 3 4 9", "5 sessions in trouble, €0.50 + $3.00 known to be paid (by 4 of them), longest waiting 6 h."},
		{"list", "1 2 3 4 9", "left out: 1 marked as error by a repair, 1 resolved or handled"},
		{"list", "1 2 3 4 9", "Payment unverified for 1 of them: they may be unpaid checkouts."},
		{"list", "1 2 3 4 9", "As of 40 s ago (11:59 UTC), complete"},
		{"list orphaned", "2 3 4", "3 orphaned sessions, $2.00 known to be paid (by 2 of them), longest waiting 3 h."},
		{"list ORPHANED --limit 2", "2 3", "1–2 of 3"},
		{"list --since 4h", "2 3 4", "3 sessions paid within 4 h in trouble, $2.00"},
		{"list --since=1d failed", "1", "1 failed session paid within 1 d, $1.00"},
		{"list stalled", "", "No session is stalled."},
		{"list lost --since 30m", "", "No session paid within 30 min is lost."},
	} {
		for _, terminal := range []bool{false, true} {
			answer := registry(w).Parse(commands.Request{Command: "/session", Text: c.text, Terminal: terminal}).Run(t.Context())
			if terminal { // it counts now, and this world's sweep meets nobody
				c.says = strings.Replace(c.says, "40 s ago (11:59 UTC)", "12:00:31 UTC", 1)
			}
			text := blockkit.Text(answer.Blocks)
			if ids := listed(t, answer); answer.Outcome != commands.Done || ids != c.ids || !strings.Contains(text, c.says) {
				t.Errorf("%s, terminal: %v: %s\n%s\nwant %s, saying %s", c.text, terminal, ids, text, c.ids, c.says)
			}
		}
	}
	text := blockkit.Text(registry(w).Parse(commands.Request{Command: "/session", Text: "list"}).Run(t.Context()).Blocks)
	for _, line := range []string{
		"cs_live_list0001 · Failed · $1.00 · waiting 6 h (since 06:00 UTC) · generate",
		"cs_live_list0002 · Orphaned · $1.00 · waiting 3 h (since 09:00 UTC) · replay, generate, mark as error",
		"cs_live_list0004 · Orphaned · payment unverified · waiting 1 h (since 11:00 UTC) · generate, mark as error",
		"cs_live_list0009 · Failed · €0.50 · waiting for an unknown time · generate, mark as error",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("no line %q in\n%s", line, text)
		}
	}
}

// TestListJSON: the schema is public.
func TestListJSON(t *testing.T) {
	t.Parallel()
	unverified := inTrouble(2, 30, "", "")
	unverified.Payment = store.Payment{State: store.PaymentUnverified}
	w := &world{observed: []sweep.Observation{unverified, inTrouble(1, 60, "error", "")}}
	for text, want := range map[string]string{
		"list": `{"as_of":"2026-03-04T12:00:31Z","complete":true,"sessions":[` +
			`{"id":"cs_live_list0001","verdict":"failed","age_seconds":3600,"payment":"paid","amount":100,"currency":"usd","allowed":["generate"]},` +
			`{"id":"cs_live_list0002","verdict":"orphaned","age_seconds":1800,"payment":"unverified","amount":null,"currency":null,"allowed":["fix","generate"]}]}`,
		"list lost": `{"as_of":"2026-03-04T12:00:31Z","complete":true,"sessions":[]}`,
	} {
		raw, err := json.Marshal(registry(w).Parse(commands.Request{Command: "/session", Text: text, Terminal: true}).Run(t.Context()).JSON)
		if diff := cmp.Diff(want, string(raw)); err != nil || diff != "" {
			t.Errorf("%s (-want +got): %v\n%s", text, err, diff)
		}
	}
}

// TestListWrong: what cannot be meant is answered with what can.
func TestListWrong(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"list orphand":           "Did you mean orphaned?",
		"list completed":         "Sessions in trouble are orphaned, stalled, failed, lost, undelivered, corrupt, unclear.",
		"list orphaned stalled":  "Name one verdict, or none",
		"list --since yesterday": "--since takes a time such as 30m, 2h or 7d.",
		"list --since -2h":       "--since takes a time",
		"list --since":           "--since takes a time",
		"list --since 0h":        "--since takes a time",
		"list --limit 0":         "--limit takes a whole number",
		"list --all":             "There is no option --all",
		"list page.nonsense":     "This page of the list is unknown.",
		forgedPage(`{"Verdict":"lost. Send your card number to evil.example"}`): "This page of the list is unknown.",
		forgedPage(`{"Incident":"x"}`):                                          "This page of the list is unknown.",
		forgedPage(`{"LastID":"x","Shown":20}`):                                 "This page of the list is unknown.",
		forgedPage(`{"Limit":-1}`):                                              "This page of the list is unknown.",
		"debug " + id + " --since 2h":                                           "--since cannot be used here",
	} {
		answer := registry(&world{}).Parse(commands.Request{Command: "/session", Text: text}).Run(t.Context())
		if got := blockkit.Text(answer.Blocks); answer.Outcome != commands.Usage || !strings.Contains(got, says) {
			t.Errorf("%s: %s: %s, want %s", text, answer.Outcome, got, says)
		}
	}
}

func forgedPage(place string) string {
	return "list page." + base64.RawURLEncoding.EncodeToString([]byte(place))
}

// next is the button below a page of a list.
func next(t *testing.T, answer commands.Answer) (label, value string) {
	t.Helper()
	if len(answer.Actions) == 0 {
		return "", ""
	}
	button, ok := answer.Actions[0].(*slack.ButtonBlockElement)
	if !ok || len(answer.Actions) > 1 || button.ActionID != alert.ActionList {
		t.Fatalf("buttons %+v", answer.Actions)
	}
	return button.Text.Text, button.Value
}

// TestListPages: each session is shown once, even if the list changes meanwhile.
func TestListPages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text   string
		change func(*world) // between the pages
		want   []int        // on each page
	}{
		"all":                    {"list", func(*world) {}, []int{20, 20, 5}},
		"a page exactly":         {"list --limit 20", func(*world) {}, []int{20}},
		"a limit":                {"list --limit 27 orphaned", func(*world) {}, []int{20, 7}},
		"the first are repaired": {"list", func(w *world) { w.observed = w.observed[5:] }, []int{20, 20, 5}},
		"the last one shown is repaired": {"list", func(w *world) {
			w.observed = slices.DeleteFunc(w.observed, func(o sweep.Observation) bool {
				return o.Session.ID == listID(19) || o.Session.ID == listID(39)
			})
		}, []int{20, 20, 4}},
		"an older one comes": {"list", func(w *world) {
			w.observed = append(w.observed, inTrouble(len(w.observed)+100, 900, "", ""))
		}, []int{20, 20, 5}},
		"all are repaired": {"list", func(w *world) { w.observed = nil }, []int{20, 0}},
	} {
		w := &world{}
		for n := range 45 {
			w.observed = append(w.observed, inTrouble(n, 600-n/2, "", ""))
		}
		seen := map[string]bool{}
		answer := registry(w).Parse(commands.Request{Command: "/session", Text: c.text}).Run(t.Context())
		for page, want := range c.want {
			raw, err := json.Marshal(answer.Blocks)
			if err != nil {
				t.Fatal(err)
			}
			if bad := blockcheck.Check(raw); len(bad) > 0 || len(answer.Blocks) > 40 {
				t.Errorf("%s: %d blocks, %v", name, len(answer.Blocks), bad)
			}
			rows := 0
			for _, block := range answer.Blocks {
				section, ok := block.(*slack.SectionBlock)
				if !ok {
					continue
				}
				rows++
				id := section.Accessory.ButtonElement.Value
				if seen[id] {
					t.Errorf("%s: %s is shown twice", name, id)
				}
				seen[id] = true
			}
			label, value := next(t, answer)
			if rows != want || (page < len(c.want)-1) != strings.HasPrefix(label, "Show the next") {
				t.Fatalf("%s: page %d has %d sessions, want %d, and the button %q", name, page, rows, want, label)
			}
			if page == len(c.want)-1 {
				if (page > 0) != (label == "Back to the first") {
					t.Errorf("%s: the last page has the button %q", name, label)
				}
				break
			}
			c.change(w)
			call := registry(w).Parse(commands.ListRequest(value)) // as it is shared
			if page%2 == 0 {
				call = registry(w).ParseAction(alert.ActionList, value, commands.Request{})
			}
			answer = call.Run(t.Context())
		}
	}
}

// TestListOfAnIncident: those that are still in it, in the state they are in now.
func TestListOfAnIncident(t *testing.T) {
	t.Parallel()
	const incidentID = "K3F7K3F7K3F7K3F7K3F7K3F7K3"
	w := &world{observed: []sweep.Observation{inTrouble(2, 60, "", ""), inTrouble(1, 360, "", "")},
		incident: incident.Incident{ID: incidentID, Kind: incident.Kind(diagnosis.VerdictOrphaned)}}
	show := func(id string) commands.Answer {
		return registry(w).ParseAction(alert.ActionList, id, commands.Request{}).Run(t.Context())
	}
	answer := show(incidentID)
	if text := blockkit.Text(answer.Blocks); listed(t, answer) != "1 2" || !strings.Contains(text, "2 sessions in this alert still in trouble, $2.00, longest waiting 6 h.") {
		t.Errorf("%s", text)
	}
	w.observed = nil
	if text := blockkit.Text(show(incidentID).Blocks); !strings.Contains(text, "No session of this alert is still in trouble.") {
		t.Errorf("of an incident that is over: %s", text)
	}
	if answer := show(strings.Repeat("A", 26)); answer.Outcome != commands.Refused || !strings.Contains(blockkit.Text(answer.Blocks), "This alert is too old") {
		t.Errorf("of an incident that nobody knows: %s", blockkit.Text(answer.Blocks))
	}
}
