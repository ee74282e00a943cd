package ledger

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
	"github.com/superduperai/sessionbot/store/repair"
)

// TestClaimNeedsTheJobsCommands: if the scripts of a job lack a command, its plan is not
// claimed either.
func TestClaimNeedsTheJobsCommands(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"EXISTS", "GET", "SET", "DEL", "HGET", "HSET", "ZADD", "ZREM", "ZREMRANGEBYSCORE", "PEXPIRE"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, "--rename-command", command, "renamed")
			ledger := New(rdbtest.Open(t, server.URL()))
			plan := repair.Plan{ID: "x", Session: "cs_live_1", Action: store.ActionFix, Created: time.Now(), Expires: time.Now().Add(time.Hour)}
			if err := ledger.SavePlan(t.Context(), plan); err != nil {
				if !errors.Is(err, rdb.ErrNoCommand) {
					t.Error(err)
				}
				return // there is none to be claimed
			}
			if answer, err := ledger.Claim(t.Context(), "x", "", store.Actor{ID: "U1"}, time.Now()); !errors.Is(err, rdb.ErrNoCommand) || !strings.HasPrefix(rdb.Command(err), "EVAL") {
				t.Errorf("%s, %v", answer.Verdict, err)
			}
			if record, err := ledger.LoadPlan(t.Context(), "x", time.Now()); err != nil || record.State != repair.PlanOpen {
				t.Errorf("the plan is %s, %v", record.State, err)
			}
			if n, err := ledger.Pending(t.Context()); err != nil || len(n) > 0 {
				t.Errorf("%d jobs are pending, %v", len(n), err)
			}
		})
	}
}
