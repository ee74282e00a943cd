package jobs_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/superduper"
)

// TestBulkStopped: what runs ends, nothing more begins, and that is on record.
func TestBulkStopped(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t, false, 6)
	p := b.claimed(store.ActionGenerate)
	cfg, release := b.config(), make(chan struct{})
	cfg.Generator = held{cfg.Generator, release}
	b.running(cfg)
	b.until(p.ID, "two run", func(s *repair.Bulk) bool { return s.Counts().Running == 2 })
	by := repair.BulkEvent{By: store.Actor{ID: "U4"}, Where: "C1", At: time.Now()}
	if _, done, err := b.ledger.StopBulk(t.Context(), p.ID, by); !done || err != nil {
		t.Fatalf("stopped: %v, %v", done, err)
	}
	if _, done, err := b.ledger.StopBulk(t.Context(), p.ID, repair.BulkEvent{By: store.Actor{ID: "U5"}, At: time.Now()}); done || err != nil {
		t.Fatalf("stopped again: %v, %v", done, err)
	}
	if _, done, err := b.ledger.ResumeBulk(t.Context(), p.ID, by); done || err != nil {
		t.Fatalf("resumed after a stop: %v, %v", done, err)
	}
	close(release)
	testenv.Until(t, "it is over", func() bool { return b.job(p.ID).Notified })
	job := b.job(p.ID)
	if got := job.Bulk.Counts(); got != (repair.BulkCounts{Done: 2, Left: 4}) || job.Outcome != store.OutcomeCancelled || b.once() != 2 {
		t.Errorf("%s with %+v", job.Outcome, got)
	}
	b.audited("", "claimed", "stopped", "outcome")
}

// TestBulkPaused: three failures in a row for a cause that concerns all pause it; once
// that is fixed and the plan is resumed, the others are made.
func TestBulkPaused(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t, true, 8)
	p := b.claimed(store.ActionGenerate)
	b.refuse, b.after = superduper.Unpaid, 2
	b.running(b.config(), b.config())
	b.until(p.ID, "it is paused", (*repair.Bulk).Paused)
	b.until(p.ID, "nothing runs, and that is on record", func(s *repair.Bulk) bool { return s.Counts().Running == 0 && s.Audited == len(s.Events) })
	state := b.job(p.ID).Bulk
	if got := state.Counts(); got.Done != 2 || got.Failed < 3 || got.Failed > 4 || state.Last().Cause != repair.CauseBalance {
		t.Errorf("%+v because of %s", got, state.Last().Cause)
	}
	b.mu.Lock()
	b.refuse = ""
	b.mu.Unlock()
	if _, done, err := b.ledger.ResumeBulk(t.Context(), p.ID, repair.BulkEvent{By: store.Actor{ID: "U4"}, Where: "C1", At: time.Now()}); !done || err != nil {
		t.Fatalf("resumed: %v, %v", done, err)
	}
	testenv.Until(t, "it is over", func() bool { return b.job(p.ID).Notified })
	job := b.job(p.ID)
	got, want := job.Bulk.Counts(), state.Counts()
	want.Done, want.Left = want.Done+want.Left, 0
	if diff := cmp.Diff(want, got); diff != "" || job.Outcome != store.OutcomeFailed || b.once() != 8 {
		t.Errorf("%s, %d requested (-want +got):\n%s", job.Outcome, b.once(), diff)
	}
	b.audited("", "claimed", "paused", "resumed", "outcome")
}

// TestBulkAbandoned: a plan that no process executed for long does not continue by itself.
func TestBulkAbandoned(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t, false, 3)
	p := b.claimed(store.ActionGenerate)
	cfg := b.config()
	cfg.Now = func() time.Time { return time.Now().Add(time.Hour) }
	stop := b.running(cfg)
	b.until(p.ID, "it is paused", (*repair.Bulk).Paused)
	stop()
	if got := b.job(p.ID).Bulk; got.Counts().Left != 3 || got.Last().Cause != repair.CauseIdle || b.once() != 0 {
		t.Errorf("%+v because of %s", got.Counts(), got.Last().Cause)
	}
	cfg.Now = func() time.Time { return time.Now().Add(48 * time.Hour) }
	if job := b.ended(p.ID, cfg); job.Outcome != store.OutcomeCancelled || job.Bulk.Counts().Left != 3 {
		t.Errorf("paused for a day, it is %s with %+v", job.Outcome, job.Bulk.Counts())
	}
}

