package ledger

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/sessions"
	"github.com/superduperai/sessionbot/store/storetest"
)

// claimed is a job that has just been claimed.
func claimed(t *testing.T, l *Ledger, session string) repair.Job {
	t.Helper()
	a := click(t, approve(l), saved(t, l, session).ID, bob, storetest.At)
	if a.Verdict != repair.Claimed {
		t.Fatalf("claim: %s", a.Verdict)
	}
	return a.Job
}

func leased(t *testing.T, l *Ledger, id, owner string) lease.Lease {
	t.Helper()
	held, ok, err := l.Lease(t.Context(), id, owner)
	if err != nil || !ok {
		t.Fatalf("%s gets no lease: %v, %v", owner, ok, err)
	}
	return held
}

// jobOf checks the session's job as the diagnosis sees it.
func jobOf(t *testing.T, l *Ledger, session string, want store.JobState) {
	t.Helper()
	if job, err := l.JobOf(t.Context(), session); job.State != want || err != nil {
		t.Errorf("the session's job is %q, %v; want %q", job.State, err, want)
	}
}

// TestLeaseFences: a process that lost the lease saves nothing.
func TestLeaseFences(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		l := New(r)
		l.Leases.Timings.Life = time.Hour
		job := claimed(t, l, "cs_live_fence")
		first := leased(t, l, job.ID, "one")
		if again := leased(t, l, job.ID, "one"); again != first {
			t.Errorf("asked again: %+v, before %+v", again, first)
		}
		if _, ok, err := l.Lease(t.Context(), job.ID, "two"); ok || err != nil {
			t.Fatalf("a held lease was given away: %v", err)
		}
		if ttl := client.PTTL(t.Context(), leaseKey(job.ID)).Val(); ttl <= 0 || ttl > l.Leases.Timings.Life {
			t.Errorf("a lease lives for %s", ttl)
		}
		if err := client.Del(t.Context(), leaseKey(job.ID)).Err(); err != nil { // as if it ran out
			t.Fatal(err)
		}
		second := leased(t, l, job.ID, "two")
		job.Step = repair.StepSending
		for name, do := range map[string]func() error{
			"save":    func() error { return l.SaveJob(t.Context(), first, job) },
			"renew":   func() error { return l.Leases.Renew(t.Context(), first) },
			"release": func() error { return l.Leases.Release(t.Context(), first) },
		} {
			if err := do(); !errors.Is(err, lease.ErrLost) {
				t.Errorf("%s by the old holder: %v", name, err)
			}
		}
		if got, err := l.LoadJob(t.Context(), job.ID); got.Step != repair.StepRecorded || err != nil {
			t.Errorf("the job is at %s, %v", got.Step, err)
		}
		for _, err := range []error{l.Leases.Renew(t.Context(), second), l.SaveJob(t.Context(), second, job), l.Leases.Release(t.Context(), second)} {
			if err != nil {
				t.Error(err)
			}
		}
		leased(t, l, job.ID, "three")
		if _, _, err := l.Lease(t.Context(), "none", "one"); !errors.Is(err, repair.ErrUnknownJob) {
			t.Errorf("of no job: %v", err)
		}
		if _, err := l.LoadJob(t.Context(), "none"); !errors.Is(err, repair.ErrUnknownJob) {
			t.Errorf("of no job: %v", err)
		}
	})
}

// TestLeaseFencesAfterAFailover: the replica that took over lacked the
// claim, and the plan was claimed again. The holder of the first job saves nothing.
func TestLeaseFencesAfterAFailover(t *testing.T) {
	t.Parallel()
	server := redistest.NewDatabase(t)
	l := New(rdbtest.Open(t, server.URL()))
	job := claimed(t, l, "cs_live_failover")
	first := leased(t, l, job.ID, "one")
	testenv.Must(t, server.Client().FlushDB(t.Context()).Err())
	testenv.Must(t, l.SavePlan(t.Context(), job.Plan))
	if a := click(t, approve(l), job.ID, bob, storetest.At); a.Verdict != repair.Claimed {
		t.Fatalf("claimed again: %s", a.Verdict)
	}
	leased(t, l, job.ID, "two")
	if err := l.SaveJob(t.Context(), first, job); !errors.Is(err, lease.ErrLost) {
		t.Errorf("who held the first job saves: %v", err)
	}
}

