package bot

import (
	"bytes"
	"context"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/bot/socketmode"
	"github.com/superduperai/sessionbot/bot/wire"
	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/commands/note"
)

// handleShortcut queues a shortcut or a view that was submitted, and reports whether it
// is one.
func (b *Bot) handleShortcut(in arrival, i interaction) bool {
	to := requester{arrival: in, user: i.user, channel: i.channel, responseURL: i.responseURL}
	switch {
	case i.kind == string(slack.InteractionTypeMessageAction) && i.callback == commands.ShortcutDebug:
		to.about = threadOf(i)
		to.modal = b.openModal(to, i.trigger, "", loadingView())
		b.answerAbout(to, func() []commands.Subject { return commands.Subjects(textsOf(jsontext.Value(i.message))) })
	case i.kind == string(slack.InteractionTypeShortcut) && i.callback == commands.ShortcutFind:
		to.modal = b.openModal(to, i.trigger, "", findView())
		b.serve(to, func(ctx context.Context) { b.missed(ctx, to) })
	case i.clicked && i.click.button == commands.FindField:
		b.search(to, i)
	case i.kind == string(slack.InteractionTypeMessageAction), i.kind == string(slack.InteractionTypeShortcut):
		b.serve(to, func(ctx context.Context) { b.reply(ctx, to, message.NoticeMenu) })
	case i.kind == string(slack.InteractionTypeViewSubmission) && i.callback == commands.ShortcutFind:
		subjects := commands.Subjects(i.view.fields.value(commands.FindField))
		if len(subjects) == 0 {
			return true // the ack said so
		}
		to.modal = i.submitted()
		b.answerAbout(to, func() []commands.Subject { return subjects })
	case i.kind == string(slack.InteractionTypeViewSubmission) && i.callback == commands.ViewRestore:
		b.submitPrompt(to, i)
	case i.kind == string(slack.InteractionTypeViewSubmission) && i.callback == note.View:
		b.noteSubmitted(to, i)
	default:
		return false
	}
	return true
}

// missed answers a person whose view did not open, and names the command to use instead.
func (b *Bot) missed(ctx context.Context, to requester) {
	if !to.modal.isOpen(ctx) {
		b.reply(ctx, to, message.NoticeNoView)
	}
}

// answerAbout queues the answer about the one session or customer that is named, or the
// choice of several.
func (b *Bot) answerAbout(to requester, named func() []commands.Subject) {
	b.enqueue(to, func(ctx context.Context) {
		subjects := named()
		call := commands.Call{Run: func(context.Context) commands.Answer { return commands.ChoiceAnswer(subjects) }}
		var req commands.Request
		if meant, ok := commands.Meant(subjects); ok {
			req = commands.Request{Command: "/session", Text: meant.Request(), User: to.user, Channel: to.channel}
			call = b.cfg.Commands.Parse(req)
		}
		if b.admitted(ctx, to, call) {
			b.answer(ctx, to, placement{request: req}, call.Run)
		}
	})
}

// debugInModal answers about a session in a modal.
func (b *Bot) debugInModal(to requester, i interaction, session string) {
	to.modal = b.openModal(to, i.trigger, i.overlaid(), loadingView())
	b.runCommand(to, commands.Request{Command: "/session", Text: "debug " + session, User: to.user, Channel: to.channel})
}

// ackPayload is what the ack of an envelope says: nothing, but where one of our views
// was submitted, what is wrong with its fields, or the view that the answer will be in.
// It looks at the envelope alone.
func ackPayload(e socketmode.Envelope) any {
	if e.Kind != kindInteraction {
		return nil
	}
	i, err := readInteraction(e.Payload)
	if err != nil || i.kind != string(slack.InteractionTypeViewSubmission) {
		return nil
	}
	var faults map[string]string
	switch i.callback {
	case commands.ShortcutFind:
		if len(commands.Subjects(i.view.fields.value(commands.FindField))) == 0 {
			faults = map[string]string{commands.FindField: commands.NothingToFind}
		}
	case commands.ViewRestore:
		faults = i.entered().Faults()
	default:
		return nil
	}
	if len(faults) > 0 {
		return slack.NewErrorsViewSubmissionResponse(faults)
	}
	view := loadingView()
	view.ExternalID, view.PrivateMetadata = submittedID(i), i.view.origin
	return slack.NewUpdateViewSubmissionResponse(&view)
}

// textsOf returns all texts in the text, the blocks and the attachments of a message,
// the values of its buttons and menus included: our own alerts have whole ids there.
func textsOf(message jsontext.Value) string {
	parts, _ := wire.Decode[struct {
		Text        jsontext.Value `json:"text"`
		Blocks      jsontext.Value `json:"blocks"`
		Attachments jsontext.Value `json:"attachments"`
	}](message) // empty where it is no object
	var texts []string
	for _, part := range []jsontext.Value{parts.Text, parts.Blocks, parts.Attachments} {
		tokens := jsontext.NewDecoder(bytes.NewReader(part), wire.Options)
		for token, err := tokens.ReadToken(); err == nil; token, err = tokens.ReadToken() {
			if token.Kind() == '"' {
				texts = append(texts, token.String())
			}
		}
	}
	return strings.Join(texts, "\n")
}