// TestBulkFencedOut: a process that lost the plan to another begins nothing.
func TestBulkFencedOut(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t, false, 4)
	p := b.claimed(store.ActionFix)
	cfg := b.config()
	cfg.OnStep = func(step string) {
		if step == "item claimed" {
			b.leaseEnds(p.ID)
			_, _, err := b.ledger.Lease(t.Context(), p.ID, "another")
			testenv.Must(t, err)
		}
	}
	if err := jobs.New(cfg).Execute(t.Context(), p.ID); !errors.Is(err, lease.ErrLost) {
		t.Errorf("it ended with %v", err)
	}
	if got := b.job(p.ID).Bulk.Counts(); got != (repair.BulkCounts{Running: 2, Left: 2}) {
		t.Errorf("%+v", got)
	}
	b.leaseEnds(p.ID)
	if job := b.ended(p.ID, b.config()); job.Bulk.Counts() != (repair.BulkCounts{Done: 4}) {
		t.Errorf("%+v", job.Bulk.Counts())
	}
}

// TestBulkStoppedBeforeTheClaim: a process recorded which sessions it begins, and is
// suspended or dead before it claims them. Another one continues the plan: after a stop
// none of them begins, even if the first process wakes up.
func TestBulkStoppedBeforeTheClaim(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t, true, 4)
	p := b.claimed(store.ActionGenerate)
	b.killedAt("items recorded", 1)
	_, done, err := b.ledger.StopBulk(t.Context(), p.ID, repair.BulkEvent{By: store.Actor{ID: "U4"}, Where: "C1", At: time.Now()})
	if !done || err != nil {
		t.Fatalf("stopped: %v, %v", done, err)
	}
	b.leaseEnds(p.ID)
	if job := b.ended(p.ID, b.config()); job.Outcome != store.OutcomeCancelled || job.Bulk.Counts() != (repair.BulkCounts{Left: 4}) {
		t.Errorf("%s with %+v", job.Outcome, job.Bulk.Counts())
	}
	testenv.Must(t, b.ledger.SavePlan(t.Context(), b.job(p.ID).ItemPlan(0)))
	if answer, err := b.ledger.Claim(t.Context(), p.ItemID(0), "", store.Actor{ID: "U2"}, time.Now()); err != nil || answer.Verdict != repair.AlreadyCancelled || b.once() != 0 {
		t.Errorf("a process that was about to claim it: %s, %v, %d requested", answer.Verdict, err, b.once())
	}
}

// TestBulkAbandonedBeforeTheClaim: sessions that were recorded and not claimed do not begin
// by themselves either.
func TestBulkAbandonedBeforeTheClaim(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t, false, 2) // both are recorded at once
	p := b.claimed(store.ActionGenerate)
	b.killedAt("items recorded", 1)
	b.leaseEnds(p.ID)
	cfg := b.config()
	cfg.Now = func() time.Time { return time.Now().Add(time.Hour) }
	stop := b.running(cfg)
	b.until(p.ID, "it is paused", (*repair.Bulk).Paused)
	stop()
	if got := b.job(p.ID).Bulk; got.Counts() != (repair.BulkCounts{Left: 2}) || b.once() != 0 {
		t.Errorf("%+v, %d requested", got.Counts(), b.once())
	}
	if _, done, err := b.ledger.ResumeBulk(t.Context(), p.ID, repair.BulkEvent{By: store.Actor{ID: "U4"}, Where: "C1", At: time.Now()}); !done || err != nil {
		t.Fatalf("resumed: %v, %v", done, err)
	}
	if job := b.ended(p.ID, b.config()); job.Bulk.Counts() != (repair.BulkCounts{Done: 2}) || b.once() != 2 {
		t.Errorf("resumed: %+v, %d requested", job.Bulk.Counts(), b.once())
	}
}

// TestBulkSettled: an unclear session that is settled while the plan runs counts with its
// settled outcome.
func TestBulkSettled(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t, false, 3)
	p := b.claimed(store.ActionGenerate)
	b.refuse, b.after = superduper.Unclear, 2
	cfg, release := b.config(), make(chan struct{})
	cfg.BulkParallel, cfg.Generator = 3, held{cfg.Generator, release}
	b.running(cfg)
	b.until(p.ID, "one is unclear", func(s *repair.Bulk) bool { return s.Counts() == repair.BulkCounts{Running: 2, Unclear: 1} })
	unclear := slices.IndexFunc(b.job(p.ID).Bulk.Items, func(i repair.Item) bool { return i.State == repair.ItemUnclear })
	_, err := b.ledger.Settle(t.Context(), p.ItemID(unclear), repair.Settlement{By: store.Actor{ID: "U4"}, Where: "C1", At: time.Now()})
	testenv.Must(t, err)
	b.until(p.ID, "it counts as failed", func(s *repair.Bulk) bool { return s.Counts() == repair.BulkCounts{Running: 2, Failed: 1} })
	close(release)
	testenv.Until(t, "it is over", func() bool { return b.job(p.ID).Notified })
	if got := b.job(p.ID).Bulk; got.Counts() != (repair.BulkCounts{Done: 2, Failed: 1}) || got.Items[unclear].Cause != repair.CauseNotMade {
		t.Errorf("%+v, %s", got.Counts(), got.Items[unclear].Cause)
	}
}
