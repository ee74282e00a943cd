package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/repair"
)

// include offers to plan also the sessions whose event Stripe will still deliver, and
// returns the answer with that plan if the person agrees.
func (t terminal) include(ctx context.Context, plan repair.Plan) (answer commands.Answer, agreed bool) {
	n, _ := plan.Includable()
	if n == 0 || t.yes || !t.ask(ctx, fmt.Sprintf("Also include the %d whose events Stripe is, or may be, still retrying? Each may be made, and charged, twice.", n)) {
		return answer, false
	}
	req := commands.Request{User: osUser(), Terminal: true}
	return t.registry.ParseAction(message.ActionInclude, plan.ID, req).Run(ctx), true
}

// followBulk executes a bulk plan together with the running bots until it is over. A
// pause, which has no button in a terminal, ends it.
func (t terminal) followBulk(ctx context.Context, claimed repair.Job) error {
	id, paused, last := claimed.ID, false, claimed
	setState, stopClock := t.meter.clock()
	defer stopClock()
	t.jobs.Notify = func(context.Context, repair.Progress) error { return nil } // the progress is shown below
	t.jobs.Mine = func(job string) bool { return repair.OfBulk(id, job) }
	running, stop := context.WithCancel(ctx)
	var runner sync.WaitGroup
	executor := jobs.New(t.jobs)
	runner.Go(func() { _ = executor.Run(running) }) // it never fails
	defer runner.Wait()
	defer stop()
	tick := time.NewTicker(timings.jobs.BaseDelay / 2)
	defer tick.Stop()
	for {
		job, err := t.ledger.LoadJob(ctx, id)
		if err == nil {
			last = job
		}
		switch {
		case err != nil:
		case job.Outcome != "" && job.Notified:
			stopClock()
			t.show(t.registry.ProgressBlocks(executor.FinalProgress(ctx, job, store.File{})))
			return t.bulkEnded(job, paused)
		case job.Bulk.Paused() && job.Bulk.Counts().Running == 0 && !paused:
			if _, err := t.stopBulk(ctx, id); err != nil {
				break // it is tried again
			}
			paused = true
			t.show(t.registry.ProgressBlocks(repair.Progress{Job: job, At: time.Now()}))
		default:
			state, _, _ := strings.Cut(blockkit.Text(t.registry.ProgressBlocks(repair.Progress{Job: job, At: time.Now()})), "\n")
			setState(state)
		}
		select {
		case <-ctx.Done():
			stopClock()
			if !errors.Is(context.Cause(ctx), errInterrupted) {
				t.say("Stopped watching. A running bot continues the repair.")
				return exitFailed
			}
			job, err := t.stopBulk(ctx, id)
			if err != nil {
				t.say("Could not stop it: Redis did not answer. Once it does, running bots continue the plan; to prevent that, stop them first.")
				return cmp.Or(t.bulkEnded(last, paused), error(exitFailed))
			}
			t.say("Stopped: no more sessions will start. A running bot finishes those under way; stopping undoes nothing.")
			return t.bulkEnded(job, paused)
		case <-tick.C:
		}
	}
}

// stopBulk has no more sessions begun.
func (t terminal) stopBulk(ctx context.Context, id string) (repair.Job, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	job, _, err := t.repairs.StopBulk(ctx, id, store.Actor{ID: osUser(), Terminal: true}, audit.Terminal)
	if err != nil {
		t.log.WarnContext(ctx, "bulk plan not stopped", "error", err)
	}
	return job, err
}

// bulkEnded prints the result for scripts and turns it into an exit code.
func (t terminal) bulkEnded(job repair.Job, paused bool) error {
	report := message.BulkJSON(job)
	report.Paused = report.Paused || paused
	if t.json {
		if err := t.printJSON(report); err != nil {
			return err
		}
	}
	if report.Failed+report.Left > 0 || report.Paused {
		return exitFailed
	}
	return nil
}
