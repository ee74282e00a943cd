package watch

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/sweep"
	"github.com/superduperai/sessionbot/store/watchstate"
)

func TestTriage(t *testing.T) {
	t.Parallel()
	w := New(Config{
		AlertOn: []diagnosis.Verdict{diagnosis.VerdictOrphaned, diagnosis.VerdictFailed}, FixTexts: []string{"fixed by us"},
		Stripe: &fakeStripe{}, Log: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	epoch := now.Add(-24 * time.Hour)
	suspect := func(v diagnosis.Verdict, paid time.Time, state store.PaymentState, why store.Unverified) candidate {
		return candidate{Observation: sweep.Observation{
			Evidence: diagnosis.Evidence{Payment: store.Payment{State: state, Why: why}}, Diagnosis: diagnosis.Diagnosis{Verdict: v, PaidAt: paid}}}
	}
	old, recent := epoch.Add(-time.Hour), epoch.Add(time.Hour)
	repaired := suspect(diagnosis.VerdictFailed, recent, store.PaymentPaid, "")
	repaired.Session.Webhook = store.Key{Exists: true, Value: store.Value{Status: new("error"), Error: new("fixed by us")}}
	examined := suspect(diagnosis.VerdictOrphaned, recent, store.PaymentPaid, "")
	examined.dismissed = incident.TroubleKey(examined.Diagnosis)
	handledIn := func(c candidate, v diagnosis.Verdict) candidate {
		c.handled = &incident.Handled{Verdict: v}
		return c
	}
	for _, c := range []struct {
		name      string
		c         candidate
		published bool
		want      incident.Disposition
	}{
		{"an orphan", suspect(diagnosis.VerdictOrphaned, recent, store.PaymentPaid, ""), false, incident.InTrouble},
		{"an orphan after the summary", suspect(diagnosis.VerdictOrphaned, recent, store.PaymentPaid, ""), true, incident.InTrouble},
		{"completed", suspect(diagnosis.VerdictCompleted, recent, store.PaymentPaid, ""), false, incident.NotInTrouble},
		{"corrupt", suspect(diagnosis.VerdictCorrupt, recent, store.PaymentPaid, ""), false, incident.NotInAlertOn},
		{"paid just now", suspect(diagnosis.VerdictWaiting, recent, store.PaymentPaid, ""), false, incident.GraceTime},
		{"marked by a repair", repaired, false, incident.MarkedByRepair},
		{"examined lately", examined, false, incident.Dismissed},
		{"handled", handledIn(suspect(diagnosis.VerdictFailed, recent, store.PaymentPaid, ""), diagnosis.VerdictFailed), false, incident.HandledElsewhere},
		{"handled in other trouble", handledIn(suspect(diagnosis.VerdictFailed, recent, store.PaymentPaid, ""), diagnosis.VerdictOrphaned), false, incident.InTrouble},
		{"old and handled", handledIn(suspect(diagnosis.VerdictOrphaned, old, store.PaymentPaid, ""), diagnosis.VerdictOrphaned), false, incident.HandledElsewhere},
		{"old", suspect(diagnosis.VerdictOrphaned, old, store.PaymentPaid, ""), false, incident.InBacklog},
		{"old, in the summary", suspect(diagnosis.VerdictOrphaned, old, store.PaymentPaid, ""), true, incident.BacklogPublished},
		{"old, Stripe does not answer", suspect(diagnosis.VerdictFailed, old, store.PaymentUnverified, store.StripeNoAnswer), false, incident.PaymentPending},
		{"Stripe does not answer", suspect(diagnosis.VerdictOrphaned, recent, store.PaymentUnverified, store.StripeNoAnswer), false, incident.PaymentUnverified},
		{"failed, Stripe does not answer", suspect(diagnosis.VerdictFailed, recent, store.PaymentUnverified, store.StripeNoAnswer), false, incident.InTrouble},
	} {
		if got := w.triage(c.c, watchstate.State{Epoch: epoch, BacklogNotified: c.published}); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestEachSkippedSessionHasAReason in the log and in the metrics, whether an inspection or a
// sweep skipped it.
func TestEachSkippedSessionHasAReason(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	var log bytes.Buffer
	h.cfg.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h.cfg.OtherMode = func(id string) bool { return id == "cs_test_unverified" }
	h.lead()
	h.orphan("cs_test_refunded")
	h.stripe.refunded["cs_test_refunded"] = true
	h.pay("cs_test_old", h.at.Add(-48*time.Hour))
	h.put("prompt:cs_test_unverified", `{"prompt":"A fox","timestamp":"`+h.at.Add(-2*orphanGrace).UTC().Format(time.RFC3339)+`"}`)
	h.put("webhook:cs_test_fixed", `{"status":"error","error":"fixed by us","timestamp":"`+h.at.UTC().Format(time.RFC3339)+`"}`)
	h.put("session:cs_test_corrupt", "<html>")
	h.pay("cs_test_waiting", h.at.Add(-time.Minute))
	h.advance(2 * time.Minute)
	for id, reason := range map[string]incident.Disposition{
		"cs_test_refunded": incident.NotConfirmed, "cs_test_old": incident.InBacklog, "cs_test_unverified": incident.PaymentUnverified, "cs_test_fixed": incident.MarkedByRepair,
		"cs_test_corrupt": incident.NotInAlertOn, "cs_test_waiting": incident.GraceTime,
	} {
		found := false
		for line := range strings.Lines(log.String()) {
			found = found || strings.Contains(line, "component=watch session_suffix="+id[len(id)-8:]+" ") && strings.Contains(line, "reason="+string(reason)+"\n")
		}
		if !found || strings.Contains(log.String(), id) {
			t.Errorf("no reason %s for %s, or its whole id, in:\n%s", reason, id, log.String())
		}
		if h.metrics.skipped[string(reason)] == 0 {
			t.Errorf("%s is not counted: %v", reason, h.metrics.skipped)
		}
	}
}

// unreadableFiles cannot be read where a session is examined.
type unreadableFiles struct{ FileRecords }

func (unreadableFiles) Known(context.Context, store.FileRef) (diagnosis.FileRecord, error) {
	return diagnosis.FileRecord{}, errors.New("no answer")
}

// TestSessionNotExamined is logged with the end of its id, and counted.
func TestSessionNotExamined(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	var log bytes.Buffer
	h.cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	h.cfg.Files = unreadableFiles{h.cfg.Files}
	h.lead()
	h.orphan("cs_test_unread")
	h.advance(time.Minute)
	if text := log.String(); !strings.Contains(text, `msg="session not examined, will retry" component=watch session_suffix=t_unread error="no answer"`) || strings.Contains(text, "cs_test_unread") {
		t.Errorf("the log:\n%s", text)
	}
	if h.metrics.skipped[string(incident.NotExamined)] == 0 {
		t.Errorf("not counted: %v", h.metrics.skipped)
	}
}
