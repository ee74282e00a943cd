package watch

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// due counts the sessions that are due.
func (h *hours) due() int {
	h.t.Helper()
	dues, err := h.records.Due(h.t.Context(), h.at, 10*roundSize)
	h.done(err)
	return len(dues)
}

// TestWhoseTurnItIs: while Redis tells of writes only those sessions of an
// incident are looked at whose turn it is, a few at a time, and each has its turn.
func TestWhoseTurnItIs(t *testing.T) {
	h := newHours(t)
	h.lead()
	for n := range 100 {
		h.orphan(fmt.Sprintf("cs_%02d", n))
	}
	h.pass(2 * time.Minute)
	h.tells("first 100")
	h.done(h.shift.spare(t.Context()))
	if n := h.due(); n != 0 {
		t.Errorf("%d are looked at though it is nobody's turn", n)
	}
	h.stripe.refunded["cs_99"] = true
	turn := 100 * h.shift.passEvery() / asksPerPass
	for end := h.at.Add(2*turn + time.Minute); h.at.Before(end); h.at = h.at.Add(time.Minute) {
		h.done(h.shift.spare(t.Context()))
		if n := h.due(); n > asks {
			t.Fatalf("%d are looked at within a minute", n)
		}
		h.done(h.shift.look(t.Context()))
	}
	for _, c := range h.only().Cases {
		if c.Gone.IsZero() && (c.Checked.IsZero() || h.at.Sub(c.Checked) > 2*turn) {
			t.Errorf("%s was last looked at %s", c.ID, c.Checked)
		}
		if c.ID == "cs_99" && c.Ending != store.EndRefunded {
			t.Errorf("its refund was not noticed: %+v", c)
		}
	}
}

// TestDeliveriesAreFollowed while sweeps are spared: what was still being
// delivered has failed by now.
func TestDeliveriesAreFollowed(t *testing.T) {
	h := newHours(t)
	h.cfg.Limits.OrphanGrace = time.Minute
	h.cfg.Examiner = &store.Examiner{Redis: h.product, Limits: h.cfg.Limits, Now: h.cfg.Now}
	h.stripe.undelivered = map[string]bool{"cs_1": true}
	h.lead()
	h.pays("cs_1", h.at.Add(-2*time.Minute))
	h.pass(time.Minute)
	h.tells("first 1")
	if c := h.only().Cases[0]; c.Event != store.EventPending {
		t.Fatalf("its event: %s", c.Event)
	}
	h.at = h.at.Add(pendingFor)
	h.done(h.shift.spare(t.Context()))
	if c := h.only().Cases[0]; c.Event != store.EventFailed {
		t.Errorf("its event: %s", c.Event)
	}
	h.done(h.shift.tell(t.Context()))
	h.tells("update 1")
}

// TestExpiredSessionLeaves its incident while sweeps are spared: Redis tells of
// that as well.
func TestExpiredSessionLeaves(t *testing.T) {
	b := newBench(t)
	b.cfg.Stripe, b.cfg.Payments = nil, nil // else it would be lost
	b.notifies("KA")
	b.run()
	b.until("sweeps are spared", func() bool { return b.figures.spared.Load() > 0 })
	b.pays("cs_1", overdue())
	b.expect("first 1")
	before := b.figures.swept.Load()
	if err := b.client.PExpire(t.Context(), "prompt:cs_1", time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	b.expect("update 0")
	if c := b.only().Cases[0]; c.Ending != store.EndGone {
		t.Errorf("%+v", c)
	}
	if n := b.figures.swept.Load(); n != before {
		t.Errorf("that took %d full sweeps", n-before)
	}
}

// busy is a ledger in which a job runs for each session, until it is over.
type busy struct{ over bool }

func (b *busy) JobOf(context.Context, string) (store.SessionJob, error) {
	if b.over {
		return store.SessionJob{}, nil
	}
	return store.SessionJob{ID: "j", State: store.JobRunning}, nil
}

// TestLeavesOnceItCanBeTold: while a job of ours runs for a session nobody can
// tell how it leaves. It is looked at again until somebody can, spared or not.
func TestLeavesOnceItCanBeTold(t *testing.T) {
	h := newHours(t)
	jobs := &busy{over: true}
	h.cfg.Examiner = &store.Examiner{Redis: h.product, Jobs: jobs, Limits: h.cfg.Limits, Now: h.cfg.Now}
	h.lead()
	h.orphan("cs_1")
	h.pass(time.Minute)
	h.tells("first 1")
	jobs.over = false
	h.put("webhook:cs_1", `{"status":"completed"}`)
	h.done(h.records.Put(t.Context(), store.Due{Session: "cs_1", At: h.at}))
	h.done(h.shift.look(t.Context()))
	jobs.over = true
	h.at = h.at.Add(time.Minute)
	h.done(h.shift.look(t.Context()))
	h.done(h.shift.tell(t.Context()))
	h.tells("update 0")
}
