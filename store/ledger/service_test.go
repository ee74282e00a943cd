package ledger

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/storetest"
)

// TestServiceRecords: what does not start or cancel a job is recorded at once, the
// rest by the process that executes the job.
func TestServiceRecords(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		s := Service{Ledger: New(r), Trail: audit.NewTrail(r), Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return storetest.At }}
		terminal := store.Actor{ID: "ann", Terminal: true}
		approve := func(ctx context.Context, id string, by store.Actor, where string) (repair.ClaimResult, error) {
			return s.Approve(ctx, id, "", by, where)
		}
		first, second, third := saved(t, s.Ledger, "cs_live_service"), saved(t, s.Ledger, "cs_live_service"), saved(t, s.Ledger, "cs_live_other")
		risky := saved(t, s.Ledger, "cs_live_risky")
		risky.Risk = "Stripe delivers"
		testenv.Must(t, s.Ledger.SavePlan(t.Context(), risky))
		for _, c := range []struct {
			name   string
			do     func(context.Context, string, store.Actor, string) (repair.ClaimResult, error)
			id     string
			by     store.Actor
			event  audit.Event // "" = none is recorded
			detail string
		}{
			{"claim", approve, first.ID, ann, "", ""},
			{"claim again", approve, first.ID, bob, audit.Refused, "a click on approve: the plan was approved already"},
			{"claim another one", approve, second.ID, terminal, audit.Refused, "another repair was running"},
			{"cancel a running job", s.Cancel, first.ID, bob, audit.Refused, "a click on cancel: the plan was approved already"},
			{"cancel", s.Cancel, third.ID, bob, audit.Cancelled, ""},
			{"press", approve, risky.ID, ann, audit.Pressed, "the first of two presses"},
			{"press again too soon", approve, risky.ID, ann, audit.Pressed, "pressed again; one more press needed"},
			{"press after somebody else", approve, risky.ID, bob, audit.Pressed, "the first of two presses"},
			{"claim nothing", approve, "none", ann, "", ""},
		} {
			session := map[string]string{first.ID: first.Session, second.ID: second.Session, third.ID: third.Session, risky.ID: risky.Session}[c.id]
			before, err := s.Trail.History(t.Context(), session, 100)
			testenv.Must(t, err)
			if _, err := c.do(t.Context(), c.id, c.by, "C1"); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			after, err := s.Trail.History(t.Context(), session, 100)
			testenv.Must(t, err)
			switch recorded := len(after) - len(before); {
			case c.event == "" && recorded == 0:
			case c.event == "" || recorded != 1:
				t.Errorf("%s: %d entries were recorded", c.name, recorded)
			default:
				if last := after[len(before)]; last.Event != c.event || last.Detail != c.detail || last.Who != c.by || last.Where != "C1" {
					t.Errorf("%s: recorded %+v", c.name, last)
				}
			}
		}
	})
}
