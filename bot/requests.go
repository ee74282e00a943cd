package bot

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/requestid"
	"github.com/superduperai/sessionbot/store"
)

// maxText is the longest command in bytes: nobody types more, and what waits in
// the queue has to be small.
const maxText = 16 << 10

// heardCommand queues a slash command that was acked.
func (b *Bot) heardCommand(ref string, c slashCommand) {
	to := asker{ref: ref, user: c.user, channel: c.channel, responseURL: c.responseURL}
	if len(c.text) > maxText {
		b.serve(to, func(ctx context.Context) { b.tell(ctx, to, string(commands.AsideTooLong), "") })
		return
	}
	req := commands.Request{Command: c.command, Text: c.text, User: c.user, Channel: c.channel, Ref: ref}
	b.take(to, func(ctx context.Context) {
		call := b.commands.Parse(req)
		if b.admitted(ctx, to, call.Repair) {
			b.answer(ctx, to, placement{request: req}, call.Run)
		}
	})
}

// serve queues what changes nothing for whoever may ask; others are told who may.
func (b *Bot) serve(to asker, work func(context.Context)) {
	b.take(to, func(ctx context.Context) {
		if b.admitted(ctx, to, commands.Repair{}) {
			work(ctx)
		}
	})
}

// take queues work for somebody who waits for an answer. Whoever finds no room
// is told so.
func (b *Bot) take(to asker, work func(context.Context)) {
	forAsker := func(work func(context.Context)) job {
		return job{person: to.user, channel: to.channel, run: func(ctx context.Context) {
			ctx = requestid.NewContext(ctx, to.ref)
			defer b.contain(ctx, to)
			work(ctx)
		}}
	}
	if b.queue.offer(forAsker(work)) {
		return
	}
	busy := forAsker(func(ctx context.Context) { b.tell(ctx, to, string(commands.AsideBusy), "") })
	b.metrics.Answered("", "busy", 0)
	if !b.busy.offer(busy) { // swamped looks before anything is acked
		b.log.Error("a request goes unanswered", "ref", to.ref)
	}
}

// swamped reports whether there is no room even for those who are to be told
// that we are busy.
func (b *Bot) swamped(ref string) bool {
	if !b.busy.full() {
		return false
	}
	b.metrics.Answered("", "unheard", 0)
	b.log.Error("too busy even to say so: not acked, so that Slack tells the person", "ref", ref)
	return true
}

// contain keeps one request's panic from ending the process, and answers it.
func (b *Bot) contain(ctx context.Context, to asker) {
	value := recover()
	if value == nil {
		return
	}
	b.log.Error("a request panicked", "ref", to.ref, "panic", panicOf(value), "stack", string(debug.Stack()))
	b.metrics.Answered("", string(commands.Failed), 0)
	words := commands.AsideFault
	if to.deciding {
		words = commands.AsideDecidingFault
	}
	b.tell(ctx, to, string(words), to.ref)
}

// panicOf names a panic for the log. Its value may hold a customer's data, so
// only the runtime's own words are told.
func panicOf(value any) string {
	if fault, ok := value.(runtime.Error); ok {
		return fault.Error()
	}
	return fmt.Sprintf("%T", value)
}

// apologise answers what could not be read.
func (b *Bot) apologise(to asker) {
	b.take(to, func(ctx context.Context) {
		b.tell(ctx, to, string(commands.AsideUnread), to.ref)
	})
}

// placement is how an answer is shown.
type placement struct {
	request  commands.Request // to be asked again when the answer is shared
	replace  bool             // in the place of the message that was clicked
	sharedBy string           // in the channel, in this person's name; "" = not shared
	claim    string           // of the click that shares
}

// answer runs a request and delivers what it says.
func (b *Bot) answer(ctx context.Context, to asker, p placement, run func(context.Context) commands.Answer) {
	started := b.now()
	limited, cancel := context.WithTimeout(ctx, b.patience.times(runFor))
	defer cancel()
	answer := run(limited)
	if answer.Outcome != commands.Done {
		if p.sharedBy != "" {
			b.unshare(ctx, to, p)
		}
		p.replace, p.sharedBy = false, "" // only what was seen takes another's place
	}
	if answer.Plan != nil {
		b.propose(ctx, to, answer)
	} else {
		b.deliver(ctx, to, b.layOut(ctx, answer, p))
	}
	took := b.now().Sub(started)
	b.metrics.Answered(answer.Name, string(answer.Outcome), took)
	attrs := []any{"ref", to.ref, "command", answer.Name, "outcome", string(answer.Outcome), "took_ms", took.Milliseconds()}
	if answer.Err != nil {
		b.log.Error("answered a request that failed", append(attrs, "error", answer.Err)...)
		return
	}
	b.log.Info("answered", attrs...)
}

// admitted tells whether the asker may ask for this. Others are told who may;
// where it would have changed a session that is on record.
func (b *Bot) admitted(ctx context.Context, to asker, repair commands.Repair) bool {
	err, why := b.readers.admit(ctx, to.user), "asked for by somebody who may not ask"
	if err == nil && repair.Operators {
		err, why = b.operators.admitOperator(ctx, to.user), "asked for by somebody who is no operator"
	}
	if err == nil {
		return true
	}
	if repair.Session != "" {
		b.record(ctx, to, store.Entry{At: b.now(), Who: to.actor(), Where: to.channel, Event: store.AuditRefused,
			Action: repair.Action, Session: repair.Session, Detail: repair.Command + ": " + why})
	}
	b.turnAway(ctx, to, err)
	return false
}

// tell answers with one sentence, only for the asker. A ref lets them point at
// the log.
func (b *Bot) tell(ctx context.Context, to asker, sentence, ref string) {
	line := blockkit.L(blockkit.Plain(sentence))
	if ref != "" {
		line = append(line, blockkit.Plain(" Ref "), blockkit.Code(ref), blockkit.Plain("."))
	}
	b.deliver(ctx, to, message{blocks: []slack.Block{blockkit.Paragraph(line)}})
}

// deliver sees a message to its asker: through response_url, else with the
// bot's own voice. It goes on when the process is asked to stop.
func (b *Bot) deliver(ctx context.Context, to asker, m message) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), b.patience.times(sendFor))
	defer cancel()
	err := b.outbox.respond(ctx, to, m)
	if err == nil {
		return
	}
	fault := FaultOf(err)
	log := b.log.With("ref", to.ref)
	log.Warn("an answer could not be sent through its response_url", "error", err, "code", fault.Code)
	if to.channel == "" || to.user == "" {
		return
	}
	own := m
	if m.public {
		own = message{blocks: []slack.Block{blockkit.Paragraph(blockkit.L(
			blockkit.Plain(string(commands.AsideNotPosted)+" "), blockkit.Plain(fault.Advice())))}}
	}
	if fault.Retryable() && pauseFor(ctx, b.timings.Outage) != nil {
		return
	}
	if err = b.outbox.whisper(ctx, to, own); err != nil && fault.Retryable() {
		err = b.outbox.respond(ctx, to, m) // such as where the bot is no member
	}
	if err != nil {
		log.Error("nor with the bot's own voice: a request goes unanswered", "error", err, "advice", FaultOf(err).Advice())
	}
}
