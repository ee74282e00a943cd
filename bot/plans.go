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

// Plans are what waits for a confirmation, and what became of it; see
// store.Ledger.
type Plans interface {
	SetMessage(ctx context.Context, planID string, m store.Message) error
	LoadPlan(ctx context.Context, id string, now time.Time) (store.PlanRecord, error)
	LoadJob(ctx context.Context, id string) (store.Job, error)
	Claim(ctx context.Context, planID, press string, by store.Actor, now time.Time) (store.ClaimAnswer, error)
	Cancel(ctx context.Context, planID string, by store.Actor, now time.Time) (store.ClaimAnswer, error)
	Retell(ctx context.Context, jobID string) (bool, error)
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

// place is where a plan may be shown, and what the asker is told of it where
// that is not the channel they asked in.
type place struct {
	channel string
	pointer blockkit.Line
}

// propose shows a plan, and notes where that is. It is stored already, so its
// buttons live as long as it does.
func (b *Bot) propose(ctx context.Context, to asker, answer commands.Answer) {
	plan := *answer.Plan
	b.showPlan(ctx, to, plan, append(slices.Clone(answer.Blocks), slack.NewActionBlock("", commands.PlanActions(plan, "")...)))
}

// showPlan posts a plan, notes where that is, and tells the asker where it is not
// the channel they are in, or where it could not be shown.
func (b *Bot) showPlan(ctx context.Context, to asker, plan store.Plan, blocks []slack.Block) {
	at, pointer, err := b.postPlan(ctx, to, plan, blocks)
	if err != nil {
		b.log.Error("a plan could not be shown", "ref", to.ref, "error", err)
		words := commands.AsidePlanUnshown
		if FaultOf(err).unclear() {
			words = commands.AsidePlanUnclear
		}
		b.tell(ctx, to, string(words)+" "+FaultOf(err).Advice(), to.ref)
		return
	}
	if err := b.repairs.Plans.SetMessage(ctx, plan.ID, at); err != nil {
		b.log.Error("it is not noted where a plan is shown: the first click will tell", "ref", to.ref, "error", err)
	}
	if pointer != nil {
		b.deliver(ctx, to, message{blocks: []slack.Block{blockkit.Paragraph(pointer)}})
	}
}

// postPlan tries one place after the other, and says what the asker has to be
// told of the one that took it.
func (b *Bot) postPlan(ctx context.Context, to asker, plan store.Plan, blocks []slack.Block) (store.Message, blockkit.Line, error) {
	var err error
	for _, place := range b.placesFor(ctx, to, plan) {
		var m store.Message
		m, err = b.outbox.post(ctx, place.channel, blocks, slack.SlackMetadata{
			EventType: planEvent, EventPayload: map[string]any{"plan": plan.ID}})
		if err == nil {
			return m, place.pointer, nil
		}
		if !FaultOf(err).elsewhere() {
			break
		}
	}
	return store.Message{}, nil, err
}

// placesFor are the channel, the alert channel, and where no second operator is
// needed the requester alone, if they may approve.
func (b *Bot) placesFor(ctx context.Context, to asker, plan store.Plan) []place {
	places := []place{{channel: to.channel}}
	if alert := b.repairs.AlertChannel; alert != "" && alert != to.channel {
		places = append(places, place{alert, blockkit.L(blockkit.Plain("I cannot post in this channel, so the plan is shown in "),
			blockkit.Channel(alert), blockkit.Plain("."))})
	}
	if !b.secondNeeded(plan.Action) && b.operators.admitOperator(ctx, to.user) == nil {
		places = append(places, place{to.user, blockkit.L(blockkit.Plain(string(commands.AsidePlanSent)))})
	}
	return places
}

func (b *Bot) secondNeeded(action store.Action) bool {
	return b.repairs.Approvals == "all" || b.repairs.Approvals == string(action)
}

// place notes where a plan is shown, from a click on it, if that is not known.
func (b *Bot) place(ctx context.Context, to asker, c click, plan *store.PlanRecord) {
	if plan.Message.TS != "" || c.ephemeral || c.message == "" {
		return
	}
	plan.Message = store.Message{Channel: to.channel, TS: c.message}
	if err := b.repairs.Plans.SetMessage(ctx, plan.ID, plan.Message); err != nil {
		b.log.Error("it is not noted where a plan is shown", "ref", to.ref, "error", err)
	}
}
