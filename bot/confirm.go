package bot

import (
	"context"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
)

// Plans are what waits for a confirmation; see store.Ledger.
type Plans interface {
	SetMessage(ctx context.Context, planID string, m store.Message) error
	LoadPlan(ctx context.Context, id string, now time.Time) (store.PlanRecord, error)
	LoadJob(ctx context.Context, id string) (store.Job, error)
	Claim(ctx context.Context, planID string, by store.Actor, now time.Time) (store.ClaimAnswer, error)
	Cancel(ctx context.Context, planID string, by store.Actor, now time.Time) (store.ClaimAnswer, error)
	Record(ctx context.Context, e store.Entry) error
}

// Repairs is what confirmations work with.
type Repairs struct {
	Plans        Plans
	Operators    []string // who may approve: ids of users and groups, or "*"; empty = nobody
	Approvals    string   // none, generate or all: what needs a second operator
	AlertChannel string   // where plans go that have no place of their own
	Wake         func()   // after a claim
}

// planEvent marks a plan's message, so that it can be found again.
const planEvent = "sessionbot_plan"

// propose shows a plan where everybody sees it, and notes where that is. It is
// stored already, so its buttons live as long as it does.
func (b *Bot) propose(ctx context.Context, to asker, answer commands.Answer) {
	plan := *answer.Plan
	blocks := append(slices.Clone(answer.Blocks), slack.NewActionBlock("", commands.PlanActions(plan, false)...))
	place, err := b.postPlan(ctx, to, plan, blocks)
	if err != nil {
		b.log.Error("a plan could not be shown", "ref", to.ref, "error", err)
		b.tell(ctx, to, "The plan could not be shown, so nothing will be done. "+faultOf(err).Advice(), to.ref)
		return
	}
	if err := b.repairs.Plans.SetMessage(ctx, plan.ID, place); err != nil {
		b.log.Error("it is not noted where a plan is shown", "ref", to.ref, "error", err)
	}
	if place.Channel != to.channel {
		b.deliver(ctx, to, message{blocks: []slack.Block{blockkit.Paragraph(blockkit.L(
			blockkit.Plain("I am no member of this channel, so the plan is shown in "),
			slack.NewRichTextSectionChannelElement(place.Channel, nil), blockkit.Plain(".")))}})
	}
}

// postPlan tries the channel, then the alert channel, then, where no second
// operator is needed, the requester alone.
func (b *Bot) postPlan(ctx context.Context, to asker, plan store.Plan, blocks []slack.Block) (store.Message, error) {
	places := []string{to.channel}
	if b.repairs.AlertChannel != "" {
		places = append(places, b.repairs.AlertChannel)
	}
	if !b.secondNeeded(plan.Action) {
		places = append(places, to.user)
	}
	var err error
	for _, place := range places {
		var m store.Message
		m, err = b.outbox.post(ctx, place, blocks, slack.SlackMetadata{
			EventType: planEvent, EventPayload: map[string]any{"plan": plan.ID}})
		if err == nil || !slices.Contains([]string{"not_in_channel", "channel_not_found", "is_archived"}, faultOf(err).Code) {
			return m, err
		}
	}
	return store.Message{}, err
}

func (b *Bot) secondNeeded(action store.Action) bool {
	return b.repairs.Approvals == "all" || b.repairs.Approvals == string(action)
}

// mayDecide tells whether the clicker may approve or cancel; others are told
// whom to ask, and that is on record.
func (b *Bot) mayDecide(ctx context.Context, to asker, plan store.PlanRecord, action string) bool {
	own := plan.Requester == store.Actor{ID: to.user}
	if action == commands.ActionCancel && own {
		return true
	}
	words := ""
	switch err := b.operators.admitOperator(ctx, to.user); {
	case err != nil:
		words = err.Error()
	case action == commands.ActionApprove && own && b.secondNeeded(plan.Action):
		words = "You asked for this plan; another operator has to approve it."
	default:
		return true
	}
	b.record(ctx, to, plan.Plan, store.AuditRefused, action)
	b.tell(ctx, to, words, "")
	return false
}

func (b *Bot) record(ctx context.Context, to asker, plan store.Plan, event store.AuditEvent, detail string) {
	err := b.repairs.Plans.Record(ctx, store.Entry{At: b.now(), Who: store.Actor{ID: to.user}, Where: to.channel, Event: event,
		Action: plan.Action, Session: plan.Session, Plan: plan.ID, Detail: detail})
	if err != nil {
		b.log.Error("the audit trail misses an entry", "ref", to.ref, "event", string(event), "error", err)
	}
}

// confirm carries out a click on a plan. Every click gets an answer.
func (b *Bot) confirm(ctx context.Context, to asker, c click) {
	plan, err := b.repairs.Plans.LoadPlan(ctx, c.value, b.now())
	if err != nil {
		b.gone(ctx, to, err)
		return
	}
	if !b.mayDecide(ctx, to, plan, c.action) {
		return
	}
	by := store.Actor{ID: to.user}
	if c.action == commands.ActionCancel {
		answer, err := b.repairs.Plans.Cancel(ctx, plan.ID, by, b.now())
		b.decided(ctx, to, answer, err)
		return
	}
	answer, err := b.repairs.Plans.Claim(ctx, plan.ID, by, b.now())
	b.decided(ctx, to, answer, err)
}

