package bot

import (
	"context"
	"errors"

	"github.com/superduperai/sessionbot/bot/slackapi"
	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/commands/alert"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/watchstate"
)

// chooseFromMenu handles a choice from a session's menu: a command is run as if it had been
// typed, and debug answers in a modal.
func (b *Bot) chooseFromMenu(to requester, i interaction) {
	c := i.click
	command, session, ok := alert.ParseMenuValue(c.value)
	switch {
	case !ok:
		b.serve(to, func(ctx context.Context) { b.reply(ctx, to, message.NoticeMenu) })
	case command == "debug" && !c.ephemeral: // the alert stays where it is
		b.debugInModal(to, i, session)
	case command == alert.CommandDismiss:
		to.deciding = true
		b.serve(to, func(ctx context.Context) { b.dismiss(ctx, to, c, session) })
	case command == alert.CommandRestore:
		b.enterPrompt(to, i.trigger, i.overlaid(), func(req commands.Request) commands.Call {
			return b.cfg.Commands.ParseAction(commands.ActionRestore, session, req)
		})
	default:
		if c.view {
			to.modal, to.trigger = b.modalForButton(to, i), ""
		}
		b.runCommand(to, commands.Request{Command: "/session", Text: command + " " + session, User: to.user, Channel: to.channel})
	}
}

// dismiss records that an operator handled a session elsewhere, so that it leaves its
// alert. It does nothing if the audit trail cannot record it.
func (a answers) dismiss(ctx context.Context, to requester, c click, session string) {
	entry := audit.Entry{At: a.cfg.Now(), Who: to.actor(), Where: to.channel, Event: audit.Handled, Session: session}
	if refused := a.operators.AdmitOperator(ctx, to.user); refused != nil {
		entry.Event, entry.Detail = audit.Refused, "not an operator's choice of “Handled”"
		a.cfg.Repairs.Decisions.RecordRefusal(ctx, entry)
		a.refuse(ctx, to, refused)
		return
	}
	in, found, err := incident.Incident{}, incident.Case{}, incident.ErrUnknownIncident
	if a.cfg.Incidents != nil {
		in, found, err = a.cfg.Incidents.CaseOf(ctx, session)
	}
	switch {
	case errors.Is(err, incident.ErrUnknownIncident), err == nil && !found.Gone.IsZero():
		a.replyLine(ctx, to, alert.HandledAlreadyReply(nil, found, a.cfg.Now()))
	case err != nil:
		a.dismissFailed(ctx, to, err)
	case !c.view && !c.ephemeral && !in.ShownIn(store.Message{Channel: to.channel, TS: c.message}):
		a.log.WarnContext(ctx, "alert clicked in another message", "incident", in.ID)
		a.replyLine(ctx, to, blockkit.L(blockkit.Plain(string(message.NoticeAlertElsewhere)+" "), blockkit.Channel(in.SlackMessage.Channel), blockkit.Plain(".")))
	default:
		a.saveHandled(ctx, to, entry, found)
	}
}

// saveHandled saves that a session was handled, and has the leader of the watch look.
func (a answers) saveHandled(ctx context.Context, to requester, entry audit.Entry, c incident.Case) {
	known, err := a.cfg.Incidents.Handled(ctx, c.ID)
	if err == nil && known.Covers(c.Verdict) {
		a.replyLine(ctx, to, alert.HandledAlreadyReply(known, c, a.cfg.Now()))
		return
	}
	entry.Detail = "it was " + string(c.Verdict)
	if err == nil {
		err = a.cfg.Repairs.Decisions.Record(ctx, entry)
	}
	if err == nil {
		err = a.cfg.Incidents.SaveHandled(ctx, c.ID, incident.Handled{By: to.user, At: entry.At, Verdict: c.Verdict})
	}
	if err == nil {
		err = a.cfg.Incidents.AddDue(ctx, watchstate.DueSession{Session: c.ID, At: entry.At})
	}
	if err != nil {
		a.dismissFailed(ctx, to, err)
		return
	}
	a.log.InfoContext(ctx, "session handled")
	a.deliver(ctx, to, slackapi.Message{Blocks: alert.HandledReply(c.ID)})
}

func (a answers) dismissFailed(ctx context.Context, to requester, err error) {
	a.log.ErrorContext(ctx, "click on an alert failed", "button", alert.CommandDismiss, "error", err)
	a.replyRef(ctx, to, message.Notice(message.ClickFailedText(err)))
}
