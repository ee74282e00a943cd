package ledger

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/presence"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
)

// TestRecordsOnEveryTopology: what several keys hold together is read and written
// on one server and on three masters alike.
func TestRecordsOnEveryTopology(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		ctx, l, w, shares := t.Context(), New(r), incident.NewRecords(r), presence.NewSharedRequests(r)
		ids := []string{"cs_live_a", "cs_live_b", "cs_live_c", "cs_live_d"} // in several slots
		claimed(t, l, ids[0])
		claimed(t, l, ids[2])
		states, err := l.JobStates(ctx, ids)
		if err != nil || len(states) != 2 || states[ids[0]] != store.JobRunning || states[ids[2]] != store.JobRunning {
			t.Errorf("jobs: %v, %v", states, err)
		}

		for _, id := range ids[:2] {
			testenv.Must(t, w.KeepPaid(ctx, store.Paid{EventID: "evt_1", Payment: store.Payment{SessionID: id, State: store.PaymentPaid}}))
		}
		testenv.Must(t, w.KeepPaid(ctx, store.Paid{Payment: store.Payment{SessionID: ids[0], State: store.PaymentRefunded}}))
		known, err := w.Known(ctx, ids)
		if err != nil || len(known) != 4 || known[ids[2]].Paid != nil || known[ids[0]].Paid.Payment.State != store.PaymentRefunded || known[ids[1]].Paid.EventID != "evt_1" {
			t.Errorf("payments: %+v, %v", known, err)
		}

		testenv.Must(t, l.NoteReplicas(ctx))
		if got, err := l.Replication(ctx); err != nil || got.Connected != 0 || got.Needed {
			t.Errorf("replicas: %+v, %v", got, err)
		}
		testenv.Must(t, shares.Save(ctx, "a", "/redis stats", time.Minute))
		if got, err := shares.Load(ctx, "a"); got != "/redis stats" || err != nil {
			t.Errorf("shared: %q, %v", got, err)
		}
		for _, want := range []bool{true, false} {
			if first, err := shares.Claim(ctx, "a", time.Minute); first != want || err != nil {
				t.Errorf("claimed: %v, %v, want %v", first, err, want)
			}
		}
	})
}
