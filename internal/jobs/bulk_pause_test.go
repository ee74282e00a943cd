package jobs_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/superduper"
)

// TestBulkResumedWhileItPauses: resuming a plan takes its job from the process that
// is about to note that the pause is on record; it is on record once.
func TestBulkResumedWhileItPauses(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t, true, 8)
	p := b.claimed(store.ActionGenerate)
	b.refuse, b.after = superduper.Unpaid, 2
	cfg := b.config()
	var once sync.Once
	cfg.OnStep = func(step string) {
		if step != "events audited" {
			return
		}
		once.Do(func() {
			b.mu.Lock()
			b.refuse = ""
			b.mu.Unlock()
			_, done, err := b.ledger.ResumeBulk(t.Context(), p.ID, repair.BulkEvent{By: store.Actor{ID: "U4"}, Where: "C1", At: time.Now()})
			if !done || err != nil {
				t.Errorf("resumed: %v, %v", done, err)
			}
		})
	}
	b.running(cfg)
	testenv.Until(t, "it is over", func() bool { return b.job(p.ID).Notified })
	b.audited("", "claimed", "paused", "resumed", "outcome")
	b.once()
}

// TestBulkPauseIsPosted: the plan's approver is notified of the pause once, by whichever
// process; a failed post is retried, no sooner than Slack asks.
func TestBulkPauseIsPosted(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t, false, 6)
	p := b.claimed(store.ActionGenerate)
	b.refuse = superduper.Unpaid
	var mu sync.Mutex
	var replies []repair.Reply
	cfg := b.config()
	cfg.Timings.MaxRetryDelay = 50 * time.Millisecond
	var delays []time.Duration
	cfg.Log = slog.New(interrupted(func(_ context.Context, delay time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		delays = append(delays, delay)
	}))
	cfg.Notify = func(_ context.Context, p repair.Progress) error {
		mu.Lock()
		defer mu.Unlock()
		if p.Job.Outcome != "" || p.Reply == repair.ReplyNone {
			return nil
		}
		if !p.Job.Bulk.Paused() {
			t.Errorf("%+v is posted", p.Job.Bulk.Counts())
		}
		if replies = append(replies, p.Reply); len(replies) == 1 {
			return busy(200 * time.Millisecond)
		}
		return nil
	}
	stop := b.running(cfg)
	b.until(p.ID, "the pause is posted", func(s *repair.Bulk) bool { return s.Posted > 0 })
	stop()
	b.running(cfg) // as another process that carries it on
	b.until(p.ID, "it is carried on", func(s *repair.Bulk) bool { return s.Paused() && s.Counts().Running == 0 })
	if _, _, err := b.ledger.StopBulk(t.Context(), p.ID, repair.BulkEvent{By: store.Actor{ID: "U4"}}); err != nil {
		t.Fatal(err)
	}
	testenv.Until(t, "it is over", func() bool { return b.job(p.ID).Notified })
	mu.Lock()
	defer mu.Unlock()
	if want := []repair.Reply{repair.ReplyFirst, repair.ReplyMaybe}; !slices.Equal(replies, want) {
		t.Errorf("posted %q, want %q", replies, want)
	}
	if want := []time.Duration{200 * time.Millisecond}; !slices.Equal(delays, want) {
		t.Errorf("retried after %v, want %v", delays, want)
	}
}
