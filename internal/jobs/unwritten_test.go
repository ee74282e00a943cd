package jobs_test

import (
	"sync"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/store"
)

// TestRedisTakesNoWrites: where what a generation came to cannot be written for
// as long as a file is followed, that is told, and settled once it can.
func TestRedisTakesNoWrites(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	_, b.ledger = opened(t, redistest.Start(t).URL())
	id, cfg := b.claimed(store.ActionGenerate), b.config()
	var mu sync.Mutex
	var later time.Duration
	cfg.Now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return time.Now().Add(later)
	}
	cfg.At = func(step string) {
		if step == "sent" {
			b.refuseWrites(true)
			mu.Lock()
			defer mu.Unlock()
			later = cfg.GiveUp + time.Second
		}
	}
	job := b.ended(id, cfg)
	if job.Outcome != store.OutcomeGaveUp || job.Cause != store.CauseUnwritten || job.FileID == "" {
		t.Fatalf("%s (%s), file %q", job.Outcome, job.Cause, job.FileID)
	}
	b.refuseWrites(false)
	said := store.Settlement{By: store.Actor{ID: "U0LEAD"}, At: time.Now(), FileID: job.FileID}
	if _, err := b.ledger.Settle(t.Context(), id, said); err != nil {
		t.Fatal(err)
	}
	b.endedWell(id, b.config())
}

// refuseWrites has the product's Redis wait for a replica that there is not.
func (b *bench) refuseWrites(refuse bool) {
	replicas := "0"
	if refuse {
		replicas = "1"
	}
	if err := b.client.ConfigSet(b.t.Context(), "min-replicas-to-write", replicas).Err(); err != nil {
		b.t.Error(err)
	}
}
