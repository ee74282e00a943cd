package jobs_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// TestBulkOutage: at whatever step Redis goes away, nothing is requested twice. After a
// moment the plan continues by itself; after a quarter of an hour it waits until it is
// resumed, and what was requested before is made all the same.
func TestBulkOutage(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"items recorded", "item claimed", "written", "answered"} {
		for _, away := range []time.Duration{0, 15 * time.Minute} {
			t.Run(at+" for "+away.String(), func(t *testing.T) {
				t.Parallel()
				b := newBulkBench(t, false, 5)
				p := b.claimed(store.ActionGenerate)
				g := newGate(t, b.redisURL)
				product, ledger := opened(t, g.url())
				cfg := config(product, ledger, b.apiURL)
				cfg.Generator = counted{cfg.Generator, b}
				var passed atomic.Int64
				cfg.Now = func() time.Time { return time.Now().Add(time.Duration(passed.Load())) }
				var once sync.Once
				cfg.OnStep = func(step string) {
					if step == at {
						once.Do(func() { g.shut(10); passed.Store(int64(away)) })
					}
				}
				// The leases could not be released either.
				cfg.Log = slog.New(interrupted(func(context.Context, time.Duration) {
					for _, id := range append([]string{p.ID}, itemIDs(p)...) {
						b.leaseEnds(id)
					}
				}))
				b.running(cfg)
				if away > 0 {
					b.until(p.ID, "it is paused", (*repair.Bulk).Paused)
					b.until(p.ID, "what was requested is made", func(s *repair.Bulk) bool { return s.Counts().Running == 0 })
					if got := b.job(p.ID).Bulk; got.Last().Cause != repair.CauseIdle || got.Counts().Left < 3 || got.Counts().Done != b.once() {
						t.Errorf("%+v because of %s, %d requested", got.Counts(), got.Last().Cause, b.once())
					}
					_, done, err := b.ledger.ResumeBulk(t.Context(), p.ID, repair.BulkEvent{By: store.Actor{ID: "U4"}, Where: "C1", At: cfg.Now()})
					if !done || err != nil {
						t.Fatalf("resumed: %v, %v", done, err)
					}
				}
				testenv.Until(t, "it is over", func() bool { return b.job(p.ID).Notified })
				// A request whose lease ended on its way, before an answer was recorded, is
				// unclear, whether it arrived or not.
				got, requested := b.job(p.ID).Bulk.Counts(), b.once()
				if got.Done+got.Failed+got.Unclear != 5 || got.Unclear > cfg.BulkParallel || away == 0 && got.Failed > 0 {
					t.Errorf("%+v", got)
				}
				if requested < got.Done || requested > got.Done+got.Unclear {
					t.Errorf("%+v, %d requested", got, requested)
				}
			})
		}
	}
}

func itemIDs(p repair.Plan) (ids []string) {
	for i := range p.Items {
		ids = append(ids, p.ItemID(i))
	}
	return ids
}
