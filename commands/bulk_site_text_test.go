package commands_test

import (
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// TestBulkShowsTheSitesWords: a replay that failed at the site says with what words, cut
// and without addresses, in the message and in the thread.
func TestBulkShowsTheSitesWords(t *testing.T) {
	t.Parallel()
	p := repair.Progress{
		Job: repair.Job{Plan: repair.Plan{Action: store.ActionReplay, Items: []repair.Plan{{Session: "cs_live_1"}, {Session: "cs_live_2"}}}, Outcome: store.OutcomeFailed,
			Bulk: &repair.Bulk{Items: []repair.Item{{State: repair.ItemFailed, Cause: repair.CauseSiteFailed}, {State: repair.ItemDone}}}},
		SiteTexts: map[string]string{"cs_live_1": "SuperDuperAI API failed: 429 for ann@example.com\n" + strings.Repeat("x", 500) + "END", "cs_live_2": "of before"},
	}
	registry := newCrowd(0).registry(5)
	for place, blocks := range map[string]string{"message": blockkit.Text(registry.ProgressBlocks(p)), "thread": blockkit.Text(registry.EndReply(p))} {
		if !strings.Contains(blocks, "reported an error: SuperDuperAI API failed: 429 for (address)") {
			t.Errorf("%s: it does not say why:\n%s", place, blocks)
		}
		for _, not := range []string{"ann@", "END", "of before"} {
			if strings.Contains(blocks, not) {
				t.Errorf("%s: it says %q:\n%s", place, not, blocks)
			}
		}
	}
}
