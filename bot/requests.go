package bot

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/slack-go/slack"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/commands/alert"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/commands/note"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/panics"
	"github.com/superduperai/sessionbot/internal/requestid"
	"github.com/superduperai/sessionbot/internal/telemetry"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/watchstate"
)

// maxText is the longest command in bytes: what waits in the queue has to be small.
const maxText = 16 << 10

// handleCommand queues a slash command that was acked.
func (b *Bot) handleCommand(in arrival, c slashCommand) {
	to := requester{arrival: in, user: c.User, channel: c.Channel, responseURL: c.ResponseURL}
	if len(c.Text) > maxText {
		b.serve(to, func(ctx context.Context) { b.reply(ctx, to, message.NoticeTooLong) })
		return
	}
	req := commands.Request{Command: c.Command, Text: c.Text, User: c.User, Channel: c.Channel}
	if commands.OpensForm(req) {
		b.enterPrompt(to, c.Trigger.Value, "", func(asked commands.Request) commands.Call {
			req.Form = asked.Form
			return b.cfg.Commands.Parse(req)
		})
		return
	}
	b.runCommand(to, req)
}

// runCommand queues a command that was typed, or chosen from a menu.
func (b *Bot) runCommand(to requester, req commands.Request) {
	b.enqueue(to, func(ctx context.Context) {
		call := b.cfg.Commands.Parse(req)
		if b.admitted(ctx, to, call) {
			b.answer(ctx, to, placement{request: req, long: call.Long}, call.Run)
		}
	})
}

// serve queues work that changes nothing, for readers only.
func (b *Bot) serve(to requester, work func(context.Context)) {
	b.enqueue(to, func(ctx context.Context) {
		if b.admitted(ctx, to, commands.Call{}) {
			work(ctx)
		}
	})
}

// enqueue queues work for a requester, or the answer that the bot is busy.
func (b *Bot) enqueue(to requester, work func(context.Context)) {
	if to.fromHome {
		asked := work
		work = func(ctx context.Context) { asked(ctx); b.homes.refresh(ctx, to.user) }
	}
	if b.queue.offer(b.jobFor(to, work)) {
		return
	}
	b.cfg.Metrics.Answered("", "busy", 0)
	busy := b.jobFor(to, func(ctx context.Context) { b.reply(ctx, to, message.NoticeBusy) })
	if !b.busy.offer(busy) { // it was not nearly full before the ack
		b.log.Error("queue full, request unanswered", "ref", to.ref)
	}
}

// jobFor makes a job of one request, whose panic is answered.
func (b *Bot) jobFor(to requester, work func(context.Context)) job {
	return job{person: to.user, channel: to.channel, run: func(ctx context.Context) {
		ctx, span := b.cfg.Tracer.Start(trace.ContextWithSpanContext(requestid.NewContext(ctx, to.ref), to.span),
			"request", trace.WithAttributes(telemetry.Ref(to.ref)))
		defer span.End()
		err := panics.Catch(func() error { work(ctx); return nil })
		panicked, ok := errors.AsType[*panics.Error](err)
		if !ok {
			return
		}
		span.SetStatus(codes.Error, "panic")
		b.log.ErrorContext(ctx, "request panicked", "panic", panicked.Message, "stack", panicked.Stack)
		b.cfg.Metrics.Answered("", string(commands.Failed), 0)
		if to.deciding {
			b.replyRef(ctx, to, message.NoticeDecidingFault)
		} else {
			b.replyRef(ctx, to, message.NoticeFault)
		}
	}}
}

const (
	buttonDebug = "session.debug"
	buttonShare = "session.share"

	// refreshBlock marks the buttons of an answer about one session: Debug clicked
	// there replaces what the message shows.
	refreshBlock = "refresh"

	maxValue = 2000 // characters that Slack allows, and more than ours ever have
)

// click is a click on a button or a choice in a menu.
type click struct {
	button, value, block string // the button's or menu's action_id, value and block_id
	message              string // its ts
	view                 bool   // it is no message's, but a modal's or the App Home's
	ephemeral            bool   // the message is visible to the clicker only
}

