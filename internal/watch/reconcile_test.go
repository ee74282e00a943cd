package watch

import (
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/sweep"
)

// observe returns observations of the incident's sessions, all in the same state.
func observe(i incident.Incident, change func(*assessment)) map[string]assessment {
	seen := map[string]assessment{}
	for _, c := range i.Cases {
		s := assessment{Case: c, ToAlert: true}
		s.Case.Gone, s.Case.Ending = time.Time{}, ""
		change(&s)
		seen[c.ID] = s
	}
	return seen
}

func TestReconcile(t *testing.T) {
	t.Parallel()
	left := func(e incident.Ending) func(*assessment) {
		return func(s *assessment) { s.ToAlert, s.Ending = false, e }
	}
	gone := func(i *incident.Incident) {
		for n := range i.Cases {
			i.Cases[n].Gone, i.Cases[n].Ending = now, incident.EndLate
		}
		closed(i)
	}
	repairing := func(i *incident.Incident) {
		for n := range i.Cases {
			i.Cases[n].Repair = &incident.Repair{Job: "j", Action: store.ActionGenerate}
		}
	}
	lost := func(i *incident.Incident) {
		i.Kind = incident.Kind(diagnosis.VerdictLost)
		for n := range i.Cases {
			i.Cases[n].Verdict = diagnosis.VerdictLost
		}
	}
	restored := func(s *assessment) { s.Case.Verdict, s.Ending = diagnosis.VerdictOrphaned, incident.EndOther }
	for _, c := range []struct {
		name    string
		i       incident.Incident
		seen    func(*assessment)
		changed bool
		open    int
		why     Reason
		ending  incident.Ending
	}{
		{"as before", testIncident(2, time.Hour), func(*assessment) {}, false, 2, "", ""},
		{"the event failed by now", testIncident(2, time.Hour), func(s *assessment) { s.Case.Event = store.EventFailed }, true, 2, Joined, ""},
		{"not known", testIncident(2, time.Hour), left(""), false, 2, "", ""},
		{"the webhooks came", testIncident(2, time.Hour), left(incident.EndLate), true, 0, Resolved, incident.EndLate},
		{"in other trouble", testIncident(2, time.Hour), func(s *assessment) { s.Case.Verdict, s.Ending = diagnosis.VerdictStalled, incident.EndLate }, true, 0, Resolved, incident.EndLate},
		{"lost, and restored", testIncident(2, time.Hour, lost), restored, true, 2, Joined, ""},
		{"lost, restored and repaired", testIncident(2, time.Hour, lost), left(incident.EndGenerated), true, 0, Resolved, incident.EndGenerated},
		{"lost, left, and restored after all", testIncident(2, time.Minute, lost, gone), restored, false, 0, "", incident.EndLate},
		{"a prompt is lost", testIncident(2, time.Hour), func(s *assessment) { s.Case.Verdict, s.Ending = diagnosis.VerdictLost, incident.EndOther }, true, 0, Resolved, incident.EndOther},
		{"a repair began", testIncident(2, time.Hour), func(s *assessment) { s.ToAlert, s.Case.Repair = false, &incident.Repair{Job: "j"} }, true, 2, Joined, ""},
		{"a repair goes on", testIncident(2, time.Hour, repairing), func(s *assessment) { s.ToAlert = false }, false, 2, "", ""},
		{"a repair was refused", testIncident(2, time.Hour, repairing), func(s *assessment) { s.Case.Repair = nil }, true, 2, Joined, ""},
		{"a repair failed", testIncident(2, time.Hour, repairing), func(s *assessment) { s.Case.Repair, s.Case.Verdict = nil, diagnosis.VerdictFailed }, true, 2, Joined, ""},
		{"handled", testIncident(2, time.Hour), left(incident.EndHandled), true, 0, Resolved, incident.EndHandled},
		{"left, and still recovered", testIncident(2, time.Hour, gone), left(incident.EndLate), false, 0, "", incident.EndLate},
		{"left, and back long after", testIncident(2, Window, gone), func(*assessment) {}, false, 0, "", incident.EndLate},
		{"left, and back", testIncident(2, time.Minute, gone), func(*assessment) {}, true, 2, Reopened, ""},
	} {
		i := c.i
		i.Change = ""
		if got := reconcile(&i, observe(i, c.seen), now); got != c.changed || len(i.Open()) != c.open || i.Change != string(c.why) {
			t.Errorf("%s: changed %t, %d open, why %q; want %t, %d, %q", c.name, got, len(i.Open()), i.Change, c.changed, c.open, c.why)
		}
		if closed := !i.Closed.IsZero(); closed != (c.open == 0) {
			t.Errorf("%s: closed %t", c.name, closed)
		}
		if i.Cases[0].Ending != c.ending || c.why == Reopened && !i.Reopened {
			t.Errorf("%s: %+v", c.name, i)
		}
	}
}

