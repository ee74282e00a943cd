package bot

import (
	"context"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/bot/slackapi"
	"github.com/superduperai/sessionbot/commands"
)

// enterPrompt opens the view in which a lost prompt is entered. It has its fields once
// Redis and Stripe have answered; where it does not open the answer says what to type.
func (b *Bot) enterPrompt(to requester, trigger, over string, parse func(commands.Request) commands.Call) {
	to.modal = b.openModal(to, trigger, over, loadingView())
	b.enqueue(to, func(ctx context.Context) {
		call := parse(commands.Request{User: to.user, Channel: to.channel, Form: to.modal.isOpen(ctx)})
		if b.admitted(ctx, to, call) {
			b.answer(ctx, to, placement{}, call.Run)
		}
	})
}

// promptView is that view, with its fields.
func promptView(origin, session string, blocks []slack.Block) slack.ModalViewRequest {
	view := viewOf("Restore a prompt", blocks)
	view.Submit, view.Close = plainText("Show the plan"), plainText("Cancel")
	view.CallbackID, view.PrivateMetadata = commands.ViewRestore, origin+" "+session
	return view
}

// showForm shows the view's fields, or says what to type.
func (a answers) showForm(ctx context.Context, to requester, answer commands.Answer) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.cfg.Deadlines.Send)
	defer cancel()
	if to.modal != nil && a.show(ctx, to.modal, promptView(to.modal.origin, answer.Session, answer.Blocks)) {
		return
	}
	to.modal = nil
	a.deliver(ctx, to, slackapi.Message{Blocks: commands.TypePrompt(answer.Session)})
}

// submitPrompt queues the plan to restore what was entered in that view.
func (b *Bot) submitPrompt(to requester, i interaction) {
	entered := i.entered()
	if len(entered.Faults()) > 0 {
		return // the ack said so
	}
	to.modal = i.submitted()
	req := commands.Request{Command: "/session", Text: "restore " + i.view.session, User: to.user, Channel: to.channel, Entered: &entered}
	b.enqueue(to, func(ctx context.Context) {
		call := b.cfg.Commands.Parse(req)
		if !b.admitted(ctx, to, call) {
			return
		}
		b.answer(ctx, to, placement{}, func(ctx context.Context) commands.Answer {
			answer := call.Run(ctx)
			if answer.Outcome == commands.Failed { // nobody has to enter it twice
				answer = commands.EnterAgain(answer, i.view.session, entered)
			}
			return answer
		})
	})
}

// entered is what somebody entered in the view.
func (i interaction) entered() commands.Entered {
	f := i.view.fields
	return commands.Entered{Prompt: f.value(commands.PromptField), Seconds: f.value(commands.SecondsField), Size: f.value(commands.SizeField)}
}
