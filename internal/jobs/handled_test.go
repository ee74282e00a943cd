package jobs_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/repair"
)

// TestHandledOutside: what an operator handles elsewhere between the plan and its start is
// not made as well. What was handled before was known when the plan was made.
func TestHandledOutside(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		action  store.Action
		handled time.Duration // after now, before which it was planned
		silent  bool          // the first answer of Redis is lost
		outcome store.Outcome
	}{
		{"after the plan", store.ActionGenerate, time.Second, false, store.OutcomeRefused},
		{"after the plan, read at the second attempt", store.ActionGenerate, time.Second, true, store.OutcomeRefused},
		{"before the plan", store.ActionGenerate, -time.Hour, false, store.OutcomeDone},
		{"which a fix says as well", store.ActionFix, time.Second, false, store.OutcomeDone},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, false)
			cfg := b.config()
			var reads atomic.Int32
			at := time.Now().Add(c.handled)
			cfg.Handled = func(_ context.Context, id string) (*incident.Handled, error) {
				if reads.Add(1) == 1 && c.silent {
					return nil, errors.New("no answer")
				}
				return &incident.Handled{By: "U3", At: at}, nil
			}
			job := b.ended(b.claimed(c.action), cfg)
			if job.Outcome != c.outcome {
				t.Errorf("%s: %s %v", job.Outcome, job.Cause, job.Detail)
			}
			refused := c.outcome == store.OutcomeRefused
			if refused && (job.Cause != repair.CauseChanged || !strings.Contains(strings.Join(job.Detail, " "), "handled elsewhere")) {
				t.Errorf("%s, %v", job.Cause, job.Detail)
			}
			if made := b.files.Started(); made > 0 && refused {
				t.Errorf("%d were made", made)
			}
		})
	}
}

// TestBulkHandledOutside: the same while a session waits in a running bulk plan; the
// others are made.
func TestBulkHandledOutside(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t, false, 3)
	cfg := b.config()
	cfg.Handled = func(_ context.Context, id string) (*incident.Handled, error) {
		if id != b.ids[1] {
			return nil, nil
		}
		return &incident.Handled{By: "U3", At: time.Now()}, nil
	}
	job := b.ended(b.claimed(store.ActionGenerate).ID, cfg)
	if n := job.Bulk.Counts(); n.Done != 2 || n.Skipped != 1 || job.Bulk.Items[1].State != repair.ItemSkipped || b.once() != 2 {
		t.Errorf("%+v", n)
	}
}
