package jobs_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// TestBulkReadsTheSitesWords: what the site wrote is read when it is shown, of the failed
// sessions, and of no more than are shown.
func TestBulkReadsTheSitesWords(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t, false, 14)
	job := repair.Job{Bulk: &repair.Bulk{}, Outcome: store.OutcomeFailed}
	want := map[string]string{}
	for i, id := range b.ids {
		item, text := repair.Item{State: repair.ItemFailed, Cause: repair.CauseSiteFailed}, fmt.Sprintf("429 for %d", i)
		if i == 1 {
			item.Cause = repair.CauseIgnored
		} else if len(want) < 10 {
			want[id] = text
		}
		b.set("webhook:"+id, fmt.Sprintf(`{"status":"error","error":%q}`, text))
		job.Plan.Items, job.Bulk.Items = append(job.Plan.Items, repair.Plan{Session: id}), append(job.Bulk.Items, item)
	}
	p := jobs.New(b.config()).FinalProgress(t.Context(), job, store.File{})
	if diff := cmp.Diff(want, p.SiteTexts); diff != "" {
		t.Error(diff)
	}
}