func TestJobFromClaimToEnd(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		l := New(r)
		job := claimed(t, l, "cs_live_end")
		jobOf(t, l, job.Plan.Session, store.JobRunning)
		// The message is posted while the plan is claimed already.
		if err := l.SetMessage(t.Context(), job.ID, store.Message{Channel: "C1", TS: "1.2"}); err != nil {
			t.Fatal(err)
		}
		held := leased(t, l, job.ID, "one")
		job.Step, job.Outcome, job.FileID, job.Finished = repair.StepFinished, store.OutcomeDone, "f", storetest.At
		job.Digests["webhook"] = "abc"
		if err := l.SaveJob(t.Context(), held, job); err != nil {
			t.Fatal(err)
		}
		jobOf(t, l, job.Plan.Session, store.JobNone)
		if pending, err := l.Pending(t.Context()); !slices.Equal(pending, []string{job.ID}) || err != nil {
			t.Errorf("an end that was not shown: pending %v, %v", pending, err)
		}
		job.Notified = true
		if err := l.SaveJob(t.Context(), held, job); err != nil {
			t.Fatal(err)
		}
		if pending, err := l.Pending(t.Context()); len(pending) != 0 || err != nil {
			t.Errorf("afterwards: pending %v, %v", pending, err)
		}
		job.Plan.Message = store.Message{Channel: "C1", TS: "1.2"}
		got, err := l.LoadJob(t.Context(), job.ID)
		if diff := cmp.Diff(job, got); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		if ttl := client.TTL(t.Context(), jobKey(job.ID)).Val(); ttl <= jobLife-time.Minute {
			t.Errorf("a job lives for %s", ttl)
		}
		latest, err := l.JobOf(t.Context(), job.Plan.Session)
		if want := (diagnosis.SessionJob{ID: job.ID, Action: job.Plan.Action, Outcome: job.Outcome, At: latest.At, Made: latest.Made}); !cmp.Equal(latest, want) || err != nil {
			t.Errorf("the latest job is %+v, %v; want %+v", latest, err, want)
		}
		if next := claimed(t, l, job.Plan.Session); next.ID == job.ID {
			t.Error("the session got no new job")
		}
	})
}

// TestOldJobLeavesTheNewOneAlone: a job whose end is shown late does not take away
// that another one runs for the session.
func TestOldJobLeavesTheNewOneAlone(t *testing.T) {
	t.Parallel()
	l := New(rdbtest.Open(t, redistest.NewDatabase(t).URL()))
	old := claimed(t, l, "cs_live_old")
	held := leased(t, l, old.ID, "one")
	old.Outcome = store.OutcomeFailed
	if err := l.SaveJob(t.Context(), held, old); err != nil {
		t.Fatal(err)
	}
	claimed(t, l, "cs_live_old")
	old.Notified = true
	if err := l.SaveJob(t.Context(), held, old); err != nil {
		t.Fatal(err)
	}
	jobOf(t, l, "cs_live_old", store.JobRunning)
}

func TestSettle(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		l := New(r)
		for _, c := range []struct {
			fileID string
			step   repair.Step
		}{{"f1", repair.StepSent}, {"", repair.StepSending}} {
			session := "cs_live_settle" + c.fileID
			job := claimed(t, l, session)
			if _, err := l.Settle(t.Context(), job.ID, repair.Settlement{By: bob, FileID: c.fileID, At: storetest.At}); !errors.Is(err, repair.ErrNotUnclear) {
				t.Fatalf("a running job was settled: %v", err)
			}
			held := leased(t, l, job.ID, "one")
			job.Step, job.Outcome, job.Cause, job.Notified = repair.StepSending, store.OutcomeUnclear, repair.CauseNoAnswer, true
			if err := l.SaveJob(t.Context(), held, job); err != nil {
				t.Fatal(err)
			}
			jobOf(t, l, session, store.JobUnclear)
			if n, err := l.Unclear(t.Context()); n != 1 || err != nil {
				t.Errorf("%d are unclear, %v", n, err)
			}
			if a := click(t, approve(l), saved(t, l, session).ID, ann, storetest.At); a.Verdict != repair.Busy || a.Doing != store.JobUnclear {
				t.Errorf("with an unclear job: %s, %s", a.Verdict, a.Doing)
			}
			settled, err := l.Settle(t.Context(), job.ID, repair.Settlement{By: bob, FileID: c.fileID, At: storetest.At})
			want := repair.Settlement{By: bob, At: storetest.At, FileID: c.fileID}
			if err != nil || *settled.Settled != want || settled.Step != c.step || settled.FileID != c.fileID || settled.Outcome != "" {
				t.Errorf("settled %+v, %v", settled, err)
			}
			jobOf(t, l, session, store.JobRunning)
			if pending, err := l.Pending(t.Context()); !slices.Contains(pending, job.ID) || err != nil {
				t.Errorf("pending %v, %v", pending, err)
			}
			if err := l.SaveJob(t.Context(), held, job); !errors.Is(err, lease.ErrLost) {
				t.Errorf("who held it before saved over the settlement: %v", err)
			}
			if _, err := l.Settle(t.Context(), job.ID, repair.Settlement{By: ann, FileID: "f2", At: storetest.At}); !errors.Is(err, repair.ErrNotUnclear) {
				t.Errorf("settled twice: %v", err)
			}
			if n, err := l.Unclear(t.Context()); n != 0 || err != nil {
				t.Errorf("settled, %d are unclear, %v", n, err)
			}
		}
	})
}

