package jobs_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// TestBulk: each session is repaired by a job of its own, so many at a time, the
// oldest first, and only the bulk plan is shown. Sessions that changed meanwhile are skipped.
func TestBulk(t *testing.T) {
	t.Parallel()
	for _, cluster := range []bool{false, true} {
		t.Run(fmt.Sprint("cluster ", cluster), func(t *testing.T) {
			t.Parallel()
			b := newBulkBench(t, cluster, 7)
			p := b.claimed(store.ActionGenerate)
			b.set("webhook:"+b.ids[3], `{"status":"processing","fileId":"f","timestamp":"`+time.Now().UTC().Format(time.RFC3339)+`"}`)
			busy, err := repair.MakePlan(store.ActionFix, b.examinedAll()[5], store.Actor{ID: "U1"}, repair.PlanOptions{TTL: time.Hour, FixText: "sorry"}, time.Now())
			testenv.Must(t, err)
			testenv.Must(t, b.ledger.SavePlan(t.Context(), busy))
			_, err = b.ledger.Claim(t.Context(), busy.ID, "", store.Actor{ID: "U3"}, time.Now())
			testenv.Must(t, err)
			cfg := b.config()
			cfg.Mine = func(id string) bool { return id != busy.ID }
			var mu sync.Mutex
			running, most, shown := 0, 0, []repair.Progress{}
			cfg.Generator = during{cfg.Generator, func(n int) {
				mu.Lock()
				defer mu.Unlock()
				running += n
				most = max(most, running)
			}}
			cfg.Notify = func(_ context.Context, p repair.Progress) error {
				mu.Lock()
				defer mu.Unlock()
				shown = append(shown, p)
				return nil
			}
			job := b.ended(p.ID, cfg)
			want := repair.BulkCounts{Done: 5, Skipped: 2}
			if got := job.Bulk.Counts(); got != want || job.Outcome != store.OutcomeDone || b.once() != 5 || most > 2 {
				t.Errorf("%s with %+v, %d requested, %d at a time", job.Outcome, got, b.once(), most)
			}
			if got := job.Bulk.Items[5].Detail; !slices.Equal(got, []string{"another repair was running"}) {
				t.Errorf("the one that was being repaired: %q", got)
			}
			if got := job.Bulk.Items[3].Cause; got != repair.CauseChanged {
				t.Errorf("the one whose webhook came: %q", got)
			}
			if i := slices.IndexFunc(shown, func(p repair.Progress) bool { return p.Job.ID != job.ID }); i >= 0 {
				t.Errorf("%s is shown", shown[i].Job.ID)
			}
			b.audited("", "claimed done", "outcome done")
			b.audited(b.ids[0], "claimed", "outcome done")
			b.audited(b.ids[5], "refused another repair was running")
		})
	}
}

// TestBulkKilled: killed at any step of the whole or of a session, it goes on
// elsewhere, in two processes at once, and no session is requested twice.
func TestBulkKilled(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"items recorded", "item saved", "item claimed", "checked", "written", "sending", "answered", "sent", "filed", "finished", "finisheddone"} {
		for _, nth := range []int{1, 3} {
			t.Run(fmt.Sprint(at, " ", nth), func(t *testing.T) {
				t.Parallel()
				b := newBulkBench(t, nth == 3, 5)
				p := b.claimed(store.ActionGenerate)
				b.killedAt(at, nth)
				b.leaseEnds(p.ID)
				for i := range p.Items {
					b.leaseEnds(p.ItemID(i))
				}
				b.running(b.config(), b.config())
				testenv.Until(t, "all of it is over", func() bool { return b.job(p.ID).Notified })
				b.once()
				got := b.job(p.ID).Bulk.Counts()
				if got.Done+got.Unclear != 5 || got.Unclear > 2 || b.files.Started() > 5 || b.files.Started() < got.Done {
					t.Errorf("%+v, %d requested", got, b.files.Started())
				}
			})
		}
	}
}
