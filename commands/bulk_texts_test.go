package commands_test

import (
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/repair"
)

// TestBulkTexts: one session reads otherwise than several, or none.
func TestBulkTexts(t *testing.T) {
	t.Parallel()
	stop := []repair.BulkEvent{{Event: audit.Stopped, By: store.Actor{ID: "U1"}}}
	job := func(events []repair.BulkEvent, states ...repair.ItemState) repair.Job {
		j := repair.Job{Plan: repair.Plan{Action: store.ActionGenerate}, Bulk: &repair.Bulk{Events: events}}
		for _, state := range states {
			j.Plan.Items = append(j.Plan.Items, repair.Plan{Session: "cs_live_1"})
			j.Bulk.Items = append(j.Bulk.Items, repair.Item{State: state})
		}
		return j
	}
	registry := newCrowd(0).registry(5)
	for _, c := range []struct {
		job  repair.Job
		says string
	}{
		{job(stop, repair.ItemRunning, repair.ItemRunning, repair.ItemWaiting), "The 2 that are running will finish; no others will start."},
		{job(stop, repair.ItemRunning, repair.ItemWaiting), "The one that is running will finish; no others will start."},
		{job(stop, repair.ItemDone, repair.ItemWaiting), "not started. No others will start."},
	} {
		if text := blockkit.Text(registry.ProgressBlocks(repair.Progress{Job: c.job})); !strings.Contains(text, c.says) {
			t.Errorf("it does not say %q:\n%s", c.says, text)
		}
	}
	for _, c := range []struct {
		job  repair.Job
		says string
	}{
		{job(nil, repair.ItemDone), "already ended"},
		{job(nil, repair.ItemDone, repair.ItemRunning), "the plan is not paused"},
		{job(stop, repair.ItemDone, repair.ItemWaiting), "Already stopped"},
	} {
		if text := message.BulkClickReply(c.job); !strings.Contains(blockkit.Text(blockkit.Message(text)), c.says) {
			t.Errorf("it does not say %q: %v", c.says, text)
		}
	}
}
