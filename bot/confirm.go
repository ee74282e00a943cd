package bot

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
)

// confirm carries out a click on a plan. Every click gets an answer.
func (b *Bot) confirm(ctx context.Context, to asker, c click) {
	plan, err := b.repairs.Plans.LoadPlan(ctx, c.value, b.now())
	switch {
	case errors.Is(err, store.ErrUnknownPlan):
		b.line(ctx, to, commands.ClaimLine(store.ClaimAnswer{Verdict: store.Unknown}, b.now()))
		return
	case err != nil:
		b.log.Error("a plan could not be read", "ref", to.ref, "error", err)
		b.tell(ctx, to, commands.RedisErrorText(err)+" Nothing was done.", to.ref)
		return
	}
	if !b.mayDecide(ctx, to, plan, c.action) {
		return
	}
	b.place(ctx, to, c, &plan)
	decide := b.repairs.Plans.Claim
	if c.action == commands.ActionCancel {
		decide = b.repairs.Plans.Cancel
	}
	answer, err := decide(ctx, plan.ID, store.Actor{ID: to.user}, b.now())
	if err != nil {
		b.log.Error("a click could not be carried out", "ref", to.ref, "error", err)
		b.tell(ctx, to, commands.ClickFailedText(err), to.ref)
		return
	}
	b.decided(ctx, to, answer)
}

// mayDecide tells whether the clicker may approve or cancel; others are told
// whom to ask, and that is on record.
func (b *Bot) mayDecide(ctx context.Context, to asker, plan store.PlanRecord, action string) bool {
	own := plan.Requester == store.Actor{ID: to.user}
	if action == commands.ActionCancel && own {
		return true
	}
	err, why := b.operators.admitOperator(ctx, to.user), "not an operator's click on "
	if err == nil && action == commands.ActionApprove && own && b.secondNeeded(plan.Action) {
		err, why = &notAdmitted{words: "You asked for this plan; another operator has to approve it."}, "the asker's own click on "
	}
	if err == nil {
		return true
	}
	b.record(ctx, to, plan.Plan, store.AuditRefused, why+strings.TrimPrefix(action, "confirm."))
	b.turnAway(ctx, to, err)
	return false
}

func (b *Bot) record(ctx context.Context, to asker, plan store.Plan, event store.AuditEvent, detail string) {
	err := b.repairs.Plans.Record(ctx, store.Entry{At: b.now(), Who: store.Actor{ID: to.user}, Where: to.channel, Event: event,
		Action: plan.Action, Session: plan.Session, Plan: plan.ID, Detail: detail})
	if err != nil {
		b.log.Error("the audit trail misses an entry", "ref", to.ref, "event", string(event), "error", err)
	}
}

// decided shows what a click came to: in the message, and to the clicker.
func (b *Bot) decided(ctx context.Context, to asker, answer store.ClaimAnswer) {
	plan := answer.Plan
	b.log.Info("a plan was clicked", "ref", to.ref, "plan", plan.ID, "verdict", string(answer.Verdict))
	switch answer.Verdict {
	case store.Claimed:
		b.record(ctx, to, plan.Plan, store.AuditClaimed, "")
		b.repairs.Wake()
		shown := b.redraw(ctx, to, plan.Message, b.commands.ProgressBlocks(store.Progress{Job: answer.Job, At: b.now()}), nil)
		b.overtaken(ctx, plan.ID)
		if !shown {
			b.tell(ctx, to, "Approved, and being carried out. The message could not be changed and may show its buttons still; its end will stand there.", "")
		}
		return
	case store.Cancelled:
		b.record(ctx, to, plan.Plan, store.AuditCancelled, "")
		if !b.redraw(ctx, to, plan.Message, commands.CancelledBlocks(plan.Plan, answer.By, answer.At), nil) {
			b.tell(ctx, to, "Cancelled, nothing was changed. The message could not be changed and may show its buttons still.", "")
		}
		return
	case store.NeedsSecondClick:
		b.redraw(ctx, to, plan.Message, commands.PlanBlocks(plan.Plan), commands.PlanActions(plan.Plan, true))
		b.overtaken(ctx, plan.ID)
	case store.Expired:
		b.record(ctx, to, plan.Plan, store.AuditRefused, "the plan had expired")
		b.redraw(ctx, to, plan.Message, commands.ExpiredBlocks(plan.Plan), nil)
	case store.Busy:
		b.record(ctx, to, plan.Plan, store.AuditRefused, "another repair was "+string(answer.Doing))
	case store.AlreadyCancelled:
		b.redraw(ctx, to, plan.Message, commands.CancelledBlocks(plan.Plan, answer.By, answer.At), nil)
	}
	b.line(ctx, to, commands.ClaimLine(answer, b.now()))
}

// redraw puts what is true now into a plan's message; false where it could not.
func (b *Bot) redraw(ctx context.Context, to asker, m store.Message, blocks []slack.Block, actions []slack.BlockElement) bool {
	if m.TS == "" {
		return false // shown nowhere that is known
	}
	if len(actions) > 0 {
		blocks = append(slices.Clone(blocks), slack.NewActionBlock("", actions...))
	}
	if err := b.outbox.update(ctx, m, blocks); err != nil {
		b.log.Error("a plan's message could not be changed", "ref", to.ref, "error", err, "advice", faultOf(err).Advice())
		return false
	}
	return true
}

// overtaken: whoever carries the job out may have told its end while something
// older was on its way into the message. Then the end is told once more.
func (b *Bot) overtaken(ctx context.Context, id string) {
	// Who lost the lease meanwhile is the one who may have come too late.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callFor)
	defer cancel()
	again, err := b.repairs.Plans.Retell(ctx, id)
	switch {
	case errors.Is(err, store.ErrUnknownJob): // not even approved
	case err != nil:
		b.log.Error("a job's message may show an old state", "job", id, "error", err)
	case again:
		b.repairs.Wake()
	}
}

// notMade settles an unclear job: an operator looked, and nothing was made.
func (b *Bot) notMade(ctx context.Context, to asker, c click) {
	if err := b.operators.admitOperator(ctx, to.user); err != nil {
		if job, err := b.repairs.Plans.LoadJob(ctx, c.value); err == nil {
			b.record(ctx, to, job.Plan, store.AuditRefused, "not an operator's click on “not made”")
		}
		b.turnAway(ctx, to, err)
		return
	}
	req := commands.Request{User: to.user, Channel: to.channel, Ref: to.ref}
	b.answer(ctx, to, placement{}, func(ctx context.Context) commands.Answer {
		return b.commands.SettleNotMade(ctx, c.value, req)
	})
	b.repairs.Wake()
}

// line answers with one line, only for the asker.
func (b *Bot) line(ctx context.Context, to asker, line blockkit.Line) {
	b.deliver(ctx, to, message{blocks: []slack.Block{blockkit.Paragraph(line)}})
}
