package storybook

import (
	"fmt"
	"time"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/store"
)

// incident is one of n sessions, opened an hour ago, with changes.
func incident(kind store.IncidentKind, n int, change ...func(*store.Incident)) store.Incident {
	began := noon.Add(-time.Hour)
	i := store.Incident{ID: "inc1", Kind: kind, Opened: began, Grown: noon, Since: began, PostedAt: began}
	for k := range n {
		at := began.Add(time.Duration(k) * time.Second)
		i.Cases = append(i.Cases, store.Case{
			ID: fmt.Sprintf("cs_live_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y%05d", k), Verdict: store.Verdict(kind),
			At: at, Payment: store.PaymentPaid, Amount: 100, Currency: "usd", Live: true,
			Event: store.EventFailed, EventID: "evt_1", EventAt: at, Allowed: []store.Action{store.ActionFix, store.ActionGenerate},
		})
	}
	for _, c := range change {
		c(&i)
	}
	return i
}

func each(change func(*store.Case)) func(*store.Incident) {
	return func(i *store.Incident) {
		for k := range i.Cases {
			change(&i.Cases[k])
		}
	}
}

func leaving(endings ...store.Ending) func(*store.Incident) {
	return func(i *store.Incident) {
		for k, ending := range endings {
			i.Cases[k].Gone, i.Cases[k].Ending = noon, ending
		}
	}
}

func closed(i *store.Incident) { i.Closed = noon }

func summed(i *store.Incident) {
	i.Sessions, i.Sums = len(i.Cases), map[store.Verdict]store.Sum{store.VerdictOrphaned: store.SumOf(i.Cases)}
}

// alerts are incidents in every state, and the replies in their threads.
func alerts() []Story {
	const orphaned = store.IncidentKind(store.VerdictOrphaned)
	all := []Story{
		alert("one orphan", incident(orphaned, 1), "Reason first"),
		alert("many", incident(orphaned, 37), "Reason joined"),
		alert("payment unverified", incident(orphaned, 2, each(func(c *store.Case) {
			c.Payment, c.Amount, c.Event, c.EventID = store.PaymentUnverified, 0, "", ""
		}))),
		alert("some put right", incident(orphaned, 3, leaving(store.EndLate))),
		alert("all put right", incident(orphaned, 8, leaving(store.EndLate, store.EndGenerated, store.EndFixed, store.EndShown, store.EndRefunded, store.EndUnpaid, store.EndGone, store.EndOther), closed),
			"Reason resolved", "Ending late", "Ending generated", "Ending fixed", "Ending shown", "Ending refunded", "Ending unpaid", "Ending gone", "Ending other"),
		alert("acknowledged and silenced", incident(orphaned, 1, func(i *store.Incident) {
			i.Acknowledged = &store.Press{By: "U0LEAD", At: noon}
			i.Snoozed = &store.Press{By: "U0ONCALL", At: noon, Until: noon.Add(2 * time.Hour)}
		}), "Reason acknowledged", "Reason snoozed"),
		alert("from before the watch", incident(store.IncidentHistory, 3, each(func(c *store.Case) { c.Verdict = store.VerdictOrphaned }), summed), "Reason summary"),
		alert("Stripe silent", store.Incident{Kind: store.IncidentUnverified, Since: noon.Add(-time.Hour), Grown: noon, Sessions: 12}, "Reason unverifiable"),
		alert("Stripe back", store.Incident{Kind: store.IncidentUnverified, Since: noon.Add(-time.Hour), Sessions: 12, Closed: noon}),
		alert("the watch is blind", store.Incident{Kind: store.IncidentBlind, Since: noon.Add(-time.Hour), Grown: noon, Parts: []string{"Stripe", "sweep"}}, "Reason blind"),
		alert("it sees again", store.Incident{Kind: store.IncidentBlind, Since: noon.Add(-time.Hour), Closed: noon, Parts: []string{"sweep"}}),
		alert("files cannot be checked", store.Incident{Kind: store.IncidentFiles, Since: noon.Add(-time.Hour), Grown: noon, Trouble: store.FileNoAnswer}, "Reason files_unavailable"),
		alert("files can be checked again", store.Incident{Kind: store.IncidentFiles, Since: noon.Add(-time.Hour), Closed: noon}),
		alert("Redis is empty", store.Incident{Kind: store.IncidentEmpty, Since: noon, Grown: noon}, "Reason redis_empty"),
		alert("nobody watched", store.Incident{Kind: store.IncidentBlind, Since: noon.Add(-time.Hour), Closed: noon}),
	}
	for _, verdict := range []store.Verdict{store.VerdictStalled, store.VerdictLost, store.VerdictFailed, store.VerdictUndelivered, store.VerdictCorrupt} {
		all = append(all, alert(string(verdict), incident(store.IncidentKind(verdict), 2, each(func(c *store.Case) { c.Event, c.Shows = "", verdict == store.VerdictUndelivered }))))
	}
	for _, event := range []store.EventState{store.EventNone, store.EventPending, store.EventDelivered} {
		all = append(all, alert("an orphan, Stripe's event: "+string(event), incident(orphaned, 1, each(func(c *store.Case) { c.Event = event }))))
	}
	for _, reason := range []string{"reminder", "threshold", "reopened"} {
		a := commands.AlertReply(incident(orphaned, 5), reason, "S0OPS", noon)
		all = append(all, Story{Title: "in the thread: " + reason, Of: []string{"Reason " + reason}, Blocks: a.Blocks})
	}
	return append(all,
		line("pressed too late", commands.PressedLine(store.Incident{}, noon)),
		line("pressed when resolved", commands.PressedLine(incident(orphaned, 1, closed), noon)))
}

func alert(title string, i store.Incident, kinds ...string) Story {
	a := commands.AlertOf(i, "S0OPS", noon)
	return Story{Title: title, Of: append(kinds, of("IncidentKind", i.Kind)), Blocks: a.Blocks}
}
