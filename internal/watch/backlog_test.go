package watch

import (
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
)

// TestBacklogCountsOnce: however often a session is added, and in whatever order, it
// counts once, and the summary names those that have waited longest.
func TestBacklogCountsOnce(t *testing.T) {
	t.Parallel()
	b := backlog{cases: map[string]incident.Case{}}
	for range 2 {
		for n := range 100 {
			n = n * 37 % 100
			c := incident.Case{ID: fmt.Sprint("cs_test_", n), Verdict: diagnosis.VerdictOrphaned, At: now.Add(-time.Duration(n) * time.Hour), Payment: store.PaymentUnverified}
			if n%2 == 0 {
				c.Verdict, c.Payment, c.Amount, c.Currency = diagnosis.VerdictFailed, store.PaymentPaid, 100, "usd"
			}
			b.add(c)
		}
	}
	p := summaryOf(b.cases, now)
	if failed := p.Sums[diagnosis.VerdictFailed]; p.Sessions != 100 || failed.Sessions != 50 || failed.Money["usd"] != 5000 || failed.Unverified != 0 ||
		p.Sums[diagnosis.VerdictOrphaned].Unverified != 50 {
		t.Errorf("%d sessions: %+v", p.Sessions, p.Sums)
	}
	if len(p.Cases) != incident.ShownCases {
		t.Fatalf("%d are kept", len(p.Cases))
	}
	for n, c := range p.Cases {
		if c.ID != fmt.Sprint("cs_test_", 99-n) {
			t.Errorf("%d. is %s", n, c.ID)
		}
	}
}

// addOld stores orphans from before the watch began.
func (h *simulation) addOld(n int) {
	h.t.Helper()
	_, err := h.client.Pipelined(h.t.Context(), func(pipe redis.Pipeliner) error {
		for k := range n {
			at := h.at.Add(-48*time.Hour - time.Duration(k)*time.Second).UTC().Format(time.RFC3339)
			pipe.Set(h.t.Context(), fmt.Sprint("prompt:cs_test_old", k), `{"prompt":"A fox","timestamp":"`+at+`"}`, store.KeyLife)
		}
		return nil
	})
	h.must(err)
}

// summaries returns the summaries that are stored, delivered or not.
func (h *simulation) summaries() (all []incident.Incident) {
	h.t.Helper()
	keys, err := h.client.Keys(h.t.Context(), "sessionbot:{watch}:incident:*").Result()
	h.must(err)
	for _, key := range keys {
		i, err := h.records.Incident(h.t.Context(), key[len("sessionbot:{watch}:incident:"):])
		if h.must(err); i.Kind == incident.Backlog {
			all = append(all, i)
		}
	}
	return all
}

// TestOneSummaryOfMany: more sessions than an incident holds become one message, with
// all of them counted; none of them is put in the due queue.
func TestOneSummaryOfMany(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.cfg.Stripe, h.cfg.Payments = nil, nil
	const many = incident.MaxCases + 2000
	h.addOld(many)
	h.lead()
	h.must(h.term.sweeps.sweep(t.Context()))
	if dues, err := h.records.Due(t.Context(), h.at, roundSize); err != nil || len(dues) != 0 {
		t.Errorf("%d are due, %v", len(dues), err)
	}
	h.advance(2 * time.Minute)
	h.expectNotified(fmt.Sprint("summary ", incident.ShownCases))
	all := h.summaries()
	if len(all) != 1 || all[0].Sessions != many || all[0].Sums[diagnosis.VerdictOrphaned].Unverified != many {
		t.Fatalf("%+v", all)
	}
	if c := all[0].Cases[0]; c.ID != fmt.Sprint("cs_test_old", many-1) {
		t.Errorf("the oldest is %s", c.ID)
	}
	if h.term.backlog.cases != nil {
		t.Error("it still counts")
	}
}

// TestLeaderDiesBeforeTheSummary: the next leader counts from the start, and posts it
// once.
func TestLeaderDiesBeforeTheSummary(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.cfg.Stripe, h.cfg.Payments = nil, nil
	h.addOld(30)
	h.lead()
	h.must(h.term.sweeps.sweep(t.Context()))
	h.lead()
	h.must(h.term.inspector.inspectDue(t.Context())) // it has not swept yet
	h.must(h.client.Del(t.Context(), "prompt:cs_test_old0").Err())
	h.advance(2 * time.Minute)
	h.expectNotified(fmt.Sprint("summary ", incident.ShownCases))
	h.lead()
	h.advance(2 * time.Minute)
	h.expectNotified()
	if all := h.summaries(); len(all) != 1 || all[0].Sessions != 29 {
		t.Errorf("%+v", all)
	}
}

// TestSummaryWaitsForPayments: the summary includes sessions that were paid and of
// which Redis holds nothing, and waits while Stripe does not answer.
func TestSummaryWaitsForPayments(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.pay("cs_test_orphan", h.at.Add(-48*time.Hour))
	h.pay("cs_test_lost", h.at.Add(-49*time.Hour))
	h.must(h.client.Del(t.Context(), "prompt:cs_test_lost").Err())
	h.addOld(5) // which nobody paid for
	h.put("webhook:cs_test_failed", `{"status":"error","error":"no","timestamp":"`+h.at.Add(-48*time.Hour).UTC().Format(time.RFC3339)+`"}`)
	h.stripe.eventsErr = errUnavailable
	h.lead()
	h.advance(2 * time.Minute)
	h.expectNotified()
	h.stripe.eventsErr = nil
	h.must(h.term.stripe.poll(t.Context()))
	h.must(h.term.inspector.inspectDue(t.Context())) // no sweep knew of these payments yet
	h.must(h.term.inspector.inspectDue(t.Context()))
	h.advance(2 * time.Minute)
	h.expectNotified("summary 3")
	all := h.summaries()
	if len(all) != 1 || all[0].Sessions != 3 || all[0].Sums[diagnosis.VerdictLost].Money["usd"] != 100 || all[0].Sums[diagnosis.VerdictOrphaned].Sessions != 1 {
		t.Errorf("%+v", all)
	}
}

// TestSummaryIncludesAmounts: also those of sessions that have a status.
func TestSummaryIncludesAmounts(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.pay("cs_test_failed", h.at.Add(-49*time.Hour))
	h.put("webhook:cs_test_failed", `{"status":"error","error":"no","timestamp":"`+h.at.Add(-48*time.Hour).UTC().Format(time.RFC3339)+`"}`)
	h.lead()
	h.must(h.term.stripe.poll(t.Context()))
	h.must(h.term.sweeps.sweep(t.Context()))
	h.advance(time.Minute)
	if all := h.summaries(); len(all) != 1 || all[0].Sums[diagnosis.VerdictFailed].Money["usd"] != 100 || all[0].Cases[0].Payment != store.PaymentPaid {
		t.Errorf("%+v", all)
	}
}
