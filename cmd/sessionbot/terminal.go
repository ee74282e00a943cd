package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/internal/requestid"
	"github.com/superduperai/sessionbot/store"
)

var exitCodes = map[commands.Outcome]int{
	commands.Done: exitDone, commands.Failed: exitFailed, commands.Usage: exitUsage, commands.Refused: exitRefused,
}

// terminal is one command in a terminal.
type terminal struct {
	house
	config config
	json   bool
	yes    bool
	in     *bufio.Reader
	out    io.Writer
	errs   io.Writer
	log    *slog.Logger
	held   *heldLog
	meter  *meter
}

// runTerminal answers a Slack command in the terminal.
func (p program) runTerminal(ctx context.Context, group string, args []string) int {
	t := terminal{json: slices.Contains(args, "--json"), yes: slices.Contains(args, "--yes"), in: bufio.NewReader(p.in),
		out: p.out, errs: p.errs, held: &heldLog{out: p.errs}, meter: newMeter(p.errs)}
	args = slices.DeleteFunc(args, func(arg string) bool { return arg == "--json" || arg == "--yes" })
	if repair := len(args) > 0 && (args[0] == string(store.ActionFix) || args[0] == string(store.ActionGenerate)); t.yes && !repair {
		return finish(p.errs, fmt.Errorf("%w: --yes belongs to fix and generate", errUsage))
	}
	var err error
	if t.config, err = p.load(false); err != nil {
		return finish(p.errs, err)
	}
	asked := t.config.logLevelSet // else what helps stands in the answer
	if !t.config.logFormatSet {
		t.config.LogFormat = "text"
	}
	t.log = t.config.logger(t.held)
	redis, state, err := openRedis(ctx, t.config)
	if err != nil {
		return finish(p.errs, err)
	}
	defer func() { _, _ = redis.Close(), state.Close() }() // the process ends
	t.house = newHouse(t.config, redis, state, t.log)
	defer t.lookups.Wait()
	ref := requestid.New()
	ctx = requestid.NewContext(ctx, ref)
	answer := t.registry.Parse(commands.Request{
		Command: "/" + group, Text: strings.Join(args, " "), User: osUser(), Terminal: true, Ref: ref, Progress: t.meter.keys,
	}).Run(ctx)
	t.meter.clear()
	if answer.Err != nil {
		t.log.ErrorContext(ctx, "command failed", "command", answer.Name, "error", answer.Err)
	}
	var code int
	if answer.Plan != nil {
		code = t.confirm(ctx, answer, asked)
	} else {
		code = t.print(answer)
	}
	if asked || code == exitFailed {
		t.held.release()
	}
	return code
}

func (t terminal) print(answer commands.Answer) int {
	target := t.out
	if answer.Outcome != commands.Done {
		target = t.errs
	}
	screen, _ := screenOf(target)
	text := screen.Text(answer.Blocks) + "\n"
	switch {
	case answer.Outcome != commands.Done:
	case t.json && answer.JSON != nil:
		body, err := json.Marshal(answer.JSON)
		if err != nil {
			return finish(t.errs, fmt.Errorf("write JSON: %w", err))
		}
		text, target = string(body)+"\n", visibleJSON{target}
	}
	if _, err := io.WriteString(target, text); err != nil {
		t.log.Error("the answer could not be printed", "error", err)
		return exitFailed
	}
	return exitCodes[answer.Outcome]
}

// confirm shows a plan, asks y/N and carries it out. Here the operating system
// says who may; what needs a second operator is refused.
func (t terminal) confirm(ctx context.Context, answer commands.Answer, logs bool) int {
	plan := *answer.Plan
	by := store.Actor{ID: osUser(), Terminal: true}
	screen, _ := screenOf(t.errs)
	say := func(text string) { t.meter.clear(); _, _ = fmt.Fprintln(t.errs, text) } // a terminal that is gone reads nothing
	say(screen.Text(answer.Blocks))
	if logs {
		t.held.release()
	}
	if t.config.Approvals == "all" || t.config.Approvals == string(plan.Action) {
		t.record(ctx, plan.Entry(store.AuditRefused, by, store.Terminal, "it needs a second operator, in Slack", time.Now()))
		say("APPROVALS asks for a second operator, so this has to be approved in Slack: type /session " + string(plan.Action) + " there. Nothing was changed.")
		t.decline(ctx, plan, by)
		return exitRefused
	}
	agreed := t.yes || t.agreed(ctx, "Go on with "+string(plan.Action)+"?")
	if agreed && plan.Risk != "" && !t.yes {
		agreed = t.agreed(ctx, plan.Risk+" Go on all the same?")
	}
	if !agreed {
		t.decline(context.WithoutCancel(ctx), plan, by)
		say("Nothing was changed.")
		return exitRefused
	}
	claim, err := t.ledger.Claim(ctx, plan.ID, "", by, time.Now())
	if err != nil {
		return finish(t.errs, fmt.Errorf("claim the plan: %w", err))
	}
	if claim.Verdict != store.Claimed {
		t.record(ctx, plan.Entry(store.AuditRefused, by, store.Terminal, commands.WhyNot(claim), time.Now()))
		say(lineText(commands.ClaimLine(claim, time.Now())))
		return exitRefused
	}
	return t.follow(ctx, claim.Job, say, screen)
}

