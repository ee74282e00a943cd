package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/repair"
)

// confirm shows a plan, asks y/N and executes it. In a terminal the operating system
// decides who may approve; what needs a second operator is refused.
func (t terminal) confirm(ctx context.Context, answer commands.Answer) error {
	plan := *answer.Plan
	user := store.Actor{ID: osUser(), Terminal: true}
	t.show(answer.Blocks)
	if t.config.logLevelSet {
		t.held.release()
	}
	if repair.NeedsSecondOperator(t.config.Approvals, plan.Action) {
		t.repairs.RecordRefusal(ctx, plan.Entry(audit.Refused, user, audit.Terminal, "it needs a second operator, in Slack", time.Now()))
		t.say("APPROVALS requires a second operator, so this must be approved in Slack: type " + message.PlanCommand(plan) + " there. Nothing was changed.")
		t.decline(ctx, plan, user)
		return exitRefused
	}
	if other, agreed := t.include(ctx, plan); agreed {
		t.decline(ctx, plan, user)
		return t.deliver(ctx, other)
	}
	question := "Go on with " + string(plan.Action) + "?"
	if plan.IsBulk() {
		question = fmt.Sprintf("Go on with %s for %d?", plan.Action, len(plan.Items))
	}
	approved := t.yes || t.ask(ctx, question)
	if approved && plan.Risk != "" && !t.yes {
		approved = t.ask(ctx, plan.Risk+" Go on anyway?")
	}
	if !approved {
		t.decline(context.WithoutCancel(ctx), plan, user)
		t.addNote(context.WithoutCancel(ctx), plan.ID, user)
		if t.readsPrompt && t.promptFile == "" && !t.typed {
			t.say("Standard input held the prompt, so it has no answer: put the prompt into a file for --prompt-file, or add --yes.")
		}
		t.say("Nothing was changed.")
		return exitRefused
	}
	claim, err := t.repairs.Approve(ctx, plan.ID, "", user, audit.Terminal)
	if err != nil {
		return fmt.Errorf("claim the plan: %w", err)
	}
	if claim.Verdict != repair.Claimed {
		t.show([]slack.Block{blockkit.Paragraph(message.PlanClickReply(claim, time.Now()))})
		return exitRefused
	}
	t.addNote(ctx, plan.ID, user)
	if claim.Job.Bulk != nil {
		return t.followBulk(ctx, claim.Job)
	}
	return t.follow(ctx, claim.Job)
}

// decline cancels a plan.
func (t terminal) decline(ctx context.Context, plan repair.Plan, user store.Actor) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if _, err := t.repairs.Cancel(ctx, plan.ID, user, audit.Terminal); err != nil {
		t.log.WarnContext(ctx, "plan not cancelled, left to expire", "error", err)
	}
}

// addNote adds the note from the command line to the decision about a plan.
func (t terminal) addNote(ctx context.Context, plan string, user store.Actor) {
	if t.note == "" {
		return
	}
	if err := t.repairs.AddNote(ctx, plan, t.note, user, audit.Terminal); err != nil {
		t.log.WarnContext(ctx, "note not saved", "error", err)
		t.say("The note was not saved. The decision stands.")
	}
}

// ask reports whether the person agrees. End of input, and a signal, are a no.
func (t terminal) ask(ctx context.Context, question string) bool {
	_, _ = fmt.Fprint(t.errs, t.meter.screen.List(question)+" [y/N] ") // a terminal that is gone answers nothing
	answers := make(chan string, 1)
	go func() {
		line, err := t.in.ReadString('\n')
		if err != nil {
			line = ""
		}
		answers <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case answer := <-answers:
		return answer == "y" || answer == "yes"
	case <-ctx.Done():
		_, _ = fmt.Fprintln(t.errs) // ends the line of the question
		return false
	}
}

// follow executes the job, or waits for the process that does, until it has ended: a bot may
// take over while this process is suspended. Meanwhile one line shows its state.
func (t terminal) follow(ctx context.Context, claimed repair.Job) error {
	id, waiting := claimed.ID, false
	var shown store.Outcome
	setState, stopClock := t.meter.clock()
	defer stopClock()
	report := func(_ context.Context, p repair.Progress) error {
		blocks := t.registry.ProgressBlocks(p)
		if shown = p.Job.Outcome; shown != "" {
			stopClock()
			t.show(blocks)
			return nil
		}
		if p.Job.Cancellable() && !waiting {
			t.show(blocks)
		}
		waiting = p.Job.Cancellable()
		state, _, _ := strings.Cut(blockkit.Text(blocks), "\n")
		setState(state)
		return nil
	}
	t.jobs.Notify = report
	runner := jobs.New(t.jobs)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if err := runner.Execute(ctx, id); err != nil && !errors.Is(err, lease.ErrLost) && ctx.Err() == nil {
			t.log.WarnContext(ctx, "job interrupted, will retry", "error", err)
		}
		job, err := t.ledger.LoadJob(ctx, id)
		if err == nil && job.Outcome != "" && job.Notified {
			if shown != job.Outcome {
				_ = report(ctx, runner.FinalProgress(ctx, job, store.File{})) // it never fails
			}
			return t.ended(job)
		}
		if err == nil && job.Outcome == "" { // a bot executes it
			_ = report(ctx, repair.Progress{Job: job, At: time.Now()}) // it never fails
		}
		select {
		case <-ctx.Done():
			if waiting && errors.Is(context.Cause(ctx), errInterrupted) {
				if job, done := t.cancelWaiting(ctx, runner, id); done {
					return t.ended(job)
				}
			}
			t.say("Stopped watching. A running bot continues the repair; see sessionbot session history " + claimed.Plan.Session + ".")
			return exitFailed
		case <-tick.C:
		}
	}
}

// cancelWaiting cancels a job that was waiting when the person interrupted it. It
// reports false where the job does not wait any more, or that is not known.
func (t terminal) cancelWaiting(ctx context.Context, runner *jobs.Runner, id string) (repair.Job, bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	answer, err := t.repairs.Cancel(ctx, id, store.Actor{ID: osUser(), Terminal: true}, audit.Terminal)
	if err != nil {
		t.log.WarnContext(ctx, "cancellation of the job unconfirmed", "error", err)
	}
	if answer.Verdict != repair.JobCancelled {
		return repair.Job{}, false
	}
	err = runner.Execute(ctx, id)
	job, loadErr := t.ledger.LoadJob(ctx, id)
	if err = errors.Join(err, loadErr); err != nil || job.Outcome == "" {
		t.log.WarnContext(ctx, "job cancelled, left to a bot to end", "error", err)
	}
	return job, true
}

// ended prints the result for scripts and turns it into an exit code.
func (t terminal) ended(job repair.Job) error {
	if t.json {
		err := t.printJSON(map[string]any{"id": job.Plan.Session, "action": job.Plan.Action, "outcome": job.Outcome,
			"cause": job.Cause, "file_id": job.FileID})
		if err != nil {
			return err
		}
	}
	switch job.Outcome {
	case store.OutcomeDone:
		return nil
	case store.OutcomeRefused, store.OutcomeCancelled, "": // "": cancelled, and a bot ends it
		return exitRefused
	}
	return exitFailed
}
