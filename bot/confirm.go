package bot

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
)

// confirm carries out a click on a plan. Every click gets an answer.
func (b *Bot) confirm(ctx context.Context, to asker, c click) {
	id, press := commands.PlanOf(c.value)
	plan, err := b.repairs.Plans.LoadPlan(ctx, id, b.now())
	switch {
	case errors.Is(err, store.ErrUnknownPlan):
		b.log.Info("a plan that is gone was clicked", "ref", to.ref)
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
	if !c.view && !shownIn(plan.Message, to, c) {
		b.log.Warn("a plan was clicked in another message than its own", "ref", to.ref, "plan", plan.ID)
		b.record(ctx, to, plan.Entry(store.AuditRefused, to.actor(), to.channel, "a click on "+buttonName(c.action)+" in another message", b.now()))
		b.line(ctx, to, blockkit.L(blockkit.Plain(string(commands.AsideElsewhere)+" "), blockkit.Channel(plan.Message.Channel), blockkit.Plain(".")))
		return
	}
	b.place(ctx, to, c, &plan)
	var answer store.ClaimAnswer
	if c.action == commands.ActionCancel {
		answer, err = b.repairs.Plans.Cancel(ctx, plan.ID, to.actor(), b.now())
	} else {
		answer, err = b.repairs.Plans.Claim(ctx, plan.ID, press, to.actor(), b.now())
	}
	if err != nil {
		b.log.Error("a click could not be carried out", "ref", to.ref, "error", err)
		b.tell(ctx, to, commands.ClickFailedText(err), to.ref)
		return
	}
	b.decided(ctx, to, c, answer)
}

// shownIn reports whether a click was made in a plan's message, if it is known
// where that is: what was not read cannot have been decided.
func shownIn(m store.Message, to asker, c click) bool {
	return m.TS == "" || m.TS == c.message && m.Channel == to.channel
}

// mayDecide tells whether the clicker may approve or cancel; others are told
// whom to ask, and that is on record.
func (b *Bot) mayDecide(ctx context.Context, to asker, plan store.PlanRecord, action string) bool {
	own := plan.Requester == to.actor()
	if action == commands.ActionCancel && own {
		return true
	}
	err, why := b.operators.admitOperator(ctx, to.user), "not an operator's click on "
	if err == nil && action == commands.ActionApprove && own && b.secondNeeded(plan.Action) {
		err, why = &notAdmitted{words: string(commands.AsideOwnPlan), ask: b.operators.others(to.user)}, "the asker's own click on "
	}
	if err == nil {
		return true
	}
	b.record(ctx, to, plan.Entry(store.AuditRefused, to.actor(), to.channel, why+buttonName(action), b.now()))
	b.turnAway(ctx, to, err)
	return false
}

func buttonName(action string) string { return strings.TrimPrefix(action, "confirm.") }

// recordFor is how long an answer waits for the audit trail.
const recordFor = 2 * time.Second

func (b *Bot) record(ctx context.Context, to asker, e store.Entry) {
	ctx, cancel := context.WithTimeout(ctx, recordFor)
	defer cancel()
	if err := b.repairs.Plans.Record(ctx, e); err != nil {
		b.log.Error("the audit trail misses an entry", "ref", to.ref, "event", string(e.Event), "error", err)
	}
}

// decided puts on record what a click came to, and shows it: in the message,
// and to the clicker.
func (b *Bot) decided(ctx context.Context, to asker, c click, answer store.ClaimAnswer) {
	plan, event, detail := answer.Plan, store.AuditRefused, "a click on "+buttonName(c.action)+": "
	b.log.Info("a plan was clicked", "ref", to.ref, "plan", plan.ID, "asked_under", plan.Ref, "verdict", string(answer.Verdict))
	switch answer.Verdict {
	case store.Claimed, store.JobCancelled: // its job is recorded by the runner
		event = ""
		defer b.repairs.Wake()
	case store.Cancelled:
		event, detail = store.AuditCancelled, ""
	case store.NeedsSecondClick:
		event, detail = store.AuditPressed, "the first of two presses"
	case store.Unknown: // gone since it was read, a moment ago
		b.line(ctx, to, commands.ClaimLine(answer, b.now()))
		return
	default:
		detail += commands.WhyNot(answer)
	}
	if event != "" {
		b.record(ctx, to, plan.Entry(event, to.actor(), to.channel, detail, b.now()))
	}
	shown := b.showDecided(ctx, to, answer)
	switch {
	case answer.Verdict != store.Claimed && answer.Verdict != store.Cancelled && answer.Verdict != store.JobCancelled:
		b.line(ctx, to, commands.ClaimLine(answer, b.now()))
	case !shown && answer.Verdict == store.Claimed:
		b.tell(ctx, to, string(commands.AsideApproved), "")
	case !shown:
		b.tell(ctx, to, string(commands.AsideCancelled), "")
	}
}

// showDecided brings the plan's message up to what a click came to; false where
// it could not.
func (b *Bot) showDecided(ctx context.Context, to asker, answer store.ClaimAnswer) (shown bool) {
	plan := answer.Plan
	switch answer.Verdict {
	case store.Claimed, store.JobCancelled:
		shown = b.redraw(ctx, to, plan.Message, b.commands.ProgressBlocks(store.Progress{Job: answer.Job, At: b.now()}), nil)
		b.overtaken(ctx, plan.ID)
	case store.NeedsSecondClick:
		b.redrawPressed(ctx, to, answer)
		b.overtaken(ctx, plan.ID)
	case store.Expired:
		b.redraw(ctx, to, plan.Message, commands.ExpiredBlocks(plan.Plan), nil)
	case store.Cancelled, store.AlreadyCancelled:
		shown = b.redraw(ctx, to, plan.Message, commands.CancelledBlocks(plan.Plan, answer.By, answer.At), nil)
	}
	return shown
}

// redraw puts what is true now into a plan's message; false where it could not.
func (b *Bot) redraw(ctx context.Context, to asker, m store.Message, blocks []slack.Block, actions []slack.BlockElement) bool {
	if m.TS == "" {
		return false // shown nowhere that is known
	}
	if len(actions) > 0 {
		blocks = append(slices.Clone(blocks), slack.NewActionBlock("", actions...))
	}
	return b.change(ctx, to, m, blocks) == nil
}

func (b *Bot) change(ctx context.Context, to asker, m store.Message, blocks []slack.Block) error {
	err := b.outbox.update(ctx, m, blocks)
	if err != nil {
		b.log.Error("a plan's message could not be changed", "ref", to.ref, "error", err, "advice", FaultOf(err).Advice())
	}
	return err
}

// redrawPressed shows the button for the second press. Where the plan's message
// can no longer be updated, or its place is unknown, the plan is posted again:
// without the button nobody could approve it.
func (b *Bot) redrawPressed(ctx context.Context, to asker, answer store.ClaimAnswer) {
	plan := answer.Plan
	blocks := append(slices.Clone(commands.PressedBlocks(plan.Plan, to.actor())),
		slack.NewActionBlock("", commands.PlanActions(plan.Plan, answer.Press)...))
	if plan.Message.TS != "" {
		if err := b.change(ctx, to, plan.Message, blocks); err == nil || !FaultOf(err).elsewhere() {
			return
		}
	}
	b.showPlan(ctx, to, plan.Plan, blocks)
}

// overtaken: whoever carries the job out may have told its end while something
// older was on its way into the message. Then the end is told once more.
func (b *Bot) overtaken(ctx context.Context, id string) {
	// Who lost the lease meanwhile is the one who may have come too late.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), b.patience.times(callFor))
	defer cancel()
	again, err := b.repairs.Plans.Retell(ctx, id)
	switch {
	case errors.Is(err, store.ErrUnknownJob): // not even approved
	case err != nil:
		b.log.ErrorContext(ctx, "a job's message may show an old state", "job", id, "error", err)
	case again:
		b.repairs.Wake()
	}
}

// notMade settles an unclear job: an operator looked, and nothing was made.
func (b *Bot) notMade(ctx context.Context, to asker, c click) {
	if err := b.operators.admitOperator(ctx, to.user); err != nil {
		if job, err := b.repairs.Plans.LoadJob(ctx, c.value); err == nil {
			b.record(ctx, to, job.Plan.Entry(store.AuditRefused, to.actor(), to.channel, "not an operator's click on “not made”", b.now()))
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
