package jobs_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/store"
)

// TestTwoReplicas: two replicas race for two plans of one session, and one of the
// plans is executed, once. In every second round the second plan is made after the
// first was claimed, from an older examination.
func TestTwoReplicas(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	replicas := [2]*jobs.Runner{jobs.New(b.config()), jobs.New(b.config())}
	for round := range 200 {
		b.orphan()
		x := b.examined()
		plans := [2]string{b.planned(store.ActionGenerate, x)}
		if round%2 == 0 {
			plans[1] = b.planned(store.ActionGenerate, x)
		}
		var race, claimed sync.WaitGroup
		claimed.Add(1)
		for i, replica := range replicas {
			race.Go(func() {
				if round%2 == 1 && i == 1 {
					claimed.Wait()
					plans[1] = b.planned(store.ActionGenerate, x)
				}
				_, err := b.ledger.Claim(t.Context(), plans[i], "", store.Actor{ID: "U2"}, time.Now())
				if i == 0 {
					claimed.Done()
				}
				if err != nil {
					t.Error(err)
				}
				b.executeAll(replica)
			})
		}
		race.Wait()
		b.executeAll(replicas[0]) // what the two took from each other
		if n := b.files.Started(); n != round+1 {
			t.Fatalf("round %d: %d started", round, n)
		}
		outcomes := b.outcomes(plans[:])
		if slices.Index(outcomes, store.OutcomeDone) < 0 || slices.Equal(outcomes, []store.Outcome{store.OutcomeDone, store.OutcomeDone}) {
			t.Fatalf("round %d: %q", round, outcomes)
		}
	}
}

// executeAll executes all pending jobs, as a runner does.
func (b *bench) executeAll(r *jobs.Runner) {
	ids, err := b.ledger.Pending(b.t.Context())
	if err != nil {
		b.t.Error(err)
	}
	for _, id := range ids {
		if err := r.Execute(b.t.Context(), id); err != nil {
			b.t.Error(err)
		}
	}
}

// outcomes are those of the plans that became jobs.
func (b *bench) outcomes(plans []string) []store.Outcome {
	b.t.Helper()
	var all []store.Outcome
	for _, id := range plans {
		if job, err := b.ledger.LoadJob(b.t.Context(), id); err == nil {
			all = append(all, job.Outcome)
		}
	}
	return all
}
