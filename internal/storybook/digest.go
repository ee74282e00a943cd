package storybook

import (
	"context"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/follow"
	"github.com/superduperai/sessionbot/store/incident"
)

// digests are those of the day before noon.
func digests() []Story {
	day := noon.Truncate(24 * time.Hour)
	found := each(func(c *incident.Case) { c.Found = noon.Add(-24 * time.Hour) })
	orphaned := newIncident(incident.Kind(diagnosis.VerdictOrphaned), 12, found,
		leaving(incident.EndLate, incident.EndLate, incident.EndLate, incident.EndGenerated, incident.EndGenerated, incident.EndReplayed, incident.EndFixed, incident.EndHandled, incident.EndRefunded))
	stalled := newIncident(incident.Kind(diagnosis.VerdictStalled), 1, found, leaving(incident.EndLate))
	repaired := func(who string, action store.Action, detail string, cents int) audit.Entry {
		return audit.Entry{At: noon.Add(-23 * time.Hour), Who: store.Actor{ID: who}, Event: audit.Ended, Action: action, Session: sessionID, Plan: who + string(action) + detail, Detail: detail, Cents: cents}
	}
	busy := listed(1)
	busy.figures, busy.incidents = ordinary(), []incident.Incident{orphaned, stalled}
	busy.entries = []audit.Entry{
		repaired("U0LEAD", store.ActionGenerate, "done", 2400), repaired("U0LEAD", store.ActionGenerate, "failed: balance", 0), repaired("U0LEAD", store.ActionReplay, "done", 2400),
		repaired("U0ONCALL", store.ActionFix, "done", 0), {At: noon.Add(-23 * time.Hour), Who: store.Actor{ID: "U0ONCALL"}, Event: audit.Handled, Session: sessionID},
	}
	again := busy.entries[0]
	again.Plan += " again"
	busy.entries = append(busy.entries, again)
	for n := range 7 {
		s := follow.Session{ID: bulkSession(n), Threads: []follow.Thread{answered([]follow.End{follow.Ready, follow.Refunded, follow.Handled}[n%3], store.KindVideo, time.Hour)}}
		s.Threads[0].Answer.Posted = noon.Add(time.Duration(n-30) * time.Hour)
		busy.followed = append(busy.followed, s)
	}
	quiet := world{figures: ordinary()}
	repairedOnly := quiet
	repairedOnly.entries = busy.entries[:1]
	show := func(title string, w *world) Story {
		alert, err := registryOf(w).Digest(context.Background(), day.AddDate(0, 0, -1), day)
		if err != nil {
			panic(err) // this world returns no errors
		}
		return Story{Title: title, Of: []string{"Kind digest", "Reason digest"}, Blocks: alert.Blocks}
	}
	return []Story{show("a busy day", &busy), show("a repair and nothing else", &repairedOnly), show("nothing to report", &quiet)}
}