// handleInteraction queues a click, a shortcut or a view that was acked, and ignores
// other interactions.
func (b *Bot) handleInteraction(in arrival, i interaction) {
	if b.handleShortcut(in, i) {
		return
	}
	if i.kind != string(slack.InteractionTypeBlockActions) || !i.clicked {
		b.log.Warn("interaction ignored, no click", "ref", in.ref)
		return
	}
	to := requester{arrival: in, user: i.user, channel: i.channel, responseURL: i.responseURL, about: i.view.about}
	if i.view.kind == string(slack.VTHomeTab) {
		to.fromHome, to.trigger = true, i.trigger
	}
	c := i.click
	to.about = cmp.Or(to.about, aboutOf(c.block))
	if len(c.value) > maxValue {
		c.value = "" // no id is so long
	}
	b.notePress(to, c)
	switch c.button {
	case note.ActionPlan, note.ActionAlert:
		b.askNote(to, i)
	case message.ActionApprove, message.ActionCancel: // who may is known with the plan
		to.deciding = true
		b.enqueue(to, func(ctx context.Context) { b.approvals.decide(ctx, to, c) })
	case message.ActionBulkStop, message.ActionBulkResume:
		to.deciding = true
		b.enqueue(to, func(ctx context.Context) { b.approvals.stopOrResume(ctx, to, c) })
	case message.ActionNotMade:
		to.deciding = true
		if c.view { // it is always answered
			to.modal, to.trigger = b.modalForButton(to, i), ""
		}
		b.enqueue(to, func(ctx context.Context) { b.settleNotMade(ctx, to, c) })
	case alert.ActionAcknowledge, alert.ActionSnooze:
		b.serve(to, func(ctx context.Context) { b.acknowledge(ctx, to, c) })
	case message.ActionInformed:
		b.serve(to, func(ctx context.Context) { b.inform(ctx, to, c) })
	case alert.ActionMenu:
		i.click = c
		b.chooseFromMenu(to, i)
	case commands.ActionRestore:
		b.enterPrompt(to, i.trigger, i.overlaid(), func(req commands.Request) commands.Call {
			return b.cfg.Commands.ParseAction(c.button, c.value, req)
		})
	case buttonShare:
		if c.view {
			c.message = i.view.id // a double click is one of the same view
			to.modal = b.openModal(to, i.trigger, i.overlaid(), loadingView())
		}
		b.serve(to, func(ctx context.Context) { b.share(ctx, to, c) })
	default:
		if c.view {
			to.modal, to.trigger = b.modalForButton(to, i), ""
		}
		b.enqueue(to, func(ctx context.Context) { b.runButton(ctx, to, c) })
	}
}

// runButton runs the command of a button. Unknown buttons get an answer, too.
func (a answers) runButton(ctx context.Context, to requester, c click) {
	req := commands.Request{User: to.user, Channel: to.channel}
	call := a.cfg.Commands.ParseAction(c.button, c.value, req)
	if !a.admitted(ctx, to, call) {
		return
	}
	p := placement{long: call.Long, firstPress: c.button == message.ActionInclude, replace: c.ephemeral && c.button == buttonDebug && c.block == refreshBlock}
	switch c.button { // a page replaces the one before
	case alert.ActionList:
		p.replace, p.request = c.ephemeral, commands.ListRequest(c.value)
	case message.ActionDetails:
		p.replace = c.ephemeral
	}
	run := call.Run
	if to.modal != nil && c.button == buttonDebug {
		run = withRefresh(c.value, run)
	}
	a.answer(ctx, to, p, run)
}

// withRefresh adds Refresh to a debug that failed: in a modal it takes the place of what
// had the button.
func withRefresh(session string, run func(context.Context) commands.Answer) func(context.Context) commands.Answer {
	return func(ctx context.Context) commands.Answer {
		answer := run(ctx)
		if answer.Outcome == commands.Failed && len(answer.Actions) == 0 {
			answer.Session = session
			answer.Actions = []slack.BlockElement{blockkit.Button(buttonDebug, "Refresh", session)}
		}
		return answer
	}
}