func TestJoin(t *testing.T) {
	t.Parallel()
	i := testIncident(1, time.Hour, acknowledged, closed)
	old := now.Add(-30 * time.Hour)
	rest := join(&i, []incident.Case{{ID: "cs_test_0"}, {ID: "new", At: old}, {ID: "new", At: old}}, now)
	if len(rest) != 0 || len(i.Cases) != 2 || !i.Since.Equal(old) || !i.LastJoinedAt.Equal(now) {
		t.Errorf("%+v, not taken %v", i, rest)
	}
	if !i.Closed.IsZero() || !i.Reopened || i.Acknowledged != nil || i.Change != string(Reopened) {
		t.Errorf("a closed incident is not open again: %+v", i)
	}
	full := testIncident(incident.MaxCases, time.Hour)
	if rest := join(&full, []incident.Case{{ID: "new"}}, now); len(rest) != 1 || full.Revision != 1 {
		t.Errorf("a full incident took one more")
	}
}

func TestJoinable(t *testing.T) {
	t.Parallel()
	orphaned := incident.Kind(diagnosis.VerdictOrphaned)
	for _, c := range []struct {
		name string
		i    incident.Incident
		kind incident.Kind
		want bool
	}{
		{"just now", testIncident(1, 0), orphaned, true},
		{"of another kind", testIncident(1, 0), incident.Kind(diagnosis.VerdictLost), false},
		{"59 min ago", testIncident(1, 59*time.Minute), orphaned, true},
		{"an hour ago", testIncident(1, Window), orphaned, false},
		{"closed a while ago", testIncident(1, time.Minute, closed), orphaned, true},
		{"full", testIncident(incident.MaxCases, 0), orphaned, false},
	} {
		if got := joinable(c.i, c.kind, now); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}

func TestRetired(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		i    incident.Incident
		want bool
	}{
		{"open", testIncident(1, 99*time.Hour), false},
		{"closed within the window", testIncident(1, time.Minute, closed), false},
		{"closed long ago", testIncident(1, Window, closed), true},
		{"closed long ago, not shown so", testIncident(1, Window, closed, changed(Resolved)), false},
		{"closed long ago, never posted", testIncident(1, Window, closed, unposted), false},
		{"history, posted", testIncident(1, 0, of(incident.Backlog)), true},
		{"Stripe answers again", testIncident(0, 0, closed, of(incident.PaymentsUnverified)), true},
	} {
		if got := retired(c.i, now); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}

func TestEnding(t *testing.T) {
	t.Parallel()
	session := func(status string) store.Session {
		value, full, fault := store.ParseValue([]byte(status))
		return store.Session{Webhook: store.Key{Kind: "webhook", Exists: true, Value: value, Full: full, Fault: fault}}
	}
	done := session(`{"status":"completed","fileId":"0f000000-0000-4000-8000-00000000000f"}`)
	for _, c := range []struct {
		name     string
		verdict  diagnosis.Verdict
		session  store.Session
		job      store.JobState
		repaired store.Action
		fixed    bool
		want     incident.Ending
		failed   bool
	}{
		{"a job of ours runs", diagnosis.VerdictProcessing, done, store.JobRunning, store.ActionGenerate, false, "", false},
		{"not clear", diagnosis.VerdictUnclear, done, "", "", false, "", false},
		{"not due yet", diagnosis.VerdictWaiting, done, "", "", false, "", false},
		{"the webhook came", diagnosis.VerdictCompleted, done, "", "", false, incident.EndLate, false},
		{"generated by us", diagnosis.VerdictCompleted, done, "", store.ActionGenerate, false, incident.EndGenerated, false},
		{"marked by us", diagnosis.VerdictFailed, done, "", store.ActionFix, true, incident.EndFixed, false},
		{"shown by us", diagnosis.VerdictCompleted, done, "", store.ActionFix, false, incident.EndShown, false},
		{"generating it failed", diagnosis.VerdictFailed, done, "", store.ActionGenerate, false, "", true},
		{"replayed by us", diagnosis.VerdictCompleted, done, "", store.ActionReplay, false, incident.EndReplayed, false},
		{"refunded after generating it failed", diagnosis.VerdictRefunded, done, "", store.ActionGenerate, false, incident.EndRefunded, true},
		{"refunded", diagnosis.VerdictRefunded, done, "", "", true, incident.EndRefunded, false},
		{"unpaid after all", diagnosis.VerdictUnpaid, done, "", "", false, incident.EndUnpaid, false},
		{"gone", diagnosis.VerdictNotFound, store.Session{}, "", "", false, incident.EndGone, false},
		{"gone, though paid", diagnosis.VerdictLost, store.Session{}, "", "", false, incident.EndGone, false},
		{"unreadable", diagnosis.VerdictCorrupt, done, "", "", false, incident.EndOther, false},
		{"the webhook came, its file is not checked yet", diagnosis.VerdictUnchecked, done, "", "", false, incident.EndLate, false},
	} {
		x := sweep.Observation{Evidence: diagnosis.Evidence{Session: c.session, Job: c.job}, Diagnosis: diagnosis.Diagnosis{Verdict: c.verdict}}
		left := candidate{Observation: x, open: &incident.Case{Verdict: diagnosis.VerdictOrphaned}, repairFailed: c.failed}
		if got := left.endingOf(c.repaired, c.fixed); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	x := sweep.Observation{Evidence: diagnosis.Evidence{Session: done}, Diagnosis: diagnosis.Diagnosis{Verdict: diagnosis.VerdictUnchecked}}
	stalled := candidate{Observation: x, open: &incident.Case{Verdict: diagnosis.VerdictStalled}}
	if got := stalled.endingOf("", false); got != "" {
		t.Errorf("stalled, and its file is another one: %q before that is checked", got)
	}
}

func TestNextInspection(t *testing.T) {
	t.Parallel()
	limits := diagnosis.Thresholds{OrphanGrace: 10 * time.Minute, StallAfter: 30 * time.Minute}
	file := "0f000000-0000-4000-8000-00000000000f"
	withFile := store.Session{Webhook: store.Key{Value: store.Value{FileID: &file, Status: new(string)}}}
	for _, c := range []struct {
		name    string
		d       diagnosis.Diagnosis
		session store.Session
		want    time.Duration // 0 = never
	}{
		{"waiting", diagnosis.Diagnosis{Verdict: diagnosis.VerdictWaiting, PaidAt: now}, store.Session{}, 10 * time.Minute},
		{"processing, no file yet", diagnosis.Diagnosis{Verdict: diagnosis.VerdictProcessing, Since: now}, store.Session{}, 10 * time.Minute},
		{"processing, which the check of its file ends", diagnosis.Diagnosis{Verdict: diagnosis.VerdictProcessing, Since: now}, withFile, 0},
		{"since when is not known", diagnosis.Diagnosis{Verdict: diagnosis.VerdictProcessing}, store.Session{}, 0},
		{"done", diagnosis.Diagnosis{Verdict: diagnosis.VerdictCompleted, PaidAt: now, Since: now}, store.Session{}, 0},
	} {
		got := nextInspection(sweep.Observation{Evidence: diagnosis.Evidence{Session: c.session}, Diagnosis: c.d}, limits)
		if c.want == 0 != got.IsZero() || c.want > 0 && got.Sub(now) != c.want+time.Millisecond {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

// TestRetain: what was allowed before a repair says what the repair does; one that
// failed opens the case again, with its new verdict.
func TestRetain(t *testing.T) {
	t.Parallel()
	repair := &incident.Repair{Job: "j", Action: store.ActionFix}
	c := incident.Case{ID: "a", Verdict: diagnosis.VerdictOrphaned, At: now, Allowed: []store.Action{store.ActionFix}, Shows: true}
	if !retain(&c, assessment{Case: incident.Case{Verdict: diagnosis.VerdictProcessing, Repair: repair}}) || c.Repair != repair ||
		!c.Shows || len(c.Allowed) != 1 || c.Verdict != diagnosis.VerdictOrphaned {
		t.Errorf("while it is repaired: %+v", c)
	}
	seen := incident.Case{Verdict: diagnosis.VerdictFailed, At: now.Add(time.Hour), Allowed: []store.Action{store.ActionGenerate}}
	if !retain(&c, assessment{Case: seen}) || c.Repair != nil || c.Shows || c.Verdict != diagnosis.VerdictFailed ||
		len(c.Allowed) != 1 || c.Allowed[0] != store.ActionGenerate || !c.At.Equal(now) {
		t.Errorf("once that failed: %+v", c)
	}
	if retain(&c, assessment{Case: seen}) {
		t.Error("seen again it is news")
	}
}

func TestRepairFailed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		action  store.Action
		outcome store.Outcome
		at      time.Time
		want    bool
	}{
		{store.ActionGenerate, store.OutcomeFailed, now.Add(time.Second), true},
		{store.ActionReplay, store.OutcomeGaveUp, now.Add(time.Second), true},
		{store.ActionGenerate, store.OutcomeCancelled, now.Add(time.Second), true},
		{store.ActionGenerate, store.OutcomeFailed, now.Add(-time.Second), false}, // before it joined the incident
		{store.ActionGenerate, store.OutcomeDone, now.Add(time.Second), false},
		{store.ActionGenerate, store.OutcomeRefused, now.Add(time.Second), false}, // nothing was written
		{store.ActionFix, store.OutcomeFailed, now.Add(time.Second), false},
		{"", "", time.Time{}, false},
	} {
		if got := repairFailed(diagnosis.SessionJob{Action: c.action, Outcome: c.outcome, At: c.at}, now); got != c.want {
			t.Errorf("%s %s: %t", c.action, c.outcome, got)
		}
	}
}
