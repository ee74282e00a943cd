package watch

import (
	"fmt"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
)

var now = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// testIncident returns an orphan incident with n sessions, posted and shown so long ago.
func testIncident(n int, posted time.Duration, more ...func(*incident.Incident)) incident.Incident {
	i := incident.Incident{ID: "i", Kind: incident.Kind(diagnosis.VerdictOrphaned), Opened: now.Add(-posted), LastJoinedAt: now.Add(-posted),
		Delivery: incident.Delivery{Revision: 1, Shown: 1, ShownAt: now.Add(-posted), PostedAt: now.Add(-posted),
			SlackMessage: store.Message{Channel: "C1", TS: "1"}, Threshold: thresholdReached(n)}}
	for k := range n {
		i.Cases = append(i.Cases, incident.Case{ID: fmt.Sprint("cs_test_", k), Verdict: diagnosis.VerdictOrphaned, At: now.Add(-time.Hour)})
	}
	for _, change := range more {
		change(&i)
	}
	return i
}

func unposted(i *incident.Incident) {
	i.SlackMessage, i.Shown, i.PostedAt, i.ShownAt, i.Threshold = store.Message{}, 0, time.Time{}, time.Time{}, 0
}
func closed(i *incident.Incident) { i.Closed = now }
func changed(why Reason) func(*incident.Incident) {
	return func(i *incident.Incident) { i.Changed(string(why)) }
}
func of(kind incident.Kind) func(*incident.Incident) {
	return func(i *incident.Incident) { i.Kind = kind }
}
func acknowledged(i *incident.Incident) {
	i.Acknowledged = &incident.Acknowledgement{By: "U1", At: now}
}
func snoozedFor(d time.Duration) func(*incident.Incident) {
	return func(i *incident.Incident) { i.Snoozed = &incident.Acknowledgement{By: "U1", Until: now.Add(d)} }
}
func reminded(times int, ago time.Duration) func(*incident.Incident) {
	return func(i *incident.Incident) { i.Reminders, i.RemindedAt = times, now.Add(-ago) }
}
func withParts(names ...string) func(*incident.Incident) {
	return func(i *incident.Incident) { i.Parts = names }
}
func noThreshold(i *incident.Incident) { i.Threshold = 0 }

var (
	timings = DefaultTimings()
	policy  = Policy{MinInterval: timings.Update}
)

