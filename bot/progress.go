package bot

import (
	"context"
	"errors"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/store"
)

// Tell shows how a job stands in the message of its plan. The end of a job is
// to be told again where this fails.
func (b *Bot) Tell(ctx context.Context, p store.Progress) error {
	at, ended := p.Job.Plan.Message, p.Job.Outcome != ""
	if at.TS == "" {
		if !ended {
			return nil
		}
		return b.tellElsewhere(ctx, p) // asked for in a terminal that is gone, or its place was never noted
	}
	err := b.show(ctx, p, func(blocks []slack.Block) error { return b.outbox.update(ctx, at, blocks) })
	if !ended { // it may have been shown although the answer says otherwise
		b.overtaken(ctx, p.Job.ID)
	}
	if err == nil || !ended || FaultOf(err).passing() {
		return err
	}
	// The message is gone, or out of reach.
	b.log.ErrorContext(ctx, "a plan's message could not be changed", "job", p.Job.ID, "error", err, "advice", FaultOf(err).Advice())
	return b.tellElsewhere(ctx, p)
}

// tellElsewhere tells the end of a job in its channel, in the alert channel or
// to the one who approved it. Where nobody can be reached the audit trail has
// to do.
func (b *Bot) tellElsewhere(ctx context.Context, p store.Progress) error {
	places := []string{p.Job.Plan.Message.Channel, b.repairs.AlertChannel}
	if !p.Job.Approver.Terminal {
		places = append(places, p.Job.Approver.ID)
	}
	for _, place := range places {
		if place == "" {
			continue
		}
		var at store.Message
		err := b.show(ctx, p, func(blocks []slack.Block) (err error) {
			at, err = b.outbox.post(ctx, place, blocks, slack.SlackMetadata{EventType: planEvent, EventPayload: map[string]any{"plan": p.Job.ID}})
			return err
		})
		if err == nil {
			b.saveMessage(ctx, p.Job.ID, at)
			return nil
		}
		if FaultOf(err).passing() {
			return err
		}
		b.log.WarnContext(ctx, "the end of a job could not be told here", "job", p.Job.ID, "error", err, "advice", FaultOf(err).Advice())
	}
	b.log.ErrorContext(ctx, "the end of a job could be told to nobody: see the audit trail", "job", p.Job.ID)
	return nil
}

// saveMessage records where a job is shown now, so that later updates go there
// instead of being posted once more.
func (b *Bot) saveMessage(ctx context.Context, id string, at store.Message) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordFor)
	defer cancel()
	if err := b.repairs.Plans.SetMessage(ctx, id, at); err != nil && !errors.Is(err, store.ErrUnknownPlan) {
		b.log.WarnContext(ctx, "job message not recorded, updates may be posted again", "job", id, "error", err)
	}
}

// show sends how a job stands, without its picture where Slack refuses that:
// Slack fetches it itself, and may not get it.
func (b *Bot) show(ctx context.Context, p store.Progress, send func([]slack.Block) error) error {
	blocks := func() []slack.Block {
		all := b.commands.ProgressBlocks(p)
		if buttons := commands.ProgressActions(p.Job); len(buttons) > 0 {
			all = append(all, slack.NewActionBlock("", buttons...))
		}
		return all
	}
	err := send(blocks())
	if err != nil && FaultOf(err).ofShape() && p.File.ThumbnailURL != "" {
		b.log.WarnContext(ctx, "Slack refused a message, perhaps for its picture: told without", "job", p.Job.ID, "error", err)
		p.File.ThumbnailURL = ""
		err = send(blocks())
	}
	return err
}
