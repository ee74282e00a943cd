package bot

import (
	"context"
	"errors"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/panics"
	"github.com/superduperai/sessionbot/internal/requestid"
)

// maxText is the longest command in bytes: nobody types more, and what waits in
// the queue has to be small.
const maxText = 16 << 10

// handleCommand queues a slash command that was acked.
func (b *Bot) handleCommand(ref string, c slashCommand) {
	to := requester{ref: ref, user: c.User, channel: c.Channel, responseURL: c.ResponseURL}
	if len(c.Text) > maxText {
		b.serve(to, func(ctx context.Context) { b.reply(ctx, to, commands.AsideTooLong) })
		return
	}
	req := commands.Request{Command: c.Command, Text: c.Text, User: c.User, Channel: c.Channel}
	b.enqueue(to, func(ctx context.Context) {
		call := b.cfg.Commands.Parse(req)
		if b.admitted(ctx, to, call) {
			b.answer(ctx, to, placement{request: req}, call.Run)
		}
	})
}

// serve queues work that changes nothing for those who may ask; others are
// refused.
func (b *Bot) serve(to requester, work func(context.Context)) {
	b.enqueue(to, func(ctx context.Context) {
		if b.admitted(ctx, to, commands.Call{}) {
			work(ctx)
		}
	})
}

// enqueue queues work for somebody who waits for an answer, or where there is no
// room the answer that the bot is busy.
func (b *Bot) enqueue(to requester, work func(context.Context)) {
	if b.queue.offer(b.jobFor(to, work)) {
		return
	}
	b.cfg.Metrics.Answered("", "busy", 0)
	busy := b.jobFor(to, func(ctx context.Context) { b.reply(ctx, to, commands.AsideBusy) })
	if !b.busy.offer(busy) { // it was not nearly full before the ack
		b.log.Error("queue full, request unanswered", "ref", to.ref)
	}
}

// jobFor keeps one request's panic from ending the process, and answers it.
func (b *Bot) jobFor(to requester, work func(context.Context)) job {
	return job{person: to.user, channel: to.channel, run: func(ctx context.Context) {
		ctx = requestid.NewContext(ctx, to.ref)
		err := panics.Catch(func() error { work(ctx); return nil })
		panicked, ok := errors.AsType[*panics.Error](err)
		if !ok {
			return
		}
		b.log.ErrorContext(ctx, "request panicked", "panic", panicked.Message, "stack", panicked.Stack)
		b.cfg.Metrics.Answered("", string(commands.Failed), 0)
		if to.deciding {
			b.replyRef(ctx, to, commands.AsideDecidingFault)
		} else {
			b.replyRef(ctx, to, commands.AsideFault)
		}
	}}
}