// settleNotMade settles an unclear job for which, says an operator, nothing was made.
func (a answers) settleNotMade(ctx context.Context, to requester, c click) {
	if refused := a.operators.AdmitOperator(ctx, to.user); refused != nil {
		if job, err := a.cfg.Repairs.Plans.LoadJob(ctx, c.value); err == nil {
			a.cfg.Repairs.Decisions.RecordRefusal(ctx, job.Plan.Entry(audit.Refused, to.actor(), to.channel, "not an operator's click on “not made”", a.cfg.Now()))
		}
		a.refuse(ctx, to, refused)
		return
	}
	req := commands.Request{User: to.user, Channel: to.channel}
	a.answer(ctx, to, placement{}, func(ctx context.Context) commands.Answer {
		return a.cfg.Commands.SettleNotMade(ctx, c.value, req)
	})
	a.cfg.Repairs.Wake()
}

// Incidents are acknowledged and snoozed by the buttons of an alert, and their sessions
// handled by its menus; see incident.Records.
type Incidents interface {
	Outline(ctx context.Context, id string) (incident.Incident, error)
	Acknowledge(ctx context.Context, id, by string, now time.Time) (incident.Incident, bool, error)
	Snooze(ctx context.Context, id, by string, until, now time.Time) (incident.Incident, bool, error)
	Pressed(ctx context.Context, m store.Message, now time.Time) error
	NoteSnooze(ctx context.Context, id, by, note string, now time.Time) (incident.Incident, bool, error)
	NoteHandled(ctx context.Context, session, note string) error
	CaseOf(ctx context.Context, session string) (incident.Incident, incident.Case, error)
	Handled(ctx context.Context, session string) (*incident.Handled, error)
	SaveHandled(ctx context.Context, session string, h incident.Handled) error
	AddDue(ctx context.Context, dues ...watchstate.DueSession) error
}

// acknowledge acknowledges or snoozes an incident. The alert shows the result; only
// a click that changed nothing is answered.
func (a answers) acknowledge(ctx context.Context, to requester, c click) {
	var i incident.Incident
	var done bool
	err := incident.ErrUnknownIncident
	shown := store.Message{Channel: to.channel, TS: c.message}
	id, choice := c.value, incident.SnoozeChoice("")
	if c.button == alert.ActionSnooze {
		id, choice = alert.SnoozeOf(c.block, c.value)
	}
	if a.cfg.Incidents != nil {
		i, err = a.cfg.Incidents.Outline(ctx, id)
	}
	if err == nil && !c.view && !i.ShownIn(shown) { // nobody can acknowledge what they did not see
		a.log.WarnContext(ctx, "alert clicked in another message", "incident", i.ID)
		a.replyLine(ctx, to, blockkit.L(blockkit.Plain(string(message.NoticeAlertElsewhere)+" "), blockkit.Channel(i.SlackMessage.Channel), blockkit.Plain(".")))
		return
	}
	switch {
	case err != nil:
	case choice != "":
		i, done, err = a.snooze(ctx, to.user, id, choice)
	default:
		i, done, err = a.cfg.Incidents.Acknowledge(ctx, id, to.user, a.cfg.Now())
	}
	switch {
	case errors.Is(err, errNoZone):
		a.log.WarnContext(ctx, "time zone of a person not known", "error", err)
		a.reply(ctx, to, message.NoticeNoZone)
	case errors.Is(err, incident.ErrUnknownIncident):
		a.replyLine(ctx, to, alert.ClickReply(incident.Incident{}, a.cfg.Now()))
	case err != nil:
		a.log.ErrorContext(ctx, "click on an alert failed", "button", c.button, "error", err)
		a.replyRef(ctx, to, message.Notice(message.ClickFailedText(err)))
	case !done:
		a.replyLine(ctx, to, alert.ClickReply(i, a.cfg.Now()))
	default:
		a.log.InfoContext(ctx, "alert clicked", "button", c.button, "incident", i.ID)
		if !c.view && slices.Contains(i.Former, shown) { // it was left behind, and will not change
			a.reply(ctx, to, message.NoticeAlertMoved)
		}
	}
}
