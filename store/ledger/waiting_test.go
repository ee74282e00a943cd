package ledger

import (
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/storetest"
)

// TestOpenPlans: those that wait for approval where people see them, and nothing else.
func TestOpenPlans(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		ctx, l := t.Context(), New(r)
		shown := func(session string) repair.Plan {
			p := saved(t, l, session)
			testenv.Must(t, l.SetMessage(ctx, p.ID, store.Message{Channel: "C1", TS: "1.2"}))
			return p
		}
		open, pressed, claimed, cancelled := shown("cs_live_open"), shown("cs_live_pressed"), shown("cs_live_claimed"), shown("cs_live_cancelled")
		saved(t, l, "cs_live_unshown")
		item := generation(t, orphan(storetest.Held(storetest.FoxPrompt, "", "")))
		item.Bulk, item.Message = "bulk", store.Message{Channel: "C1", TS: "1.2"}
		testenv.Must(t, l.SavePlan(ctx, item))
		click(t, approve(l), claimed.ID, ann, storetest.At)
		click(t, l.Cancel, cancelled.ID, ann, storetest.At)
		pressed.Risk = "Stripe will still deliver it."
		testenv.Must(t, l.SavePlan(ctx, pressed))
		testenv.Must(t, l.SetMessage(ctx, pressed.ID, store.Message{Channel: "C1", TS: "1.2"}))
		press := click(t, approve(l), pressed.ID, ann, storetest.At)

		waiting, err := l.OpenPlans(ctx, storetest.At)
		testenv.Must(t, err)
		byID := map[string]repair.PlanRecord{}
		for _, record := range waiting {
			byID[record.ID] = record
		}
		if len(waiting) != 2 || byID[open.ID].Message.TS != "1.2" || byID[open.ID].FirstPressBy != "" {
			t.Errorf("waiting are %+v", waiting)
		}
		if got := byID[pressed.ID]; got.FirstPressBy != ann.ID || got.FirstPressID != press.Press || press.Press == "" {
			t.Errorf("pressed by %q, named %q, want %q", got.FirstPressBy, got.FirstPressID, press.Press)
		}
		if waiting, err := l.OpenPlans(ctx, storetest.At.Add(planLife+time.Second)); len(waiting) != 0 || err != nil {
			t.Errorf("expired: %+v, %v", waiting, err)
		}
		testenv.Must(t, client.Del(ctx, planKey(open.ID)).Err())
		if waiting, err := l.OpenPlans(ctx, storetest.At); len(waiting) != 1 || err != nil {
			t.Errorf("one is gone: %+v, %v", waiting, err)
		}
		late := open
		late.ID, late.Created, late.Expires = "late", late.Created.Add(time.Hour), late.Expires.Add(time.Hour)
		testenv.Must(t, l.SavePlan(ctx, late))
		if n := client.ZCard(ctx, plansKey).Val(); n != 1 {
			t.Errorf("%d plans are listed, want the one that has not expired", n)
		}
	})
}

func TestUnclearJobs(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		ctx, l := t.Context(), New(r)
		end := func(session string, outcome store.Outcome) repair.Job {
			job := claimed(t, l, session)
			held, _, err := l.Lease(ctx, job.ID, "a test")
			testenv.Must(t, err)
			job.Outcome, job.Finished = outcome, storetest.At
			testenv.Must(t, l.SaveJob(ctx, held, job))
			return job
		}
		end("cs_live_done", store.OutcomeDone)
		first, second := end("cs_live_first", store.OutcomeUnclear), end("cs_live_second", store.OutcomeUnclear)
		ids := func() []string {
			t.Helper()
			jobs, err := l.UnclearJobs(ctx)
			testenv.Must(t, err)
			var ids []string
			for _, job := range jobs {
				ids = append(ids, job.ID)
			}
			return ids
		}
		if got := ids(); len(got) != 2 || !slices.Contains(got, first.ID) || !slices.Contains(got, second.ID) {
			t.Errorf("unclear are %v", got)
		}
		_, err := l.Settle(ctx, first.ID, repair.Settlement{By: ann, At: storetest.At})
		testenv.Must(t, err)
		if got := ids(); !slices.Equal(got, []string{second.ID}) {
			t.Errorf("unclear are %v", got)
		}
	})
}
