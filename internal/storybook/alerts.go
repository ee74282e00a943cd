package storybook

import (
	"fmt"
	"time"

	"github.com/superduperai/sessionbot/commands/alert"
	"github.com/superduperai/sessionbot/commands/note"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/rdb"
)

// newIncident is one of n sessions, opened an hour ago, with changes.
func newIncident(kind incident.Kind, n int, change ...func(*incident.Incident)) incident.Incident {
	began := noon.Add(-time.Hour)
	i := incident.Incident{ID: "inc1", Kind: kind, Opened: began, LastJoinedAt: noon, Since: began, Delivery: incident.Delivery{PostedAt: began}}
	for k := range n {
		at := began.Add(time.Duration(k) * time.Minute)
		i.Cases = append(i.Cases, incident.Case{
			ID: fmt.Sprintf("cs_live_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y%05d", k), Verdict: diagnosis.Verdict(kind),
			At: at, Payment: store.PaymentPaid, Amount: 100, Currency: "usd", Live: true,
			Event: store.EventFailed, EventID: fmt.Sprint("evt_", k+1), EventAt: at, IntentID: fmt.Sprint("pi_", k+1), Allowed: []store.Action{store.ActionFix, store.ActionGenerate, store.ActionReplay},
		})
	}
	for _, c := range change {
		c(&i)
	}
	return i
}

func each(change func(*incident.Case)) func(*incident.Incident) {
	return func(i *incident.Incident) {
		for k := range i.Cases {
			change(&i.Cases[k])
		}
	}
}

func leaving(endings ...incident.Ending) func(*incident.Incident) {
	return func(i *incident.Incident) {
		for k, ending := range endings {
			i.Cases[k].Gone, i.Cases[k].Ending = noon, ending
		}
	}
}

func closed(i *incident.Incident) { i.Closed = noon }

func summed(i *incident.Incident) {
	i.Sessions, i.Sums = len(i.Cases), map[diagnosis.Verdict]incident.Sum{diagnosis.VerdictOrphaned: incident.SumOf(i.Cases)}
}