// gone answers a click on a plan that cannot be read.
func (b *Bot) gone(ctx context.Context, to asker, err error) {
	answer := store.ClaimAnswer{Verdict: store.Unknown}
	if b.unknownPlan(err) {
		b.deliver(ctx, to, message{blocks: []slack.Block{blockkit.Paragraph(commands.ClaimLine(answer, b.now()))}})
		return
	}
	b.log.Error("a plan could not be read", "ref", to.ref, "error", err)
	b.tell(ctx, to, "Redis did not answer, so nothing was done. Press the button again in a minute.", to.ref)
}

// decided shows what a click came to: in the message, and to the clicker.
func (b *Bot) decided(ctx context.Context, to asker, answer store.ClaimAnswer, err error) {
	if err != nil {
		b.log.Error("a click could not be carried out", "ref", to.ref, "error", err)
		b.tell(ctx, to, "Redis did not answer, so it is not known whether your click counted. Look at the message in a minute; press again if nothing has happened.", to.ref)
		return
	}
	plan := answer.Plan
	b.log.Info("a plan was clicked", "ref", to.ref, "plan", plan.ID, "verdict", string(answer.Verdict))
	switch answer.Verdict {
	case store.Claimed:
		b.record(ctx, to, plan.Plan, store.AuditClaimed, "")
		b.redraw(ctx, to, plan.Message, b.commands.ProgressBlocks(store.Progress{Job: answer.Job, At: b.now()}), nil)
		b.repairs.Wake()
		return
	case store.Cancelled:
		b.record(ctx, to, plan.Plan, store.AuditCancelled, "")
		b.redraw(ctx, to, plan.Message, commands.CancelledBlocks(plan.Plan, answer.By, answer.At), nil)
		return
	case store.NeedsSecondClick:
		b.redraw(ctx, to, plan.Message, commands.PlanBlocks(plan.Plan), commands.PlanActions(plan.Plan, true))
	case store.Expired:
		b.redraw(ctx, to, plan.Message, commands.ExpiredBlocks(plan.Plan), nil)
	case store.AlreadyCancelled:
		b.redraw(ctx, to, plan.Message, commands.CancelledBlocks(plan.Plan, answer.By, answer.At), nil)
	}
	b.deliver(ctx, to, message{blocks: []slack.Block{blockkit.Paragraph(commands.ClaimLine(answer, b.now()))}})
}

// redraw puts what is true now into a plan's message.
func (b *Bot) redraw(ctx context.Context, to asker, m store.Message, blocks []slack.Block, actions []slack.BlockElement) {
	if m.TS == "" {
		return // shown nowhere that is known; the clicker is answered all the same
	}
	if len(actions) > 0 {
		blocks = append(slices.Clone(blocks), slack.NewActionBlock("", actions...))
	}
	if err := b.outbox.update(ctx, m, blocks); err != nil {
		b.log.Error("a plan's message could not be changed", "ref", to.ref, "error", err, "advice", faultOf(err).Advice())
	}
}

// notMade settles an unclear job: an operator looked, and nothing was made.
func (b *Bot) notMade(ctx context.Context, to asker, c click) {
	if err := b.operators.admitOperator(ctx, to.user); err != nil {
		b.tell(ctx, to, err.Error(), "")
		return
	}
	job, err := b.repairs.Plans.LoadJob(ctx, c.value)
	if err != nil {
		b.gone(ctx, to, err)
		return
	}
	req := commands.Request{User: to.user, Channel: to.channel, Ref: to.ref}
	b.answer(ctx, to, placement{}, func(ctx context.Context) commands.Answer {
		return b.commands.SettleNotMade(ctx, job.Plan.Session, req)
	})
	b.repairs.Wake()
}

// Tell shows how a job stands in the message of its plan. The end of a job is
// to be told again where this fails.
func (b *Bot) Tell(ctx context.Context, p store.Progress) error {
	if p.Job.Plan.Message.TS == "" {
		return nil // asked for in a terminal, which tells it itself
	}
	blocks := b.commands.ProgressBlocks(p)
	if p.Job.Outcome != "" {
		blocks = append(blocks, slack.NewActionBlock("", commands.ProgressActions(p.Job)...))
	}
	err := b.outbox.update(ctx, p.Job.Plan.Message, blocks)
	if err == nil || p.Job.Outcome == "" || faultOf(err).Retryable() {
		return err
	}
	// The message is gone, or out of reach: the end is told anew in its place.
	b.log.Error("a plan's message could not be changed", "job", p.Job.ID, "error", err, "advice", faultOf(err).Advice())
	_, err = b.outbox.post(ctx, p.Job.Plan.Message.Channel, blocks, slack.SlackMetadata{})
	if err != nil && !faultOf(err).Retryable() {
		b.log.Error("the end of a job could be told to nobody: see the audit trail", "job", p.Job.ID, "error", err)
		return nil
	}
	return err
}
