package bot

import (
	"context"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
)

const (
	actionDebug = "session.debug"
	actionShare = "session.share"

	// ownBlock marks the buttons of an answer about one session: Debug pressed
	// there looks again at what the message shows.
	ownBlock = "refresh"

	maxValue = 2000 // characters that Slack allows, and more than ours ever have
)

// click is a button that somebody pressed.
type click struct {
	action, value, block string
	message              string // its ts
	view                 bool   // it is no message's, but a modal's or the App Home's
	ephemeral            bool   // the message is visible to the clicker only
}

// heardClick queues a click that was acked. Other interactions have no place in
// this app.
func (b *Bot) heardClick(ref string, i interaction) {
	if i.kind != string(slack.InteractionTypeBlockActions) || !i.pressed {
		b.log.Warn("acked an interaction that is no click", "ref", ref)
		return
	}
	to := asker{ref: ref, user: i.user, channel: i.channel, responseURL: i.responseURL}
	pressed := i.click
	if len(pressed.value) > maxValue {
		pressed.value = "" // it stands for nothing
	}
	switch pressed.action {
	case commands.ActionApprove, commands.ActionCancel: // who may is looked at with the plan
		to.deciding = true
		b.take(to, func(ctx context.Context) { b.confirm(ctx, to, pressed) })
	case commands.ActionNotMade:
		to.deciding = true
		b.take(to, func(ctx context.Context) { b.notMade(ctx, to, pressed) })
	case commands.ActionAcknowledge, commands.ActionSnooze:
		b.serve(to, func(ctx context.Context) { b.pressed(ctx, to, pressed) })
	case actionShare:
		b.serve(to, func(ctx context.Context) { b.share(ctx, to, pressed) })
	default:
		b.take(to, func(ctx context.Context) { b.start(ctx, to, pressed) })
	}
}

// start runs the command that a button stands for. Actions that nobody knows
// are answered by the commands, too.
func (b *Bot) start(ctx context.Context, to asker, c click) {
	req := commands.Request{User: to.user, Channel: to.channel, Ref: to.ref}
	call := b.commands.ParseAction(c.action, c.value, req)
	if !b.admitted(ctx, to, call.Repair) {
		return
	}
	own := c.ephemeral && c.action == actionDebug && c.block == ownBlock
	b.answer(ctx, to, placement{replace: own}, call.Run)
}

// forEverybody renames Refresh below what was shared: whoever presses it gets
// an answer of their own.
func forEverybody(buttons []slack.BlockElement) []slack.BlockElement {
	var renamed []slack.BlockElement
	for _, button := range buttons {
		if b, ok := button.(*slack.ButtonBlockElement); ok && b.ActionID == actionDebug {
			button = blockkit.Button(actionDebug, "Debug", b.Value)
		}
		renamed = append(renamed, button)
	}
	return renamed
}

// layOut puts an answer and its buttons together.
func (b *Bot) layOut(ctx context.Context, answer commands.Answer, p placement) message {
	m := message{blocks: answer.Blocks, public: p.sharedBy != "", replace: p.replace}
	if p.sharedBy != "" {
		m.blocks = append([]slack.Block{blockkit.Context("shared by <@" + blockkit.Escape(p.sharedBy) + ">")}, m.blocks...)
	}
	buttons := answer.Actions
	if p.sharedBy != "" {
		buttons = forEverybody(buttons)
	}
	if answer.Shareable && !m.public {
		if value, ok := b.shareValue(ctx, answer, p.request); ok {
			buttons = append(buttons[:len(buttons):len(buttons)], blockkit.Button(actionShare, "Share", value))
		}
	}
	if len(buttons) == 0 {
		return m
	}
	block := ""
	if answer.Session != "" {
		block = ownBlock
	}
	m.blocks = append(m.blocks[:len(m.blocks):len(m.blocks)], slack.NewActionBlock(block, buttons...))
	return m
}
