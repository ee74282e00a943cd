package watch

import (
	"fmt"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
)

func acknowledgedFor(d time.Duration) func(*incident.Incident) {
	return func(i *incident.Incident) {
		i.Acknowledged = &incident.Acknowledgement{By: "U1", At: now.Add(-d)}
	}
}

// remindedTwice: the last reminder so long ago, the one before it half an hour earlier.
func remindedTwice(ago time.Duration) func(*incident.Incident) {
	return func(i *incident.Incident) {
		i.Reminders, i.RemindedAt, i.RemindedBefore = 2, now.Add(-ago), now.Add(-ago-30*time.Minute)
	}
}

func activeFor(d time.Duration) func(*incident.Incident) {
	return func(i *incident.Incident) { i.ActiveAt = now.Add(-d) }
}

// TestDecideReminders: who is reminded of an incident and when, and when it is escalated.
func TestDecideReminders(t *testing.T) {
	t.Parallel()
	const minute = time.Minute
	day := func(change ...func(*incident.Incident)) incident.Incident {
		return testIncident(1, 24*time.Hour, change...)
	}
	owned := func(reminders int, ago time.Duration) func(*incident.Incident) {
		return func(i *incident.Incident) { i.OwnerReminders, i.RemindedAt = reminders, now.Add(-ago) }
	}
	repairing := func(i *incident.Incident) {
		i.Cases[0].Repair = &incident.Repair{Job: "j", Action: store.ActionGenerate, Since: now.Add(-20 * minute)}
		i.Active(i.Cases[0].Repair.Since) // as reconcile records
	}
	nothing := Decision{Reason: Nothing}
	reminder := Decision{Reason: Reminder, Act: Reply, Mention: OnCall}
	unresolved := Decision{Reason: Unresolved, Act: Reply, Mention: Owner}
	escalated := Decision{Reason: Escalated, Act: Reply, Mention: Escalate}
	for _, c := range []struct {
		name string
		i    incident.Incident
		want Decision
	}{
		{"acknowledged for 59 min", day(acknowledgedFor(59 * minute)), nothing},
		{"acknowledged for an hour", day(acknowledgedFor(60 * minute)), unresolved},
		{"acknowledged after three reminders", day(acknowledgedFor(60*minute), reminded(3, 61*minute)), unresolved},
		{"its owner was reminded once, 119 min ago", day(acknowledgedFor(180*minute), owned(1, 119*minute)), nothing},
		{"its owner was reminded once, 120 min ago", day(acknowledgedFor(181*minute), owned(1, 120*minute)), unresolved},
		{"its owner was reminded twice, 4 h ago", day(acknowledgedFor(9*time.Hour), owned(2, 240*minute)), unresolved},
		{"acknowledged, and all recovered", day(acknowledgedFor(60*minute), closed), nothing},
		{"acknowledged and snoozed", day(acknowledgedFor(60*minute), snoozedFor(1)), nothing},
		{"acknowledged, and the snooze is over", day(acknowledgedFor(60*minute), snoozedFor(0)), Decision{Reason: SnoozeEnded, Act: Reply, Mention: Owner}},
		{"acknowledged: Stripe is unavailable", day(acknowledgedFor(60*minute), of(incident.PaymentsUnverified)), nothing},

		{"two reminders, the last 14 min ago", day(remindedTwice(14 * minute)), nothing},
		{"two reminders, the last 15 min ago", day(remindedTwice(15 * minute)), escalated},
		{"one reminder", day(reminded(1, 29*minute)), nothing},
		{"somebody pressed a button after the second", day(remindedTwice(20*minute), activeFor(10*minute)), nothing},
		{"somebody pressed a button after the first", day(remindedTwice(20*minute), activeFor(30*minute)), nothing},
		{"somebody pressed a button before both", day(remindedTwice(20*minute), activeFor(51*minute)), escalated},
		{"somebody started a repair", day(remindedTwice(20*minute), repairing), nothing},
		{"acknowledged before both", day(remindedTwice(20*minute), acknowledgedFor(51*minute)), escalated},
		{"acknowledged between them", day(remindedTwice(20*minute), acknowledgedFor(30*minute)), nothing},
		{"snoozed since", day(remindedTwice(20*minute), snoozedFor(1)), nothing},
		{"all recovered since", day(remindedTwice(20*minute), closed), nothing},
		{"called before", day(remindedTwice(59*minute), func(i *incident.Incident) { i.EscalatedAt = now.Add(-40 * minute) }), nothing},
		{"called before, and a reminder is due", day(remindedTwice(60*minute), func(i *incident.Incident) { i.EscalatedAt = now.Add(-40 * minute) }), reminder},
	} {
		if got := Decide(c.i, now, Policy{MinInterval: timings.Update, Escalates: true}); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	if got := Decide(day(remindedTwice(20*minute)), now, policy); got != nothing {
		t.Errorf("with nobody to call: %+v", got)
	}
}

// TestRemindersInTurn follows an incident without activity: each notification comes once, and
// it is escalated once, acknowledged or not.
func TestRemindersInTurn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		i    incident.Incident
		want string
	}{
		{"unacknowledged", testIncident(1, 0), "[15:reminder 45:reminder 60:escalated 105:reminder 225:reminder 465:reminder]"},
		{"acknowledged", testIncident(1, 0, acknowledged), "[60:unresolved 180:unresolved 195:escalated 420:unresolved]"},
		{"snoozed for an hour", testIncident(1, 0, snoozedFor(time.Hour), activeFor(0)), "[60:snooze_ended 60:snooze_ended 90:reminder 105:escalated 150:reminder 270:reminder]"},
		{"from the version before, reminded three times", testIncident(1, 3*time.Hour, reminded(3, 2*time.Hour)), "[0:reminder 15:escalated 240:reminder]"},
		{"from the version before, reminded and acknowledged", testIncident(1, 3*time.Hour, reminded(3, 2*time.Hour), acknowledged), "[60:unresolved 180:unresolved 195:escalated 420:unresolved]"},
	} {
		var got []string
		for minute := range 8 * 60 {
			at := now.Add(time.Duration(minute) * time.Minute)
			for {
				d := Decide(c.i, at, Policy{MinInterval: timings.Update, Escalates: true})
				if d.Act == None {
					break
				}
				got = append(got, fmt.Sprint(minute, ":", d.Reason))
				c.i.PostingAt = at
				markDelivered(&c.i, d, c.i.Revision, at)
			}
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
}

// TestSnoozedAgainMeanwhile: the line about the end of a snooze does not end another one that
// was chosen while it was being posted.
func TestSnoozedAgainMeanwhile(t *testing.T) {
	t.Parallel()
	i := testIncident(1, time.Hour, snoozedFor(time.Hour))
	if markDelivered(&i, Decision{Reason: SnoozeEnded, Act: Reply}, i.Revision, now); i.Snoozed == nil {
		t.Error("the new snooze is forgotten")
	}
}

// TestReconcileRecordsActivity: repairing a session, or marking it as handled, counts as
// activity on the incident; a session that recovers by itself does not.
func TestReconcileRecordsActivity(t *testing.T) {
	t.Parallel()
	began := now.Add(-5 * time.Minute)
	repair := &incident.Repair{Job: "j", Action: store.ActionGenerate, Since: began}
	for _, c := range []struct {
		name     string
		observed assessment
		want     time.Time
	}{
		{"it is being repaired", assessment{Case: incident.Case{Repair: repair}}, began},
		{"it was repaired at once", assessment{Ending: incident.EndFixed}, now},
		{"it was handled", assessment{Ending: incident.EndHandled}, now},
		{"a repair failed at once", assessment{Case: incident.Case{Verdict: diagnosis.VerdictFailed}}, now},
		{"its webhook came late", assessment{Ending: incident.EndLate}, time.Time{}},
		{"nothing changed", assessment{ToAlert: true, Case: incident.Case{Verdict: diagnosis.VerdictOrphaned}}, time.Time{}},
	} {
		i := testIncident(2, time.Hour)
		if reconcile(&i, map[string]assessment{i.Cases[0].ID: c.observed}, now); !i.ActiveAt.Equal(c.want) {
			t.Errorf("%s: active at %v, want %v", c.name, i.ActiveAt, c.want)
		}
	}
}

// TestReopenedIncidentStartsOver: what was reminded of before an incident closed does not count
// when it opens again.
func TestReopenedIncidentStartsOver(t *testing.T) {
	t.Parallel()
	i := testIncident(1, time.Hour, remindedTwice(20*time.Minute), acknowledged, closed)
	join(&i, []incident.Case{{ID: "late"}}, now)
	if i.Reminders+i.OwnerReminders != 0 || !i.RemindedBefore.IsZero() || i.Acknowledged != nil {
		t.Errorf("%+v", i.Delivery)
	}
}

// TestAnsweredBeforeItIsRecorded: who answers a reminder as soon as Slack shows it answers
// it, although it is recorded a little later.
func TestAnsweredBeforeItIsRecorded(t *testing.T) {
	t.Parallel()
	i := testIncident(1, 24*time.Hour, remindedTwice(2*time.Hour))
	for n := range 2 {
		posted := now.Add(time.Duration(n) * time.Hour)
		i.PostingAt = posted
		if n == 0 {
			i.ActiveAt = posted.Add(time.Second)
		}
		markDelivered(&i, Decision{Act: Reply, Reason: Reminder}, 1, posted.Add(2*time.Second))
	}
	if escalates(i, now.Add(24*time.Hour)) {
		t.Errorf("escalated, although the first of two reminders was answered: %+v", i)
	}
}
