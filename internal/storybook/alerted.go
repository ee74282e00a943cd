package storybook

import (
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/watchstate"
)

// alerted are answers of debug for an orphan, for each state of its alert.
func alerted() []Story {
	show := func(title string, change func(w *world)) Story {
		w := examples()[0].world
		change(&w)
		return ask(&w, title, "/session", "debug "+sessionID)
	}
	in := func(title string, change func(i *incident.Incident)) Story {
		return show(title, func(w *world) {
			i := newIncident(incident.Kind(diagnosis.VerdictOrphaned), 1)
			i.Cases[0].ID, i.Cases[0].Found, i.PostedAt = sessionID, noon.Add(-4*time.Minute), noon.Add(-4*time.Minute)
			i.SlackMessage, i.Permalink = store.Message{Channel: "C0ALERTS", TS: "1.0"}, "https://acme.slack.com/archives/C0ALERTS/p10"
			change(&i)
			w.incidents = []incident.Incident{i}
		})
	}
	by := &incident.Acknowledgement{By: "U0LEAD", At: noon.Add(-time.Hour), Until: noon.Add(time.Hour)}
	return []Story{
		in("alerted", func(*incident.Incident) {}),
		in("in an acknowledged alert", func(i *incident.Incident) { i.Acknowledged = by }),
		in("in a snoozed alert", func(i *incident.Incident) { i.Snoozed = by }),
		in("Slack has not taken the alert", func(i *incident.Incident) { i.LeaveMessage() }),
		show("handled", func(w *world) {
			w.handled = &incident.Handled{By: "U0LEAD", At: noon.Add(-5 * time.Minute), Verdict: diagnosis.VerdictOrphaned}
		}),
		show("from before the watch", func(w *world) {
			w.figures.State = watchstate.State{Epoch: noon.Add(-time.Minute), Swept: noon, BacklogNotified: true}
		}),
		show("nobody watches", func(w *world) { w.figures.State = watchstate.State{Swept: noon.Add(-3 * time.Hour)} }),
	}
}
