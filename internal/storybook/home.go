package storybook

import (
	"context"
	"fmt"
	"time"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/repair"
)

// homes are the App Home of U0LEAD, on a quiet day and on a busy one.
func homes() []Story {
	show := func(title string, w world) Story {
		home, err := registryOf(&w).Home(context.Background(), commands.Home{})
		if err != nil {
			panic(err) // this world returns no errors
		}
		return Story{Title: title, Blocks: home.Blocks("U0LEAD", home.Plans, noon), Home: true}
	}
	quiet := world{figures: ordinary()}
	quiet.entries = []audit.Entry{ended(time.Hour, store.ActionReplay, "done"), ended(2*time.Hour, store.ActionGenerate, "failed: balance")}
	return []Story{
		show("nothing to do", quiet),
		show("much to do", busyWorld(1)),
		show("before the first sweep", world{}),
		{Title: "alerts are off", Blocks: commands.Home{}.Blocks("U0LEAD", nil, noon), Home: true},
	}
}

func ended(ago time.Duration, action store.Action, detail string) audit.Entry {
	return audit.Entry{At: noon.Add(-ago), Who: store.Actor{ID: "U0ONCALL"}, Where: "C0ALERTS", Event: audit.Ended, Action: action, Session: sessionID, Plan: "K3F9", Detail: detail}
}

// busyWorld has so many of everything that the App Home shows.
func busyWorld(n int) world {
	w := world{figures: ordinary()}
	c := &w.figures.Rollup.Count
	c.Verdicts[diagnosis.VerdictOrphaned], c.Verdicts[diagnosis.VerdictStalled], c.Verdicts[diagnosis.VerdictCompleted] = 12*n, 2*n, 12_020-14*n // as the incidents say
	pressed := repair.PlanRecord{Plan: planOf(store.ActionGenerate), State: repair.PlanOpen, FirstPressBy: "U0LEAD", FirstPressID: "P4"}
	other := planOf(store.ActionGenerate) // of another session than the plan's
	other.Session = bulkSession(900)
	replays := bulkPlan(store.ActionReplay, 12)
	replays.LeftOut, replays.Rest = nil, 0
	unclear := repair.Job{ID: "K3F9", Plan: other, Approver: store.Actor{ID: "U0ONCALL"}, Outcome: store.OutcomeUnclear, Cause: repair.CauseNoAnswer, Sending: noon.Add(-20 * time.Minute)}
	numbered := func(k int) func(*incident.Incident) {
		return func(i *incident.Incident) { i.ID = fmt.Sprint("inc", k) }
	}
	for k := range n {
		w.incidents = append(w.incidents, newIncident(incident.Kind(diagnosis.VerdictOrphaned), 12, acknowledged, numbered(2*k), each(func(c *incident.Case) { c.Event = store.EventDelivered })),
			newIncident(incident.Kind(diagnosis.VerdictStalled), 2, numbered(2*k+1), renamed))
		w.plans = append(w.plans, pressed, repair.PlanRecord{Plan: replays, State: repair.PlanOpen})
		w.unclear = append(w.unclear, unclear)
	}
	bulk := ended(10*time.Minute, store.ActionReplay, "31 sessions; done; 29 done, 2 failed")
	bulk.Session = ""
	w.entries = []audit.Entry{bulk, ended(20*time.Minute, store.ActionGenerate, "unclear: no_answer"), ended(time.Hour, store.ActionFix, "done")}
	return w
}

// renamed gives the sessions of an incident ids of their own.
func renamed(i *incident.Incident) {
	for k := range i.Cases {
		i.Cases[k].ID = bulkSession(500 + k)
	}
}

func acknowledged(i *incident.Incident) {
	i.Acknowledged = &incident.Acknowledgement{By: "U0ONCALL", At: noon.Add(-5 * time.Minute)}
}
