package watch

import (
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/sweep"
)

// observe returns observations of the incident's sessions, all in the same state.
func observe(i store.Incident, change func(*Observation)) map[string]Observation {
	seen := map[string]Observation{}
	for _, c := range i.Cases {
		s := Observation{Case: c, Alerted: true}
		s.Case.Gone, s.Case.Ending = time.Time{}, ""
		change(&s)
		seen[c.ID] = s
	}
	return seen
}

func TestReconcile(t *testing.T) {
	t.Parallel()
	left := func(e store.Ending) func(*Observation) {
		return func(s *Observation) { s.Alerted, s.Ending = false, e }
	}
	gone := func(i *store.Incident) {
		for n := range i.Cases {
			i.Cases[n].Gone, i.Cases[n].Ending = now, store.EndLate
		}
		closed(i)
	}
	for _, c := range []struct {
		name    string
		i       store.Incident
		seen    func(*Observation)
		changed bool
		open    int
		why     Reason
		ending  store.Ending
	}{
		{"as before", incident(2, time.Hour), func(*Observation) {}, false, 2, "", ""},
		{"the event failed by now", incident(2, time.Hour), func(s *Observation) { s.Case.Event = store.EventFailed }, true, 2, Joined, ""},
		{"not known", incident(2, time.Hour), left(""), false, 2, "", ""},
		{"the webhooks came", incident(2, time.Hour), left(store.EndLate), true, 0, Resolved, store.EndLate},
		{"in other trouble", incident(2, time.Hour), func(s *Observation) { s.Case.Verdict, s.Ending = store.VerdictStalled, store.EndLate }, true, 0, Resolved, store.EndLate},
		{"left, and still well", incident(2, time.Hour, gone), left(store.EndLate), false, 0, "", store.EndLate},
		{"left, and back long after", incident(2, Window, gone), func(*Observation) {}, false, 0, "", store.EndLate},
		{"left, and back", incident(2, time.Minute, gone), func(*Observation) {}, true, 2, Reopened, ""},
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
	i := incident(1, time.Hour, acknowledged, closed)
	old := now.Add(-30 * time.Hour)
	rest := join(&i, []store.Case{{ID: "cs_test_0"}, {ID: "new", At: old}, {ID: "new", At: old}}, now)
	if len(rest) != 0 || len(i.Cases) != 2 || !i.Since.Equal(old) || !i.Grown.Equal(now) {
		t.Errorf("%+v, not taken %v", i, rest)
	}
	if !i.Closed.IsZero() || !i.Reopened || i.Acknowledged != nil || i.Change != string(Reopened) {
		t.Errorf("a closed incident is not open again: %+v", i)
	}
	full := incident(store.MaxCases, time.Hour)
	if rest := join(&full, []store.Case{{ID: "new"}}, now); len(rest) != 1 || full.Revision != 1 {
		t.Errorf("a full incident took one more")
	}
}

func TestJoinable(t *testing.T) {
	t.Parallel()
	orphaned := store.IncidentKind(store.VerdictOrphaned)
	for _, c := range []struct {
		name string
		i    store.Incident
		kind store.IncidentKind
		want bool
	}{
		{"just now", incident(1, 0), orphaned, true},
		{"of another kind", incident(1, 0), store.IncidentKind(store.VerdictLost), false},
		{"59 min ago", incident(1, 59*time.Minute), orphaned, true},
		{"an hour ago", incident(1, Window), orphaned, false},
		{"closed a while ago", incident(1, time.Minute, closed), orphaned, true},
		{"full", incident(store.MaxCases, 0), orphaned, false},
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
		i    store.Incident
		want bool
	}{
		{"open", incident(1, 99*time.Hour), false},
		{"closed within the window", incident(1, time.Minute, closed), false},
		{"closed long ago", incident(1, Window, closed), true},
		{"closed long ago, not shown so", incident(1, Window, closed, changed(Resolved)), false},
		{"closed long ago, never posted", incident(1, Window, closed, unposted), false},
		{"history, posted", incident(1, 0, of(store.IncidentHistory)), true},
		{"Stripe answers again", incident(0, 0, closed, of(store.IncidentUnverified)), true},
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
		verdict  store.Verdict
		session  store.Session
		job      store.JobState
		repaired store.Action
		fixed    bool
		want     store.Ending
	}{
		{"a job of ours runs", store.VerdictProcessing, done, store.JobRunning, store.ActionGenerate, false, ""},
		{"not clear", store.VerdictUnclear, done, "", "", false, ""},
		{"not due yet", store.VerdictWaiting, done, "", "", false, ""},
		{"the webhook came", store.VerdictCompleted, done, "", "", false, store.EndLate},
		{"generated by us", store.VerdictCompleted, done, "", store.ActionGenerate, false, store.EndGenerated},
		{"marked by us", store.VerdictFailed, done, "", store.ActionFix, true, store.EndFixed},
		{"shown by us", store.VerdictCompleted, done, "", store.ActionFix, false, store.EndShown},
		{"refunded", store.VerdictRefunded, done, "", "", true, store.EndRefunded},
		{"unpaid after all", store.VerdictUnpaid, done, "", "", false, store.EndUnpaid},
		{"gone", store.VerdictNotFound, store.Session{}, "", "", false, store.EndGone},
		{"gone, though paid", store.VerdictLost, store.Session{}, "", "", false, store.EndGone},
		{"unreadable", store.VerdictCorrupt, done, "", "", false, store.EndOther},
		{"the webhook came, its file is not checked yet", store.VerdictUnchecked, done, "", "", false, store.EndLate},
	} {
		x := sweep.Observation{Evidence: store.Evidence{Session: c.session, Job: c.job}, Diagnosis: store.Diagnosis{Verdict: c.verdict}}
		if got := endingOf(x, store.VerdictOrphaned, c.repaired, c.fixed); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	x := sweep.Observation{Evidence: store.Evidence{Session: done}, Diagnosis: store.Diagnosis{Verdict: store.VerdictUnchecked}}
	if got := endingOf(x, store.VerdictStalled, "", false); got != "" {
		t.Errorf("stalled, and its file is another one: %q before that is checked", got)
	}
}

func TestNextInspection(t *testing.T) {
	t.Parallel()
	limits := store.Thresholds{OrphanGrace: 10 * time.Minute, StallAfter: 30 * time.Minute}
	file := "0f000000-0000-4000-8000-00000000000f"
	withFile := store.Session{Webhook: store.Key{Value: store.Value{FileID: &file, Status: new(string)}}}
	for _, c := range []struct {
		name    string
		d       store.Diagnosis
		session store.Session
		want    time.Duration // 0 = never
	}{
		{"waiting", store.Diagnosis{Verdict: store.VerdictWaiting, PaidAt: now}, store.Session{}, 10 * time.Minute},
		{"processing, no file yet", store.Diagnosis{Verdict: store.VerdictProcessing, Since: now}, store.Session{}, 10 * time.Minute},
		{"processing, which the check of its file ends", store.Diagnosis{Verdict: store.VerdictProcessing, Since: now}, withFile, 0},
		{"since when is not known", store.Diagnosis{Verdict: store.VerdictProcessing}, store.Session{}, 0},
		{"done", store.Diagnosis{Verdict: store.VerdictCompleted, PaidAt: now, Since: now}, store.Session{}, 0},
	} {
		got := nextInspection(sweep.Observation{Evidence: store.Evidence{Session: c.session}, Diagnosis: c.d}, limits)
		if c.want == 0 != got.IsZero() || c.want > 0 && got.Sub(now) != c.want+time.Millisecond {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}
