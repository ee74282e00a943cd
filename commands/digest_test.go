package commands_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/follow"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/stats"
	"github.com/superduperai/sessionbot/store/sweep"
)

// TestDigest: what happened on the day and nothing else, who repaired what at what cost,
// and what is open now.
func TestDigest(t *testing.T) {
	t.Parallel()
	until := noon.Truncate(24 * time.Hour)
	from := until.Add(-24 * time.Hour)
	at := from.Add(time.Hour)
	found := func(at time.Time, ending incident.Ending) incident.Case {
		c := incident.Case{ID: id, At: at, Found: at, Payment: store.PaymentPaid, Amount: 100, Currency: "usd", Ending: ending}
		if ending != "" {
			c.Gone = at.Add(time.Minute)
		}
		return c
	}
	orphaned := func(cases ...incident.Case) incident.Incident {
		return incident.Incident{Kind: incident.Kind(diagnosis.VerdictOrphaned), Cases: cases}
	}
	ended := func(plan string, action store.Action, detail string, cents int) audit.Entry {
		return audit.Entry{At: at, Who: store.Actor{ID: "U0LEA"}, Event: audit.Ended, Action: action, Session: id, Plan: plan, Detail: detail, Cents: cents}
	}
	in := func(e audit.Entry, change func(*audit.Entry)) audit.Entry {
		change(&e)
		return e
	}
	hours := stats.Series{}
	for n := range int64(10 * 24) {
		good := 9
		if n < 24 {
			good = 8
		}
		hours[stats.HourOf(until)-1-n] = stats.Hour{Outcomes: stats.Outcomes{Webhook: stats.Tries{Good: good, Bad: 10 - good}}, Server: &stats.Level{UsedBytes: 1_000_000}}
	}
	answered := func(n, hours int, end follow.End) follow.Session {
		return follow.Session{ID: fmt.Sprintf("cs_live_a1B2c3D4e5F6g7H8%04d", n), Threads: []follow.Thread{{Answer: &follow.Answer{End: end, Posted: noon.Add(-time.Duration(hours) * time.Hour)}}}}
	}
	informed := answered(3, 2, follow.Ready)
	informed.Informed = &follow.Informed{End: follow.Ready}
	for name, c := range map[string]struct {
		w    world
		want []string
		not  []string
	}{
		"nothing": {want: []string{"Digest of Tue 3 Mar: nothing to report."}, not: []string{"\n"}},
		"another day": {w: world{incidents: []incident.Incident{orphaned(found(from.Add(-time.Second), incident.EndLate), found(until, incident.EndLate))},
			entries: []audit.Entry{in(ended("p", store.ActionFix, "done", 0), func(e *audit.Entry) { e.At = until })}},
			want: []string{"nothing to report"}, not: []string{"\n"}},
		"not about sessions": {w: world{incidents: []incident.Incident{{Kind: incident.Backlog, Cases: []incident.Case{found(at, "")}}, {Kind: incident.Digest}}}, want: []string{"nothing to report"}},
		"all ended": {w: world{incidents: []incident.Incident{orphaned(found(at, incident.EndLate), found(from, incident.EndLate), found(at, incident.EndRefunded))}},
			want: []string{"Tue 3 Mar: 3 sessions got into trouble; all are resolved.", "Orphaned  3 ($3.00) · 2 webhooks came late, 1 refunded\n", "No session is in trouble now."}},
		"some are left": {w: world{incidents: []incident.Incident{orphaned(found(at, incident.EndLate), found(at, ""))}},
			want: []string{"2 sessions got into trouble; 1 is still open.", "Orphaned  2 ($2.00) · 1 webhook came late · 1 still open"}},
		"repairs": {w: world{entries: []audit.Entry{
			ended("a", store.ActionGenerate, "unclear: no_answer", 2400), ended("a", store.ActionGenerate, "done", 2400), // settled
			ended("b", store.ActionGenerate, "failed: balance", 0), ended("c", store.ActionReplay, "done", 2400),
			in(ended("bulk", store.ActionGenerate, "2 sessions; done; done 2", 0), func(e *audit.Entry) { e.Session = "" }),
			in(ended("d", store.ActionFix, "done", 0), func(e *audit.Entry) { e.Who = store.Actor{ID: "ann, uid 1000", Terminal: true} }),
			in(ended("", "", "it was orphaned", 0), func(e *audit.Entry) { e.Event, e.Who = audit.Handled, store.Actor{ID: "U0LEA"} }),
			in(ended("e", store.ActionFix, "", 0), func(e *audit.Entry) { e.Event = audit.Planned }),
		}}, want: []string{"no session got into trouble.", "Repaired by  @U0LEA: 1 generated, 1 generation failed, 1 handled elsewhere, 1 replayed · about $48\n", "Repaired by  ann, uid 1000 (terminal): 1 fixed\n"}},
		"metrics": {w: world{series: hours, incidents: []incident.Incident{orphaned(found(at, incident.EndLate))}},
			want: []string{"Webhook success  80.0% of 240 ▼ 10.0 · the week before 90.0%", "Redis memory  1.0 MB = · the week before 1.0 MB"}, not: []string{"Lookup success", "Video success"}},
		"open": {w: world{observed: []sweep.Observation{inTrouble(1, 60, "", ""), inTrouble(2, 60, "", ""), inTrouble(3, 60, "", ""), inTrouble(4, 60, "", ""), inTrouble(5, 60, "", ""), inTrouble(6, 60, "", ""), inTrouble(7, 60, "", "")}},
			want: []string{"no session got into trouble.", "7 sessions in trouble now", "and 2 more"}},
		"not informed": {w: world{followed: []follow.Session{answered(1, 2, follow.Ready), answered(2, 1, follow.Refunded), informed, {ID: "cs_live_waits", Threads: []follow.Thread{{}}}}},
			want: []string{"no session got into trouble.", "2 customers not informed yet", "No session is in trouble now."}, not: []string{"nothing to report", "…0003", "waits"}},
		"not informed, many": {w: world{followed: []follow.Session{answered(1, 2, follow.Ready), answered(2, 2, follow.Ready), answered(3, 2, follow.Ready), answered(4, 2, follow.Ready), answered(5, 2, follow.Ready), answered(6, 9, follow.Handled)}},
			want: []string{"6 customers not informed yet", "handled elsewhere", "and 1 more"}},
		"all are informed": {w: world{followed: []follow.Session{informed}}, want: []string{"nothing to report"}},
	} {
		alert, err := registry(&c.w).Digest(t.Context(), from, until)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		text := blockkit.Text(alert.Blocks)
		for _, part := range c.want {
			if !strings.Contains(text, part) {
				t.Errorf("%s: no %q in\n%s", name, part, text)
			}
		}
		for _, part := range c.not {
			if strings.Contains(strings.TrimSpace(text), part) {
				t.Errorf("%s: %q in\n%s", name, part, text)
			}
		}
		if alert.Text == "" {
			t.Errorf("%s: no text for notifications", name)
		}
	}
}