func (t terminal) record(ctx context.Context, e store.Entry) {
	if err := t.ledger.Record(ctx, e); err != nil {
		t.log.ErrorContext(ctx, "the audit trail misses an entry", "event", string(e.Event), "error", err)
	}
}

func lineText(line blockkit.Line) string {
	return blockkit.Text([]slack.Block{blockkit.Paragraph(line)})
}

// decline cancels a plan, and puts that on record.
func (t terminal) decline(ctx context.Context, plan store.Plan, by store.Actor) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	answer, err := t.ledger.Cancel(ctx, plan.ID, by, time.Now())
	if err != nil {
		t.log.WarnContext(ctx, "the plan may not be cancelled; it expires by itself", "error", err)
	}
	if answer.Verdict == store.Cancelled {
		t.record(ctx, plan.Entry(store.AuditCancelled, by, store.Terminal, "", time.Now()))
	}
}

// agreed asks. End of input, and a signal, are a no.
func (t terminal) agreed(ctx context.Context, question string) bool {
	_, _ = fmt.Fprint(t.errs, question+" [y/N] ") // a terminal that is gone answers nothing
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
		_, _ = fmt.Fprintln(t.errs) // leaves the line of the question
		return false
	}
}

// follow carries the job out, or watches who does, until it ends. A bot may do
// either while this process stands still. Until then one line says how it stands.
func (t terminal) follow(ctx context.Context, claimed store.Job, say func(string), screen blockkit.Screen) int {
	id, waits := claimed.ID, false
	var shown store.Outcome
	standing, over := t.meter.clock()
	defer over()
	tell := func(_ context.Context, p store.Progress) error {
		blocks := t.registry.ProgressBlocks(p)
		if shown = p.Job.Outcome; shown != "" {
			over()
			say(screen.Text(blocks))
			return nil
		}
		if p.Job.Cancellable() && !waits {
			say(screen.Text(blocks))
		}
		waits = p.Job.Cancellable()
		head, _, _ := strings.Cut(blockkit.Text(blocks), "\n")
		standing(head)
		return nil
	}
	t.jobs.Notify = tell
	runner := jobs.New(t.jobs)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if err := runner.Execute(ctx, id); err != nil && !errors.Is(err, store.ErrLeaseLost) && ctx.Err() == nil {
			t.log.WarnContext(ctx, "interrupted, going on", "error", err)
		}
		job, err := t.ledger.LoadJob(ctx, id)
		if err == nil && job.Outcome != "" && job.Told {
			if shown != job.Outcome {
				_ = tell(ctx, runner.FinalProgress(ctx, job, store.File{})) // it never fails
			}
			return t.ended(job)
		}
		if err == nil && job.Outcome == "" { // another one goes on with it
			_ = tell(ctx, store.Progress{Job: job, At: time.Now()}) // it never fails
		}
		select {
		case <-ctx.Done():
			if waits && errors.Is(context.Cause(ctx), errInterrupted) {
				if job, done := t.cancelled(ctx, runner, id); done {
					return t.ended(job)
				}
			}
			say("Stopped watching. The job goes on wherever a bot runs; see /session history " + claimed.Plan.Session + ".")
			return exitFailed
		case <-tick.C:
		}
	}
}

// cancelled cancels a job that waited when the person left, and tells its end;
// false where it does not wait any more, or that is not known.
func (t terminal) cancelled(ctx context.Context, runner *jobs.Runner, id string) (store.Job, bool) {
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer done()
	answer, err := t.ledger.Cancel(ctx, id, store.Actor{ID: osUser(), Terminal: true}, time.Now())
	if err != nil {
		t.log.WarnContext(ctx, "it is not known whether the job was cancelled", "error", err)
	}
	if answer.Verdict != store.JobCancelled {
		return store.Job{}, false
	}
	err = runner.Execute(ctx, id)
	job, loadErr := t.ledger.LoadJob(ctx, id)
	if err = errors.Join(err, loadErr); err != nil || job.Outcome == "" {
		t.log.WarnContext(ctx, "the job is cancelled, and a bot ends it", "error", err)
	}
	return job, true
}

func (t terminal) ended(job store.Job) int {
	if t.json {
		body, err := json.Marshal(map[string]any{"id": job.Plan.Session, "action": job.Plan.Action, "outcome": job.Outcome,
			"cause": job.Cause, "file_id": job.FileID})
		if err != nil {
			return finish(t.errs, fmt.Errorf("write JSON: %w", err))
		}
		_, _ = fmt.Fprintln(visibleJSON{t.out}, string(body)) // the exit code says the same
	}
	switch job.Outcome {
	case store.OutcomeDone:
		return exitDone
	case store.OutcomeRefused, store.OutcomeCancelled, "": // "": cancelled, and a bot ends it
		return exitRefused
	}
	return exitFailed
}