func TestDecide(t *testing.T) {
	t.Parallel()
	const minute = time.Minute
	call := func(r Reason, a Act) Decision { return Decision{Reason: r, Act: a, Mention: OnCall} }
	quiet := func(r Reason, a Act) Decision { return Decision{Reason: r, Act: a} }
	nothing := quiet(Nothing, None)
	for _, c := range []struct {
		name string
		i    incident.Incident
		want Decision
	}{
		{"new", testIncident(1, 0, unposted), call(First, Post)},
		{"new, and many at once", testIncident(1000, 0, unposted), call(First, Post)},
		{"new, but Slack asks for a pause", testIncident(1, 0, unposted, func(i *incident.Incident) { i.NextTry = now.Add(1) }), nothing},
		{"the pause is over", testIncident(1, 0, unposted, func(i *incident.Incident) { i.NextTry = now }), call(First, Post)},
		{"recovered before it was posted", testIncident(1, 0, unposted, closed), quiet(Resolved, Post)},
		{"its message was removed while it is snoozed", testIncident(1, 0, unposted, snoozedFor(time.Hour)), quiet(First, Post)},
		{"its message was deleted after somebody acknowledged", testIncident(1, 0, unposted, acknowledged), quiet(First, Post)},
		{"shown, nothing new", testIncident(1, minute), nothing},
		{"one more", testIncident(2, minute, changed(Joined)), quiet(Joined, Update)},
		{"one more, right after the last", testIncident(2, 2*time.Second, changed(Joined)), nothing},
		{"the fifth", testIncident(5, minute, noThreshold), quiet(Threshold, Reply)},
		{"the fifth: the message first", testIncident(5, minute, noThreshold, changed(Joined)), quiet(Joined, Update)},
		{"the fifth: the message first, even if it has to wait", testIncident(5, time.Second, noThreshold, changed(Joined)), nothing},
		{"the 24th", testIncident(24, minute), nothing},
		{"the fifth, recovered", testIncident(5, minute, noThreshold, closed), nothing},
		{"the fifth, snoozed", testIncident(5, minute, noThreshold, snoozedFor(minute)), nothing},
		{"acknowledged: shown at once", testIncident(1, 0, acknowledged, changed(Acknowledged)), quiet(Acknowledged, Update)},
		{"snoozed: shown at once", testIncident(1, 0, snoozedFor(time.Hour), changed(Snoozed)), quiet(Snoozed, Update)},
		{"one of two recovered", testIncident(2, minute, changed(Resolved)), quiet(Resolved, Update)},
		{"one of two recovered, right after the last", testIncident(2, time.Second, changed(Resolved)), nothing},
		{"all recovered: shown at once", testIncident(2, time.Second, changed(Resolved), closed), quiet(Resolved, Update)},
		{"closed and shown", testIncident(2, 24*time.Hour, closed), nothing},
		{"unacknowledged for 14 min", testIncident(1, 14*minute), nothing},
		{"unacknowledged for 15 min", testIncident(1, 15*minute), call(Reminder, Reply)},
		{"reminded once, 29 min ago", testIncident(1, time.Hour, reminded(1, 29*minute)), nothing},
		{"reminded once, 30 min ago", testIncident(1, time.Hour, reminded(1, 30*minute)), call(Reminder, Reply)},
		{"reminded twice, an hour ago", testIncident(1, 3*time.Hour, reminded(2, time.Hour)), call(Reminder, Reply)},
		{"reminded for days", testIncident(1, 999*time.Hour, reminded(40, 31*time.Hour)), nothing},
		{"acknowledged just now", testIncident(1, 24*time.Hour, acknowledged), nothing},
		{"snoozed, not yet over", testIncident(1, 24*time.Hour, snoozedFor(1)), nothing},
		{"snooze is over", testIncident(1, time.Hour, snoozedFor(0)), call(SnoozeEnded, Reply)},
		{"snooze is over, and all recovered", testIncident(1, time.Hour, snoozedFor(0), closed), nothing},
		{"snooze is over, reminded after it", testIncident(1, 2*time.Hour, snoozedFor(-minute), reminded(1, 30*time.Second)), nothing},
		{"open again", testIncident(1, time.Second, changed(Reopened), func(i *incident.Incident) { i.Reopened = true }), quiet(Reopened, Update)},
		{"open again and shown so", testIncident(1, time.Hour, func(i *incident.Incident) { i.Reopened = true }), call(Reopened, Reply)},
		{"Stripe is unavailable", testIncident(0, 0, unposted, of(incident.PaymentsUnverified)), quiet(Unverifiable, Post)},
		{"Stripe is unavailable for hours", testIncident(0, 9*time.Hour, of(incident.PaymentsUnverified)), nothing},
		{"Stripe is unavailable, more sessions", testIncident(0, minute, of(incident.PaymentsUnverified), changed(Unverifiable)), quiet(Unverifiable, Update)},
		{"Stripe answers again", testIncident(0, minute, of(incident.PaymentsUnverified), changed(Resolved), closed), quiet(Resolved, Update)},
		{"backlog", testIncident(700, 0, unposted, of(incident.Backlog)), quiet(Summary, Post)},
		{"backlog, shown", testIncident(700, 99*time.Hour, of(incident.Backlog)), nothing},
		{"sweeps fail", testIncident(0, 0, unposted, of(incident.Degraded), withParts(incident.PartSweep)), call(Degraded, Post)},
		{"polls of Stripe fail", testIncident(0, 0, unposted, of(incident.Degraded), withParts(incident.PartStripe)), quiet(Degraded, Post)},
		{"the watch recovered before it was posted", testIncident(0, 0, unposted, of(incident.Degraded), closed), quiet(Resolved, Post)},
	} {
		if got := Decide(c.i, now, policy); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// TestDecideDoesNotRepeat follows an incident through all its notifications: each is
// due once, and after the last none is.
func TestDecideDoesNotRepeat(t *testing.T) {
	t.Parallel()
	i := testIncident(30, 0, unposted)
	var order []string
	notify := func(at time.Time) {
		for range 5 {
			d := Decide(i, at, policy)
			if d.Act == None {
				return
			}
			order = append(order, string(d.Reason))
			if d.Act == Post {
				i.SlackMessage.TS = "1"
			}
			markDelivered(&i, d, i.Revision, at)
		}
		t.Fatalf("endless notifications: %v", order)
	}
	notify(now)
	join(&i, []incident.Case{{ID: "late"}}, now)
	notify(now.Add(timings.Update))
	for n := range 100 {
		join(&i, []incident.Case{{ID: fmt.Sprint("more", n)}}, now.Add(time.Minute))
	}
	notify(now.Add(time.Minute))
	notify(now.Add(16 * time.Minute))
	notify(now.Add(17 * time.Minute))
	want := "[first joined joined threshold reminder]"
	if got := fmt.Sprint(order); got != want {
		t.Errorf("notified %s, want %s", got, want)
	}
}

// TestRetryDelay: soon, then once a minute; a few tries an hour if each may add a
// duplicate that cannot be looked up.
func TestRetryDelay(t *testing.T) {
	t.Parallel()
	within := func(d time.Duration, mayDuplicate bool) (tries int) {
		for at := time.Duration(0); at < d; tries++ {
			at += timings.retryDelay(tries, mayDuplicate)
		}
		return tries
	}
	if n := within(time.Hour, false); n < 60 || n > 70 {
		t.Errorf("%d tries an hour", n)
	}
	if n := within(time.Hour, true); n < 5 || n > 10 {
		t.Errorf("%d tries an hour if each may duplicate", n)
	}
	if first := timings.retryDelay(0, true); first != timings.FirstRetryDelay {
		t.Errorf("the first after %s", first)
	}
}

// TestUpdateKeepsPendingReply: whether a reply was delivered is still to be looked up
// after the message was updated.
func TestUpdateKeepsPendingReply(t *testing.T) {
	t.Parallel()
	i := testIncident(5, time.Minute, func(i *incident.Incident) { i.Posting = "threshold X" })
	markDelivered(&i, Decision{Reason: Joined, Act: Update}, 1, now)
	if i.Posting == "" {
		t.Error("the mark of the line is forgotten")
	}
	if markDelivered(&i, Decision{Reason: Threshold, Act: Reply}, 1, now); i.Posting != "" {
		t.Error("the mark is kept for ever")
	}
}

// TestCalls: updating a message mentions no one whom posting it does not.
func TestCalls(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		i    incident.Incident
		want bool
	}{
		{"orphans", testIncident(1, 0), true},
		{"recovered", testIncident(1, 0, closed), false},
		{"Stripe is unavailable", testIncident(0, 0, of(incident.PaymentsUnverified)), false},
		{"backlog", testIncident(7, 0, of(incident.Backlog)), false},
		{"sweeps fail", testIncident(0, 0, of(incident.Degraded), withParts(incident.PartNotifications, incident.PartSweep)), true},
		{"inspections fail", testIncident(0, 0, of(incident.Degraded), withParts(incident.PartInspection)), true},
		{"sweeps failed", testIncident(0, 0, of(incident.Degraded), withParts(incident.PartSweep), closed), false},
		{"polls of Stripe fail", testIncident(0, 0, of(incident.Degraded), withParts(incident.PartEvents, incident.PartStripe)), false},
	} {
		if got := Calls(c.i); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}
