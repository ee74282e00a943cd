package jobs_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// TestReplayFailover: the replica lacks the claim, or the job's progress,
// when the master is killed. Whichever process executes it afterwards, the event is sent once.
func TestReplayFailover(t *testing.T) {
	t.Parallel()
	for name, start := range groups {
		for _, lost := range []string{"claim", "request"} {
			t.Run(name+", "+lost, func(t *testing.T) {
				t.Parallel()
				g := start(t)
				s := replaysOn(g.bench)
				id := s.planned(store.ActionReplay, s.examined())
				if lost == "request" {
					s.approved(id)
				}
				g.cutOff()
				if lost == "claim" {
					s.approved(id)
				}
				bot := s.child("never")
				if err := bot.Start(); err != nil {
					t.Fatal(err)
				}
				killed := sync.OnceFunc(func() {
					_ = bot.Process.Kill() // it runs until then
					_ = bot.Wait()         // which says that it was killed
				})
				defer killed()
				testenv.Until(t, "it was sent or waits", func() bool {
					job, err := s.ledger.LoadJob(t.Context(), id)
					return err == nil && job.Cancellable() || s.posts.Load() > 0
				})
				if lost == "request" {
					killed()
				}
				g.failOver()
				if lost == "claim" {
					testenv.Until(t, "the plan is claimed once more", func() bool {
						answer, err := s.ledger.Claim(t.Context(), id, "", store.Actor{ID: "U3"}, time.Now())
						return err == nil && answer.Verdict == repair.Claimed
					})
				}
				g.follow(t)
				if job := s.ended(id, s.config()); job.Outcome != store.OutcomeDone || s.files.Started() != 1 {
					t.Errorf("%s (%s) with %d started", job.Outcome, job.Cause, s.files.Started())
				}
				s.sentOnce(true)
			})
		}
	}
}

// TestReplayWaits: while the only replica does not have the record nothing is sent. It
// goes on by itself, or is cancelled, and then nothing was written.
func TestReplayWaits(t *testing.T) {
	t.Parallel()
	for _, cancelled := range []bool{false, true} {
		t.Run(map[bool]string{false: "it goes on", true: "it is cancelled"}[cancelled], func(t *testing.T) {
			t.Parallel()
			b := newOwnBench(t)
			replica := redistest.StartReplica(t, b.server)
			s := replaysOn(b)
			id := s.claimed()
			if err := s.ledger.NoteReplicas(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.leaves(b.server, replica)
			cfg := s.config()
			var once sync.Once
			cfg.Notify = func(ctx context.Context, p repair.Progress) error {
				if !p.Job.Cancellable() {
					return nil
				}
				once.Do(func() {
					if n := s.posts.Load(); n != 0 {
						t.Errorf("%d sent while it waits", n)
					}
					if cancelled {
						if answer, err := s.ledger.Cancel(ctx, id, store.Actor{ID: "U1"}, time.Now()); err != nil || answer.Verdict != repair.JobCancelled {
							t.Errorf("%s, %v", answer.Verdict, err)
						}
					}
					replica.Thaw(t)
				})
				return nil
			}
			outcome, posts, status := store.OutcomeDone, int32(1), "processing"
			if cancelled {
				outcome, posts, status = store.OutcomeCancelled, 0, "pending"
			}
			job := s.ended(id, cfg)
			if held := s.value("session:" + session); job.Outcome != outcome || s.posts.Load() != posts || held["status"] != status {
				t.Errorf("%s (%s) with %d sent, and the session holds %v", job.Outcome, job.Cause, s.posts.Load(), held)
			}
		})
	}
}
