package ledger

import (
	"errors"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/storetest"
)

// TestSettledAndTheAnswerIsLost: the settlement counted, and a retry says so; a different
// settlement later is refused.
func TestSettledAndTheAnswerIsLost(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	straight := New(rdbtest.Open(t, server.URL()))
	p := saved(t, straight, "cs_live_1")
	job := click(t, approve(straight), p.ID, ann, storetest.At.Add(time.Second)).Job
	held, got, err := straight.Lease(t.Context(), job.ID, "worker")
	if err != nil || !got {
		t.Fatalf("%v, %v", got, err)
	}
	job.Step, job.Outcome, job.Finished = repair.StepSending, store.OutcomeUnclear, storetest.At.Add(time.Minute)
	if err := straight.SaveJob(t.Context(), held, job); err != nil {
		t.Fatal(err)
	}

	line := rdbtest.NewLine(t, server.Addr())
	line.Command = "eval" // Redis does not know the script yet
	line.Lose.Store(1)
	said := storetest.At.Add(2 * time.Minute)
	settled, err := New(rdbtest.Open(t, "redis://"+line.Addr)).Settle(t.Context(), job.ID, repair.Settlement{By: bob, FileID: "", At: said})
	if err != nil || settled.Settled == nil || settled.Settled.By != bob {
		t.Errorf("%+v, %v", settled.Settled, err)
	}
	if line.Lose.Load() > 0 {
		t.Error("no answer was lost")
	}
	if err := straight.SaveJob(t.Context(), held, job); !errors.Is(err, lease.ErrLost) {
		t.Errorf("the process with the outcome saved it over the settlement: %v", err)
	}
	if _, got, err := straight.Lease(t.Context(), job.ID, "another"); err != nil || !got {
		t.Errorf("the next one has to wait for the lease of the process with the outcome: %v, %v", got, err)
	}
	if _, err := straight.Settle(t.Context(), job.ID, repair.Settlement{By: ann, FileID: "", At: said}); !errors.Is(err, repair.ErrNotUnclear) {
		t.Errorf("settled by another: %v", err)
	}
	if stands, err := straight.LoadJob(t.Context(), job.ID); err != nil || stands.Settled == nil || stands.Settled.By != bob {
		t.Errorf("%+v, %v", stands.Settled, err)
	}
}