// alerts are incidents in every state, and the replies in their threads.
func alerts() []Story {
	const orphaned = incident.Kind(diagnosis.VerdictOrphaned)
	all := []Story{
		shown("one orphan", newIncident(orphaned, 1), "Reason first"),
		shown("many", newIncident(orphaned, 37), "Reason joined"),
		shown("payment unverified", newIncident(orphaned, 2, each(func(c *incident.Case) {
			c.Payment, c.Amount, c.Event, c.EventID = store.PaymentUnverified, 0, "", ""
		}))),
		shown("repairs under way", newIncident(orphaned, 12, func(i *incident.Incident) {
			ann, began := store.Actor{ID: "U0LEAD"}, noon.Add(-2*time.Minute)
			i.Cases[0].Repair = &incident.Repair{Job: "j0", Action: store.ActionGenerate, By: ann, Since: began}
			i.Cases[1].Repair = &incident.Repair{Job: "j1", Action: store.ActionReplay, By: store.Actor{ID: "ann", Terminal: true}, Since: began}
			i.Cases[2].Repair = &incident.Repair{Job: "j2", Action: store.ActionFix, By: ann, Since: began}
			i.Cases[3].Repair = &incident.Repair{Job: "j3", Action: store.ActionGenerate, By: ann, Since: began, Unclear: true}
			i.Cases[4].Verdict = diagnosis.VerdictFailed // after a repair
			i.Cases[11].Repair = &incident.Repair{Job: "j11", Action: store.ActionGenerate, By: ann, Since: began}
		})),
		shown("no common cause", newIncident(orphaned, 2, func(i *incident.Incident) { i.Cases[0].Event = store.EventDelivered })),
		shown("one lost prompt restored", newIncident(incident.Kind(diagnosis.VerdictLost), 2, func(i *incident.Incident) {
			i.Cases[0].Event, i.Cases[0].EventID, i.Cases[0].Allowed = "", "", []store.Action{store.ActionRestore}
			i.Cases[1].Verdict = diagnosis.VerdictOrphaned
		})),
		shown("made from a picture", newIncident(orphaned, 1, each(func(c *incident.Case) { c.Allowed = []store.Action{store.ActionFix} }))),
		shown("one handled", newIncident(orphaned, 2, leaving(incident.EndHandled), func(i *incident.Incident) {
			i.Cases[0].HandledBy, i.Cases[0].Note = "U0LEAD", "refunded by phone"
		})),
		shown("some put right", newIncident(orphaned, 3, leaving(incident.EndLate))),
		shown("all put right", newIncident(orphaned, 10, leaving(incident.EndLate, incident.EndReplayed, incident.EndHandled, incident.EndGenerated, incident.EndFixed, incident.EndShown, incident.EndRefunded, incident.EndUnpaid, incident.EndGone, incident.EndOther), closed),
			"Reason resolved", "Ending late", "Ending replayed", "Ending handled", "Ending generated", "Ending fixed", "Ending shown", "Ending refunded", "Ending unpaid", "Ending gone", "Ending other"),
		shown("acknowledged and silenced", newIncident(orphaned, 1, func(i *incident.Incident) {
			i.Acknowledged = &incident.Acknowledgement{By: "U0LEAD", At: noon}
			i.Snoozed = &incident.Acknowledgement{By: "U0ONCALL", At: noon, Until: noon.Add(2 * time.Hour)}
		}), "Reason acknowledged", "Reason snoozed"),
		shown("silenced, with a note", newIncident(orphaned, 2, func(i *incident.Incident) {
			i.Snoozed = &incident.Acknowledgement{By: "U0ONCALL", At: noon, Until: noon.Add(20 * time.Hour), Note: "Stripe <!here> & we wait for their fix"}
		})),
		shown("from before the watch", newIncident(incident.Backlog, 3, each(func(c *incident.Case) {
			c.Verdict, c.At = diagnosis.VerdictOrphaned, c.At.Add(-50*time.Hour)
			c.Event, c.EventAt = store.EventDelivered, c.At
		}), summed), "Reason summary"),
		shown("Stripe silent", incident.Incident{Kind: incident.PaymentsUnverified, Since: noon.Add(-time.Hour), LastJoinedAt: noon, Sessions: 12}, "Reason unverifiable"),
		shown("Stripe back", incident.Incident{Kind: incident.PaymentsUnverified, Since: noon.Add(-time.Hour), Sessions: 12, Closed: noon}),
		shown("the watch is blind", incident.Incident{Kind: incident.Degraded, Since: noon.Add(-time.Hour), LastJoinedAt: noon, Parts: []string{"Stripe", "sweep"}}, "Reason blind"),
		shown("it sees again", incident.Incident{Kind: incident.Degraded, Since: noon.Add(-time.Hour), Closed: noon, Parts: []string{"sweep"}}),
		shown("files cannot be checked", incident.Incident{Kind: incident.FilesUnchecked, Since: noon.Add(-time.Hour), LastJoinedAt: noon, Trouble: store.FileNoAnswer}, "Reason files_unavailable"),
		shown("files can be checked again", incident.Incident{Kind: incident.FilesUnchecked, Since: noon.Add(-time.Hour), Closed: noon}),
		shown("Redis is empty", incident.Incident{Kind: incident.NoSessions, Since: noon, LastJoinedAt: noon}, "Reason redis_empty"),
		shown("nobody watched", incident.Incident{Kind: incident.Degraded, Since: noon.Add(-time.Hour), Closed: noon}),
	}
	for _, verdict := range []diagnosis.Verdict{diagnosis.VerdictStalled, diagnosis.VerdictLost, diagnosis.VerdictFailed, diagnosis.VerdictUndelivered, diagnosis.VerdictCorrupt} {
		all = append(all, shown(string(verdict), newIncident(incident.Kind(verdict), 2, each(func(c *incident.Case) {
			c.Event, c.EventID, c.Shows = "", "", verdict == diagnosis.VerdictUndelivered
			switch verdict {
			case diagnosis.VerdictUndelivered:
				c.Allowed = []store.Action{store.ActionFix}
			case diagnosis.VerdictLost:
				c.Allowed = []store.Action{store.ActionRestore}
			case diagnosis.VerdictCorrupt:
				c.Allowed = nil
			}
		}))))
	}
	for _, event := range []store.EventState{store.EventNone, store.EventPending, store.EventDelivered} {
		all = append(all, shown("an orphan, Stripe's event: "+string(event), newIncident(orphaned, 1, each(func(c *incident.Case) {
			if c.Event = event; event == store.EventNone {
				c.EventID, c.Allowed = "", []store.Action{store.ActionFix, store.ActionGenerate}
			}
		}))))
	}
	for _, reason := range []string{"reminder", "threshold", "reopened", "snooze_ended", "escalated"} {
		a := alert.Reply(newIncident(orphaned, 5, func(i *incident.Incident) {
			i.Snoozed = &incident.Acknowledgement{By: "U0ONCALL", At: noon.Add(-time.Hour), Until: noon, Note: "with the customer"}
		}), reason, options, noon)
		all = append(all, Story{Title: "in the thread: " + reason, Of: []string{"Reason " + reason}, Blocks: a.Blocks})
	}
	owned := newIncident(orphaned, 2, leaving(incident.EndLate), func(i *incident.Incident) {
		i.Acknowledged = &incident.Acknowledgement{By: "U0LEAD", At: noon.Add(-50 * time.Minute)}
	})
	for _, reason := range []string{"unresolved", "escalated"} {
		all = append(all, Story{Title: "in the thread, acknowledged: " + reason, Of: []string{"Reason " + reason}, Blocks: alert.Reply(owned, reason, options, noon).Blocks})
	}
	all = append(all,
		Story{Title: "a test", Blocks: alert.Test(options).Blocks},
		Story{Title: "a test that mentions nobody", Blocks: alert.Test(alert.Options{}).Blocks},
		Story{Title: "Redis is away", Blocks: alert.Outage(noon.Add(-time.Hour), time.Time{}, rdb.ErrNoAnswer, options).Blocks},
		Story{Title: "Redis is back", Blocks: alert.Outage(noon.Add(-time.Hour), noon, nil, alert.Options{}).Blocks})
	return append(all,
		line("pressed too late", alert.ClickReply(incident.Incident{}, noon)),
		Story{Title: "a session is handled", Blocks: alert.HandledReply(sessionID)},
		Story{Title: "a note is asked for", Blocks: note.Blocks(note.ActionPlan, "K3F9")},
		line("handled twice", alert.HandledAlreadyReply(&incident.Handled{By: "U0LEAD", At: noon.Add(-time.Minute)}, incident.Case{}, noon)),
		line("handled when it had left", alert.HandledAlreadyReply(nil, newIncident(orphaned, 1, leaving(incident.EndLate)).Cases[0], noon.Add(time.Minute))),
		line("handled when it is in no alert", alert.HandledAlreadyReply(nil, incident.Case{}, noon)),
		line("pressed when resolved", alert.ClickReply(newIncident(orphaned, 1, closed), noon.Add(5*time.Minute))))
}

// options are what alerts show in production.
var options = alert.Options{Mention: "S0OPS", Runbook: "https://github.com/superduperai/sessionbot/blob/main/docs/operating.md", VideoCents: 2400}

// shown is the story of an alert.
func shown(title string, i incident.Incident, kinds ...string) Story {
	a := alert.New(i, options, noon)
	return Story{Title: title, Of: append(kinds, of("Kind", i.Kind)), Blocks: a.Blocks}
}
