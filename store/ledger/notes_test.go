package ledger

import (
	"errors"
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

// TestAddNote: only the person who decided can add a note; it is in the audit trail, and with
// the plan and its job, even if the job is saved meanwhile.
func TestAddNote(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		l := New(r)
		s := Service{Ledger: l, Trail: audit.NewTrail(r), Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return storetest.At.Add(time.Minute) }}
		open := saved(t, l, "cs_live_open")
		cancelled := saved(t, l, "cs_live_cancelled")
		click(t, l.Cancel, cancelled.ID, bob, storetest.At.Add(time.Second))
		held, job := running(t, l, "cs_live_running")
		for _, c := range []struct {
			name, plan string
			by         store.Actor
			want       error
		}{
			{"nobody decided yet", open.ID, ann, repair.ErrNotDecider},
			{"somebody else cancelled", cancelled.ID, ann, repair.ErrNotDecider},
			{"a terminal's user of that name", cancelled.ID, store.Actor{ID: bob.ID, Terminal: true}, repair.ErrNotDecider},
			{"the person who cancelled", cancelled.ID, bob, nil},
			{"a person who did not approve", job.ID, store.Actor{ID: "U9"}, repair.ErrNotDecider},
			{"the approver", job.ID, job.Approver, nil},
			{"no such plan", "none", ann, repair.ErrUnknownPlan},
		} {
			if err := s.AddNote(t.Context(), c.plan, "why", c.by, "C1"); !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Errorf("%s: %v, want %v", c.name, err, c.want)
			}
		}
		job.Step = repair.StepWritten // the process that executes it has not read the note
		testenv.Must(t, l.SaveJob(t.Context(), held, job))
		noted, err := l.LoadJob(t.Context(), job.ID)
		if err != nil || noted.Note == nil || noted.Note.Text != "why" || noted.Note.By != job.Approver {
			t.Errorf("%+v, %v", noted.Note, err)
		}
		record, err := l.LoadPlan(t.Context(), cancelled.ID, storetest.At)
		if err != nil || record.Note == nil || record.Note.By != bob || record.State != repair.PlanCancelled {
			t.Errorf("%+v, %v", record, err)
		}
		testenv.Must(t, s.AddNote(t.Context(), cancelled.ID, "why not", bob, "C1"))
		if record, err := l.LoadPlan(t.Context(), cancelled.ID, storetest.At); err != nil || record.Note.Text != "why not" {
			t.Errorf("a second note: %+v, %v", record.Note, err)
		}
		entries, err := s.Trail.History(t.Context(), cancelled.Session, 9)
		if err != nil || len(entries) != 2 || entries[0].Event != audit.Noted || entries[0].Detail != "why" || entries[1].Detail != "why not" || entries[0].Who != bob || entries[0].Plan != cancelled.ID {
			t.Errorf("on record: %+v, %v", entries, err)
		}
	})
}
