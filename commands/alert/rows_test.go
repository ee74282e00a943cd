package alert

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
)

// menusOf returns the values of the menus' options, each menu's joined.
func menusOf(a Message) []string {
	var menus []string
	for _, block := range a.Blocks {
		row, ok := block.(*slack.SectionBlock)
		if !ok || row.Accessory == nil || row.Accessory.OverflowElement == nil {
			continue
		}
		var values []string
		for _, option := range row.Accessory.OverflowElement.Options {
			command, _, _ := strings.Cut(option.Value, ":")
			values = append(values, command)
		}
		menus = append(menus, strings.Join(values, " "))
	}
	return menus
}

// buttonsOf returns the action_ids of the alert's own buttons, in their order.
func buttonsOf(a Message) []string {
	var ids []string
	for _, block := range a.Blocks {
		switch b := block.(type) {
		case *slack.ActionBlock:
			for _, element := range b.Elements.ElementSet {
				switch e := element.(type) {
				case *slack.ButtonBlockElement:
					ids = append(ids, e.ActionID)
				case *slack.SelectBlockElement:
					ids = append(ids, e.ActionID)
				}
			}
		case *slack.SectionBlock:
			if b.Accessory != nil && b.Accessory.ButtonElement != nil {
				ids = append(ids, b.Accessory.ButtonElement.ActionID)
			}
		}
	}
	return ids
}

