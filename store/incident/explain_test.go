package incident

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/storetest"
	"github.com/superduperai/sessionbot/store/watchstate"
)

// TestExplain: for each session it says whether people were alerted, or why not.
func TestExplain(t *testing.T) {
	t.Parallel()
	now := storetest.At
	limits := diagnosis.Thresholds{OrphanGrace: 10 * time.Minute, StallAfter: 30 * time.Minute}
	rules := Rules{AlertOn: []diagnosis.Verdict{diagnosis.VerdictOrphaned, diagnosis.VerdictFailed}, FixTexts: []string{"fixed by us"}, Stripe: true}
	watching := watchstate.State{Epoch: now.Add(-24 * time.Hour), Swept: now.Add(-time.Minute)}
	published, standing, slow := watching, watching, watching
	published.BacklogNotified = true
	standing.Swept = now.Add(-2 * time.Hour)
	slow.Swept, slow.Pause = standing.Swept, time.Hour
	paid, old := now.Add(-20*time.Minute), now.Add(-25*time.Hour)
	orphan := diagnosis.Diagnosis{Verdict: diagnosis.VerdictOrphaned, PaidAt: paid}
	verdict := func(v diagnosis.Verdict) diagnosis.Diagnosis { return diagnosis.Diagnosis{Verdict: v, PaidAt: paid} }
	marked := store.Session{ID: "cs_1", Webhook: store.Key{Exists: true, Value: store.Value{Status: new("error"), Error: new("fixed by us")}}}
	posted := Incident{Kind: "orphaned", Cases: []Case{{ID: "cs_1", Found: now.Add(-9 * time.Minute)}}, Delivery: Delivery{
		SlackMessage: store.Message{Channel: "C1", TS: "1.0"}, PostedAt: now.Add(-8 * time.Minute), Permalink: "https://x.slack.com/archives/C1/p10"}}
	with := func(i Incident, change func(*Incident)) []Incident {
		i.Cases = append([]Case{}, i.Cases...)
		change(&i)
		return []Incident{i}
	}
	handled := Known{Handled: &Handled{By: "U0ANN", At: now.Add(-time.Minute), Verdict: diagnosis.VerdictOrphaned}}
	for name, c := range map[string]struct {
		s    store.Session
		d    diagnosis.Diagnosis
		p    store.Payment
		rec  Recorded
		want AlertStatus
	}{
		"alerted": {d: orphan, rec: Recorded{Incidents: []Incident{posted}}, want: AlertStatus{State: Alerted, At: posted.PostedAt, Permalink: posted.Permalink}},
		"it joined later": {d: orphan, rec: Recorded{Incidents: with(posted, func(i *Incident) { i.Cases[0].Found = now.Add(-2 * time.Minute) })},
			want: AlertStatus{State: Alerted, At: now.Add(-2 * time.Minute), Permalink: posted.Permalink}},
		"alerted, though nobody watches now": {d: orphan, rec: Recorded{Incidents: []Incident{posted}, State: standing}, want: AlertStatus{State: Alerted, At: posted.PostedAt, Permalink: posted.Permalink}},
		"it joined an acknowledged incident": {d: orphan, rec: Recorded{Incidents: with(posted, func(i *Incident) { i.Acknowledged = &Acknowledgement{By: "U0ANN", At: now.Add(-10 * time.Minute)} })},
			want: AlertStatus{State: Alerted, Reason: JoinedAcknowledged, At: posted.PostedAt, By: "U0ANN", Permalink: posted.Permalink}},
		"acknowledged afterwards": {d: orphan, rec: Recorded{Incidents: with(posted, func(i *Incident) { i.Acknowledged = &Acknowledgement{By: "U0ANN", At: now} })},
			want: AlertStatus{State: Alerted, At: posted.PostedAt, Permalink: posted.Permalink}},
		"it joined a snoozed incident": {d: orphan, rec: Recorded{Incidents: with(posted, func(i *Incident) {
			i.Snoozed = &Acknowledgement{By: "U0ANN", At: now.Add(-10 * time.Minute), Until: now.Add(time.Minute)}
		})}, want: AlertStatus{State: Alerted, Reason: JoinedSnoozed, At: posted.PostedAt, By: "U0ANN", Permalink: posted.Permalink}},
		"not posted yet": {d: orphan, rec: Recorded{Incidents: with(posted, func(i *Incident) { i.LeaveMessage() })}, want: AlertStatus{State: AlertPending, Reason: NotPosted}},
		"recovered": {d: verdict(diagnosis.VerdictCompleted), rec: Recorded{Incidents: with(posted, func(i *Incident) { i.Cases[0].Gone = now })},
			want: AlertStatus{State: Alerted, At: posted.PostedAt, Permalink: posted.Permalink}},
		"handled, and left":   {d: orphan, rec: Recorded{Known: handled, Incidents: with(posted, func(i *Incident) { i.Cases[0].Gone = now })}, want: AlertStatus{State: NotAlerted, Reason: HandledElsewhere, At: now.Add(-time.Minute), By: "U0ANN"}},
		"in the summary only": {d: diagnosis.Diagnosis{Verdict: diagnosis.VerdictOrphaned, PaidAt: old}, rec: Recorded{State: published, Incidents: with(posted, func(i *Incident) { i.Kind = Backlog })}, want: AlertStatus{State: NotAlerted, Reason: BacklogPublished, At: watching.Epoch}},
		"the next look":       {d: orphan, want: AlertStatus{State: AlertPending, Reason: InTrouble}},
		"sweeps take long":    {d: orphan, rec: Recorded{State: slow}, want: AlertStatus{State: AlertPending, Reason: InTrouble}},
		"grace time":          {d: verdict(diagnosis.VerdictWaiting), want: AlertStatus{State: AlertPending, Reason: GraceTime, At: paid.Add(10 * time.Minute)}},
		"nobody watches":      {d: orphan, rec: Recorded{State: standing, AlertsOn: true}, want: AlertStatus{State: AlertPending, Reason: NotWatching, At: standing.Swept}},
		"alerts are off":      {d: orphan, rec: Recorded{State: standing}, want: AlertStatus{State: NotAlerted, Reason: AlertsOff}},
		"in order":            {d: verdict(diagnosis.VerdictCompleted), rec: Recorded{State: standing}, want: AlertStatus{State: NotAlerted, Reason: NotInTrouble}},
		"not in ALERT_ON":     {d: verdict(diagnosis.VerdictCorrupt), want: AlertStatus{State: NotAlerted, Reason: NotInAlertOn}},
		"marked by a repair":  {s: marked, d: verdict(diagnosis.VerdictFailed), want: AlertStatus{State: NotAlerted, Reason: MarkedByRepair}},
		"found in order":      {d: orphan, rec: Recorded{Known: Known{Dismissed: TroubleKey(orphan)}}, want: AlertStatus{State: NotAlerted, Reason: Dismissed}},
		"payment unverified":  {d: orphan, p: store.Payment{State: store.PaymentUnverified}, want: AlertStatus{State: NotAlerted, Reason: PaymentUnverified}},
		"from before":         {d: diagnosis.Diagnosis{Verdict: diagnosis.VerdictOrphaned, PaidAt: old}, want: AlertStatus{State: AlertPending, Reason: InBacklog}},
		"records are silent":  {d: orphan, rec: Recorded{Err: errors.New("away")}, want: AlertStatus{State: AlertUnknown, Reason: RecordsNotRead}},
	} {
		if c.rec.State == (watchstate.State{}) {
			c.rec.State = watching
		}
		c.s.ID = "cs_1"
		got := rules.Explain(diagnosis.Evidence{Session: c.s, Payment: c.p}, c.d, limits, c.rec, now)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got): %s", name, diff)
		}
	}
}
