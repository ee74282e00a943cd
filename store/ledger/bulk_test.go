package ledger

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
	"github.com/superduperai/sessionbot/store/repair"
)

// TestBulkOnEveryTopology: a bulk plan is stored, claimed once, stopped, resumed and fenced
// like any plan, and its items are saved and claimed once, whichever process executes it.
func TestBulkOnEveryTopology(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		ctx, l, now := t.Context(), New(r), time.Now()
		p := repair.Plan{ID: "BULK", Action: store.ActionGenerate, Requester: store.Actor{ID: "U1"}, Created: now, Expires: now.Add(time.Hour), Risk: "twice"}
		for i := range 3 {
			p.Items = append(p.Items, repair.Plan{Action: store.ActionGenerate, Session: fmt.Sprint("cs_live_b", i), Risk: "twice", Bulk: p.ID, Created: now})
		}
		testenv.Must(t, l.SavePlan(ctx, p))
		first, err := l.Claim(ctx, p.ID, "", store.Actor{ID: "U2"}, now)
		if err != nil || first.Verdict != repair.NeedsSecondPress {
			t.Fatalf("the first press: %s, %v", first.Verdict, err)
		}
		second, err := l.Claim(ctx, p.ID, first.Press, store.Actor{ID: "U2"}, now.Add(3*time.Second))
		if err != nil || second.Verdict != repair.Claimed || len(second.Job.Bulk.Items) != 3 {
			t.Fatalf("the second press: %s, %v", second.Verdict, err)
		}
		held := leased(t, l, p.ID, "one")
		job, err := l.LoadJob(ctx, p.ID)
		testenv.Must(t, err)
		job.Bulk.Items[0].State = repair.ItemRunning
		testenv.Must(t, l.SaveJob(ctx, held, job))
		for _, want := range []repair.ClaimVerdict{repair.Claimed, repair.AlreadyClaimed} { // by another process as well
			item := job.ItemPlan(0)
			testenv.Must(t, l.SavePlan(ctx, item))
			answer, err := l.Claim(ctx, item.ID, "", job.Approver, time.Now())
			if err != nil || answer.Verdict != want || answer.Job.Plan.Bulk != p.ID || answer.Job.Bulk != nil {
				t.Errorf("the item is %s, want %s: %v", answer.Verdict, want, err)
			}
		}
		states, err := l.JobStates(ctx, []string{"cs_live_b0", "cs_live_b1", ""})
		if diff := cmp.Diff(map[string]store.JobState{"cs_live_b0": store.JobRunning}, states); diff != "" || err != nil {
			t.Errorf("jobs of sessions (-want +got):\n%s%v", diff, err)
		}
		other := p
		other.ID, other.Risk = "OTHER", ""
		testenv.Must(t, l.SavePlan(ctx, other))
		if answer, err := l.Claim(ctx, other.ID, "", store.Actor{ID: "U2"}, now); err != nil || answer.Verdict != repair.Claimed {
			t.Errorf("another bulk plan is %s, %v", answer.Verdict, err)
		}
		if _, done, err := l.ResumeBulk(ctx, p.ID, repair.BulkEvent{At: now}); done || err != nil {
			t.Errorf("resumed while it runs: %v, %v", done, err)
		}
		stopped, done, err := l.StopBulk(ctx, p.ID, repair.BulkEvent{By: store.Actor{ID: "U3"}, At: now})
		if !done || err != nil || !stopped.Bulk.Stopped() || stopped.Bulk.Last().Next != 1 {
			t.Errorf("stopped: %v, %v", done, err)
		}
		if err := l.SaveJob(ctx, held, job); err != lease.ErrLost { //nolint:errorlint // the very error
			t.Errorf("who carried it on until then saves it: %v", err)
		}
		if _, _, err := l.StopBulk(ctx, job.ItemPlan(0).ID, repair.BulkEvent{At: now}); err != repair.ErrUnknownJob { //nolint:errorlint // likewise
			t.Errorf("a session's job is stopped: %v", err)
		}
		pending, err := l.Pending(ctx)
		if slices.Sort(pending); strings.Join(pending, " ") != "BULK BULK-0 OTHER" || err != nil {
			t.Errorf("pending %q, %v", pending, err)
		}
	})
}
