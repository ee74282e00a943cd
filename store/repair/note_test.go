package repair

import (
	"testing"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
)

// TestDecided: who may add a note to a job, and when one is offered.
func TestDecided(t *testing.T) {
	t.Parallel()
	restored := Plan{Action: store.ActionRestore}
	for _, c := range []struct {
		name    string
		job     Job
		by      store.Actor
		offered bool
	}{
		{"approved", Job{Approver: ann}, ann, false},
		{"cancelled while it waited", Job{Approver: ann, Cancelled: &Decision{By: bob}}, bob, true},
		{"settled", Job{Approver: ann, Settled: &Settlement{By: bob}}, bob, true},
		{"a restore runs", Job{Approver: ann, Plan: restored}, ann, false},
		{"a restore is done", Job{Approver: ann, Plan: restored, Outcome: store.OutcomeDone}, ann, true},
		{"in bulk", Job{Approver: ann, Bulk: &Bulk{}}, ann, false},
		{"in bulk, stopped", Job{Approver: ann, Bulk: &Bulk{Events: []BulkEvent{{Event: audit.Stopped, By: bob}}}}, bob, true},
		{"in bulk, paused", Job{Approver: ann, Bulk: &Bulk{Events: []BulkEvent{{Event: audit.Paused, By: bob}}}}, ann, false},
	} {
		if by, offered := c.job.Decided(); by != c.by || offered != c.offered {
			t.Errorf("%s: %v, %t; want %v, %t", c.name, by, offered, c.by, c.offered)
		}
	}
}