// TestSettleWhatWasGivenUp: its own file can be followed again, as long as no
// other job came later.
func TestSettleWhatWasGivenUp(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		l := New(r)
		givenUp := func(session string) repair.Job {
			job := claimed(t, l, session)
			job.Step, job.FileID, job.Outcome, job.Cause, job.Notified = repair.StepFiled, "f1", store.OutcomeGaveUp, repair.CauseTooLong, true
			if err := l.SaveJob(t.Context(), leased(t, l, job.ID, "one"), job); err != nil {
				t.Fatal(err)
			}
			return job
		}
		job := givenUp("cs_live_givenup")
		for file, want := range map[string]error{"": repair.ErrNotUnclear, "f2": repair.ErrOtherFile} {
			if _, err := l.Settle(t.Context(), job.ID, repair.Settlement{By: bob, FileID: file, At: storetest.At}); !errors.Is(err, want) {
				t.Errorf("settled with %q: %v, want %v", file, err, want)
			}
		}
		settled, err := l.Settle(t.Context(), job.ID, repair.Settlement{By: bob, FileID: "f1", At: storetest.At})
		if err != nil || settled.Outcome != "" || settled.Step != repair.StepSent || !settled.Sent.Equal(storetest.At) || settled.FileID != "f1" {
			t.Errorf("settled %+v, %v", settled, err)
		}
		jobOf(t, l, "cs_live_givenup", store.JobRunning)

		older := givenUp("cs_live_newer")
		newer := claimed(t, l, "cs_live_newer")
		if _, err := l.Settle(t.Context(), older.ID, repair.Settlement{By: bob, FileID: "f1", At: storetest.At}); !errors.Is(err, repair.ErrNotUnclear) {
			t.Errorf("with a newer job: %v", err)
		}
		if latest, err := l.JobOf(t.Context(), "cs_live_newer"); latest.ID != newer.ID || err != nil {
			t.Errorf("the session's job is %q, %v, want the newer one", latest.ID, err)
		}
	})
}

// TestExaminerAsksForTheJob: a job of ours counts in the diagnosis, but not for
// itself; an unavailable ledger is reported.
func TestExaminerAsksForTheJob(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	l := New(rdbtest.Open(t, server.URL()))
	job := claimed(t, l, "cs_live_seen")
	x := diagnosis.Examiner{Redis: sessions.Reader{Redis: l.Jobs.state}, Limits: thresholds, Now: func() time.Time { return storetest.At }}
	x.Jobs = l
	if seen := x.Examine(t.Context(), "cs_live_seen"); seen.Job != store.JobRunning || seen.JobErr != nil {
		t.Errorf("the job is %q, %v", seen.Job, seen.JobErr)
	}
	x.Jobs = diagnosis.Excluding(l, job.ID)
	if seen := x.Examine(t.Context(), "cs_live_seen"); seen.Job != store.JobNone || seen.JobErr != nil {
		t.Errorf("for itself the job is %q, %v", seen.Job, seen.JobErr)
	}
	server.Freeze(t)
	if seen := x.Examine(t.Context(), "cs_live_seen"); !errors.Is(seen.JobErr, rdb.ErrNoAnswer) {
		t.Errorf("a silent ledger: %v", seen.JobErr)
	}
	server.Thaw(t)
}
