package watch

import (
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
)

// TestRefundedSessionsAreNotAlerted: Stripe's lists do not show refunds, so each
// session is looked up before it is alerted, and again while the incident is open.
func TestRefundedSessionsAreNotAlerted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.pay("cs_test_1", pastGrace())
	b.stripe.refunded["cs_test_1"] = true
	b.run()
	b.expectNothing()
	b.pay("cs_test_2", pastGrace())
	b.expect("first 1")
	b.stripe.mu.Lock()
	b.stripe.refunded["cs_test_2"] = true
	b.stripe.mu.Unlock()
	i := b.only()
	lead := b.leads()
	if _, err := b.records.ChangeIncident(t.Context(), lead, i, func(i *incident.Incident) bool {
		i.Cases[0].Checked = time.Now().Add(-time.Hour) // as if it were asked about long ago
		return true
	}); err != nil {
		t.Fatal(err)
	}
	b.expect("update 0")
	if got := b.only(); got.Cases[0].Ending != incident.EndRefunded {
		t.Errorf("%+v", got.Cases)
	}
}

// TestOwnRepairIsNotAlerted: a session that a repair marked as error is known to people.
func TestOwnRepairIsNotAlerted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.put("webhook:cs_test_1", `{"status":"error","error":"fixed by us","timestamp":"`+time.Now().UTC().Format(time.RFC3339)+`"}`)
	b.put("webhook:cs_test_2", `{"status":"error","error":"no","timestamp":"`+time.Now().UTC().Format(time.RFC3339)+`"}`)
	b.run()
	b.expect("first 1")
	if got := b.only().Cases[0].ID; got != "cs_test_2" {
		t.Errorf("alerted %s", got)
	}
	b.expectNothing()
}

// TestRestoredPromptIsNoNews: a lost session whose prompt is restored stays in its alert
// until it has its video, and no one is notified again.
func TestRestoredPromptIsNoNews(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.lead()
	h.put("prompt:cs_live_other", `{"prompt":"A hen","timestamp":"`+h.at.UTC().Format(time.RFC3339)+`"}`) // Redis is not empty
	h.stripe.pay("cs_live_a", h.at.Add(-time.Hour))
	h.advance(2 * time.Minute)
	h.expectNotified("first 1")
	h.put("prompt:cs_live_a", `{"prompt":"A fox","timestamp":"`+h.at.UTC().Format(time.RFC3339)+`"}`)
	h.advance(5 * time.Minute)
	h.expectNotified("update 1")
	if i := h.only(); i.Kind != incident.Kind(diagnosis.VerdictLost) || i.Cases[0].Verdict != diagnosis.VerdictOrphaned || i.Cases[0].Event == "" {
		t.Errorf("%+v", i)
	}
	h.put("webhook:cs_live_a", `{"status":"processing","fileId":"`+fileID(1)+`","timestamp":"`+h.at.UTC().Format(time.RFC3339)+`"}`)
	h.advance(2 * time.Minute)
	h.expectNotified("update 0")
	if got := h.only().Cases[0].Ending; got != incident.EndLate {
		t.Errorf("it left as %s", got)
	}
}

// withoutStripe has no Stripe key, and a SuperDuperAI whose files are in this state.
func withoutStripe(t *testing.T, state store.FileState) *simulation {
	h := newSimulation(t)
	h.cfg.Stripe, h.cfg.Payments, h.api.state = nil, nil, state
	h.lead()
	h.put("prompt:cs_test_1", `{"prompt":"A fox"}`)
	h.put("webhook:cs_test_1", `{"status":"processing","fileId":"`+fileID(1)+`","timestamp":"`+h.at.Add(-time.Hour).UTC().Format(time.RFC3339)+`"}`)
	return h
}

// TestStalledVideoIsFinished, and nothing is written to Redis: the session leaves the
// incident, also without a Stripe key.
func TestStalledVideoIsFinished(t *testing.T) {
	t.Parallel()
	h := withoutStripe(t, store.FileInProgress)
	h.advance(time.Minute)
	h.expectNotified("first 1")
	h.api.state = store.FileCompleted
	h.advance(lateInterval + 2*time.Minute)
	notified := h.notified()
	if last := notified[len(notified)-1]; last != "update 0" {
		t.Errorf("notified %q", notified)
	}
}

// TestFailedFileIsMarked as error by a person: the session leaves the incident, also
// without a Stripe key.
func TestFailedFileIsMarked(t *testing.T) {
	t.Parallel()
	h := withoutStripe(t, store.FileFailed)
	h.advance(time.Minute)
	h.expectNotified("first 1")
	if kind := h.only().Kind; kind != incident.Kind(diagnosis.VerdictFailed) {
		t.Fatalf("alerted as %s", kind)
	}
	h.put("webhook:cs_test_1", `{"status":"error","error":"fixed by us","fileId":"`+fileID(1)+`","timestamp":"`+h.at.UTC().Format(time.RFC3339)+`"}`)
	h.advance(2 * time.Minute)
	h.expectNotified("update 0")
	if c := h.only().Cases[0]; c.Ending != incident.EndFixed {
		t.Errorf("%+v", c)
	}
}

// TestMarkedFileIsFinished: a session that a repair marked as error is alerted once its
// video is ready.
func TestMarkedFileIsFinished(t *testing.T) {
	t.Parallel()
	h := withoutStripe(t, store.FileFailed)
	h.put("webhook:cs_test_1", `{"status":"error","error":"fixed by us","fileId":"`+fileID(1)+`","timestamp":"`+h.at.UTC().Format(time.RFC3339)+`"}`)
	h.advance(time.Minute)
	h.expectNotified()
	h.api.state = store.FileCompleted
	h.advance(lateInterval + 2*time.Minute)
	if kind := h.only().Kind; kind != incident.Kind(diagnosis.VerdictUndelivered) {
		t.Fatalf("alerted as %s", kind)
	}
}