// TestMenus: what a session's menu offers.
func TestMenus(t *testing.T) {
	t.Parallel()
	repairing := &incident.Repair{Action: store.ActionGenerate, By: store.Actor{ID: "U1"}, Since: noon}
	all := []store.Action{store.ActionFix, store.ActionGenerate, store.ActionReplay, store.ActionRestore}
	for _, c := range []struct {
		name string
		kind incident.Kind
		c    incident.Case
		want string
	}{
		{"nothing allowed", "lost", incident.Case{}, "debug dismiss"},
		{"all allowed", "orphaned", incident.Case{Allowed: all}, "debug replay generate fix dismiss"},
		{"a finished video comes first", "undelivered", incident.Case{Allowed: []store.Action{store.ActionFix}, Shows: true}, "debug fix dismiss"},
		{"a finished video, and more", "stalled", incident.Case{Allowed: all, Shows: true}, "debug fix replay generate dismiss"},
		{"made from a picture", "orphaned", incident.Case{Allowed: []store.Action{store.ActionFix, store.ActionReplay}}, "debug replay fix dismiss"},
		{"no second repair", "orphaned", incident.Case{Allowed: all, Repair: repairing}, "debug dismiss"},
		{"not followed", incident.Backlog, incident.Case{Allowed: all}, "debug replay generate fix"},
	} {
		c.c.ID = "cs_live_1"
		i := incident.Incident{ID: "inc1", Kind: c.kind, Cases: []incident.Case{c.c}}
		alert := New(i, Options{}, noon)
		checkBlocks(t, alert)
		if got := menusOf(alert); !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestLongestOption: an id is in the options as a whole, or not at all.
func TestLongestOption(t *testing.T) {
	t.Parallel()
	for length, menus := range map[int]int{maxOptionValue - len("generate:"): 1, maxOptionValue - len("generate:") + 1: 0} {
		id := "cs_live_" + strings.Repeat("a", length-len("cs_live_"))
		alert := New(orphans(1, func(i *incident.Incident) { i.Cases[0].ID = id }), Options{}, noon)
		checkBlocks(t, alert)
		if got := menusOf(alert); len(got) != menus {
			t.Errorf("an id of %d characters: %q", length, got)
		}
	}
}

func TestParseMenuValue(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{
		"debug:cs_live_a1": true, "replay:cs_test_a1": true, "generate:cs_live_a1": true, "fix:cs_live_a1": true, "dismiss:cs_live_a1": true,
		"": false, "debug": false, "debug:": false, "settle:cs_live_a1": false, "bulk:cs_live_a1": false, "Debug:cs_live_a1": false,
		"debug cs_live_a1": false, "debug:cs_live_a1 --yes": false, "debug:cs_live_a1\nfix cs_live_b2": false, "debug:<cs_live_a1>": false,
		" debug:cs_live_a1": false, "debug::cs_live_a1": false, "debug:evt_1": false, "fix:cs_live_a1:b": false,
	} {
		command, session, ok := ParseMenuValue(value)
		if ok != want || ok && command+":"+session != value {
			t.Errorf("%q: %q %q %t", value, command, session, ok)
		}
	}
}

// TestAlertButtons: repairing all is offered for several that can be repaired now.
func TestAlertButtons(t *testing.T) {
	t.Parallel()
	repairing := func(n int) func(*incident.Incident) {
		return func(i *incident.Incident) {
			for k := range n {
				i.Cases[k].Repair = &incident.Repair{Action: store.ActionGenerate}
			}
		}
	}
	allowed := func(actions ...store.Action) func(*incident.Incident) {
		return func(i *incident.Incident) {
			for k := range i.Cases {
				i.Cases[k].Allowed = actions
			}
		}
	}
	snooze := func(lasts time.Duration, note string) func(*incident.Incident) {
		return func(i *incident.Incident) {
			i.Snoozed = &incident.Acknowledgement{By: "U1", At: noon, Until: noon.Add(lasts), Note: note}
		}
	}
	acknowledged := func(i *incident.Incident) { i.Acknowledged = &incident.Acknowledgement{By: "U1", At: noon} }
	for _, c := range []struct {
		name string
		i    incident.Incident
		want string
	}{
		{"one", orphans(1), "alert.ack alert.snooze"},
		{"two", orphans(2), "alert.repair alert.ack alert.snooze"},
		{"two, acknowledged", orphans(2, acknowledged), "alert.repair alert.snooze"},
		{"one of two is being repaired", orphans(2, repairing(1)), "alert.ack alert.snooze"},
		{"one of two left", orphans(2, leaving(incident.EndLate, 0, 1)), "alert.ack alert.snooze"},
		{"two that can be replayed", orphans(2, allowed(store.ActionReplay)), "alert.repair alert.ack alert.snooze"},
		{"two that can only be marked as error", orphans(2, allowed(store.ActionFix)), "alert.ack alert.snooze"},
		{"two that are finished", orphans(2, allowed(store.ActionFix), func(i *incident.Incident) {
			i.Cases[0].Verdict, i.Cases[1].Verdict = diagnosis.VerdictUndelivered, diagnosis.VerdictUndelivered
			i.Cases[0].Shows, i.Cases[1].Shows = true, true
		}), "alert.repair alert.ack alert.snooze"},
		{"snoozed", orphans(1, snooze(time.Hour, "")), "alert.ack alert.snooze alert.note"},
		{"snoozed, with a note", orphans(1, snooze(time.Hour, "why")), "alert.ack alert.snooze"},
		{"the snooze is over", orphans(1, snooze(0, "")), "alert.ack alert.snooze"},
		{"more than are shown", orphans(11), "alert.repair alert.ack alert.snooze session.list"},
		{"over", orphans(2, leaving(incident.EndLate, 0, 2), func(i *incident.Incident) { i.Closed = noon }), ""},
	} {
		alert := New(c.i, Options{}, noon)
		checkBlocks(t, alert)
		if got := strings.Join(buttonsOf(alert), " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestAlertOfManyIsShort: those that have waited longest are shown, in at most 40
// blocks, and the text says the same.
func TestAlertOfManyIsShort(t *testing.T) {
	t.Parallel()
	shuffled := func(i *incident.Incident) { slices.Reverse(i.Cases) }
	for _, i := range []incident.Incident{orphans(37, shuffled), orphans(incident.MaxCases, shuffled), orphans(60, leaving(incident.EndLate, 0, 23), shuffled)} {
		alert := New(i, Options{Runbook: "https://example.com/runbook", VideoCents: 2400}, noon)
		checkBlocks(t, alert)
		if n := len(alert.Blocks); n > 40 {
			t.Errorf("%d blocks", n)
		}
		open := i.Open()
		for k, c := range open[:incident.ShownCases] {
			if !strings.Contains(alert.Text, humanize.ShortID(c.ID)) || k > 0 && c.At.Before(open[k-1].At) {
				t.Errorf("the one that has waited longest but %d is not shown:\n%s", k, alert.Text)
			}
		}
		if len(menusOf(alert)) != incident.ShownCases || !strings.Contains(alert.Text, "and "+humanize.Thousands(int64(len(open)-incident.ShownCases))+" more") {
			t.Errorf("the menus are %q, the text\n%s", menusOf(alert), alert.Text)
		}
	}
}

// TestRows: a repair shows who approved it, when, and what it does.
func TestRows(t *testing.T) {
	t.Parallel()
	began := noon.Add(-2 * time.Minute)
	by := func(a store.Action, change ...func(*incident.Repair)) func(*incident.Case) {
		return func(c *incident.Case) {
			c.Repair = &incident.Repair{Action: a, By: store.Actor{ID: "U1"}, Since: began}
			for _, ch := range change {
				ch(c.Repair)
			}
		}
	}
	for _, c := range []struct {
		name   string
		change func(*incident.Case)
		want   string
	}{
		{"generated", by(store.ActionGenerate), "being made, approved by @U1 2 min ago (11:58 UTC)"},
		{"replayed", by(store.ActionReplay), "being made, approved by @U1 2 min ago (11:58 UTC)"},
		{"marked", by(store.ActionFix), "being marked as error, approved by @U1 2 min ago (11:58 UTC)"},
		{"restored", by(store.ActionRestore), "its prompt is being restored, approved by @U1 2 min ago (11:58 UTC)"},
		{"shown", func(c *incident.Case) { by(store.ActionFix)(c); c.Shows = true }, "being shown, approved by @U1 2 min ago (11:58 UTC)"},
		{"in a terminal", by(store.ActionGenerate, func(r *incident.Repair) { r.By = store.Actor{ID: "<!here>", Terminal: true} }), "being made, approved by <!here> (terminal) 2 min ago (11:58 UTC)"},
		{"unclear", by(store.ActionGenerate, func(r *incident.Repair) { r.Unclear = true }), "result of the repair unknown, approved by @U1 2 min ago (11:58 UTC)"},
		{"failed again", func(c *incident.Case) { c.Verdict = diagnosis.VerdictFailed }, "paid 1 h ago (11:00 UTC) · the last repair failed"},
	} {
		i := orphans(1, func(i *incident.Incident) { c.change(&i.Cases[0]) })
		alert := New(i, Options{}, noon)
		checkBlocks(t, alert)
		want := "cs_live_a1B2…0000 · $1.00 (https://dashboard.stripe.com/payments/pi_1) · " + c.want
		if shown := blockkit.Text(alert.Blocks); !strings.Contains(shown+"\n", want+"\n") {
			t.Errorf("%s: not %q in\n%s", c.name, want, shown)
		}
		if strings.Contains(alert.Text, "<!here>") {
			t.Errorf("it mentions people: %s", alert.Text)
		}
	}
}

// TestHandledRow names who handled the session.
func TestHandledRow(t *testing.T) {
	t.Parallel()
	i := orphans(2, leaving(incident.EndHandled, 0, 1), func(i *incident.Incident) { i.Cases[0].HandledBy = "U1" })
	if shown := blockkit.Text(New(i, Options{}, noon).Blocks); !strings.Contains(shown, "cs_live_a1B2…0000 · handled by @U1 12:00 UTC") || !strings.Contains(shown, "1 handled.") {
		t.Error(shown)
	}
}

// TestRunbookSections are headings of docs/operating.md.
func TestRunbookSections(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	var anchors []string
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(string(raw), -1) {
		anchors = append(anchors, strings.ReplaceAll(strings.ToLower(heading[1]), " ", "-"))
	}
	sections := []string{otherVerdictsSection, outageSection}
	for _, section := range runbookSections {
		sections = append(sections, section)
	}
	for _, section := range sections {
		if !slices.Contains(anchors, section) {
			t.Errorf("docs/operating.md has no section %s", section)
		}
	}
	alert := New(orphans(1), Options{Runbook: "https://example.com/runbook"}, noon)
	if !strings.Contains(alert.Text, "https://example.com/runbook#orphaned") {
		t.Error(alert.Text)
	}
}
