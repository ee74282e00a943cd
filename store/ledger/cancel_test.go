package ledger

import (
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/storetest"
)

// TestCancelAJob: only one that waits can be cancelled, and who waited with it
// records nothing any more.
func TestCancelAJob(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		l := New(r)
		for name, c := range map[string]struct {
			stand func(*repair.Job)
			want  repair.ClaimVerdict
		}{
			"waiting":       {func(j *repair.Job) { j.Step, j.Waiting = repair.StepWritten, true }, repair.JobCancelled},
			"not waiting":   {func(j *repair.Job) { j.Step = repair.StepWritten }, repair.AlreadyClaimed},
			"about to send": {func(j *repair.Job) { j.Step, j.Waiting = repair.StepSending, true }, repair.AlreadyClaimed},
			"over":          {func(j *repair.Job) { j.Step, j.Waiting, j.Outcome = repair.StepWritten, true, store.OutcomeFailed }, repair.AlreadyClaimed},
			"cancelled by me": {func(j *repair.Job) {
				j.Step, j.Waiting, j.Cancelled = repair.StepWritten, true, &repair.Decision{By: ann, At: storetest.At}
			}, repair.AlreadyClaimed},
		} {
			held, job := running(t, l, "cs_live_"+name)
			c.stand(&job)
			testenv.Must(t, l.SaveJob(t.Context(), held, job))
			answer := click(t, l.Cancel, job.ID, bob, storetest.At.Add(time.Minute))
			if answer.Verdict != c.want {
				t.Errorf("%s: %s, want %s", name, answer.Verdict, c.want)
			}
			job.Step = repair.StepSending
			saved := l.SaveJob(t.Context(), held, job)
			if errors.Is(saved, lease.ErrLost) != (c.want == repair.JobCancelled) {
				t.Errorf("%s: afterwards who carried it out records: %v", name, saved)
			}
			if c.want != repair.JobCancelled {
				continue
			}
			if answer.By != bob || answer.Job.Cancelled == nil || answer.Job.Cancelled.By != bob || answer.Job.ClaimAudited {
				t.Errorf("%s: %+v", name, answer)
			}
			leased(t, l, job.ID, "next") // at once
			if again := click(t, l.Cancel, job.ID, ann, storetest.At.Add(time.Hour)); again.Verdict != repair.AlreadyClaimed {
				t.Errorf("cancelled twice: %s", again.Verdict)
			}
			if a := click(t, approve(l), job.ID, ann, storetest.At.Add(time.Hour)); a.Verdict != repair.AlreadyClaimed {
				t.Errorf("approved once more: %s", a.Verdict)
			}
		}
	})
}

// TestCancelAnswerLost: it counted, and the person is informed.
func TestCancelAnswerLost(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	straight := New(rdbtest.Open(t, server.URL()))
	held, job := running(t, straight, "cs_live_lost")
	job.Step, job.Waiting = repair.StepWritten, true
	testenv.Must(t, straight.SaveJob(t.Context(), held, job))
	testenv.Must(t, changeJob.Load(t.Context(), server.Client()).Err())
	line := rdbtest.NewLine(t, server.Addr())
	line.Command = changeJob.Hash()
	line.Lose.Store(1)
	answer := click(t, New(rdbtest.Open(t, "redis://"+line.Addr)).Cancel, job.ID, bob, storetest.At.Add(time.Minute))
	if answer.Verdict != repair.JobCancelled || answer.By != bob {
		t.Errorf("%s by %v", answer.Verdict, answer.By)
	}
	if line.Lose.Load() > 0 {
		t.Error("no answer was lost")
	}
}
