package bot

import (
	"context"
	"errors"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/incident"
)

const (
	buttonDebug = "session.debug"
	buttonShare = "session.share"

	// ownBlock marks the buttons of an answer about one session: Debug clicked
	// there replaces what the message shows.
	ownBlock = "refresh"

	maxValue = 2000 // characters that Slack allows, and more than ours ever have
)

// click is a button that somebody clicked.
type click struct {
	button, value, block string // the button's action_id, value and block_id
	message              string // its ts
	view                 bool   // it is no message's, but a modal's or the App Home's
	ephemeral            bool   // the message is visible to the clicker only
}

// handleInteraction queues a click that was acked. Other interactions have no
// place in this app.
func (b *Bot) handleInteraction(ref string, i interaction) {
	if i.kind != string(slack.InteractionTypeBlockActions) || !i.clicked {
		b.log.Warn("interaction ignored, no click", "ref", ref)
		return
	}
	to := requester{ref: ref, user: i.user, channel: i.channel, responseURL: i.responseURL}
	c := i.click
	if len(c.value) > maxValue {
		c.value = "" // no id is so long
	}
	switch c.button {
	case commands.ActionApprove, commands.ActionCancel: // who may is known with the plan
		to.deciding = true
		b.enqueue(to, func(ctx context.Context) { b.decide(ctx, to, c) })
	case commands.ActionNotMade:
		to.deciding = true
		b.enqueue(to, func(ctx context.Context) { b.settleNotMade(ctx, to, c) })
	case commands.ActionAcknowledge, commands.ActionSnooze:
		b.serve(to, func(ctx context.Context) { b.acknowledge(ctx, to, c) })
	case buttonShare:
		b.serve(to, func(ctx context.Context) { b.share(ctx, to, c) })
	default:
		b.enqueue(to, func(ctx context.Context) { b.runButton(ctx, to, c) })
	}
}

// runButton runs the command that a button stands for. Buttons that nobody knows
// are answered by the commands, too.
func (a answers) runButton(ctx context.Context, to requester, c click) {
	req := commands.Request{User: to.user, Channel: to.channel, Ref: to.ref}
	call := a.cfg.Commands.ParseAction(c.button, c.value, req)
	if !a.admitted(ctx, to, call.Repair) {
		return
	}
	own := c.ephemeral && c.button == buttonDebug && c.block == ownBlock
	a.answer(ctx, to, placement{replace: own}, call.Run)
}

// settleNotMade settles an unclear job: an operator looked, and nothing was made.
func (a answers) settleNotMade(ctx context.Context, to requester, c click) {
	if refused := a.operators.admitOperator(ctx, to.user); refused != nil {
		if job, err := a.cfg.Repairs.Plans.LoadJob(ctx, c.value); err == nil {
			a.cfg.Repairs.Decisions.RecordRefusal(ctx, job.Plan.Entry(audit.Refused, to.actor(), to.channel, "not an operator's click on “not made”", a.cfg.Now()))
		}
		a.turnAway(ctx, to, refused)
		return
	}
	req := commands.Request{User: to.user, Channel: to.channel, Ref: to.ref}
	a.answer(ctx, to, placement{}, func(ctx context.Context) commands.Answer {
		return a.cfg.Commands.SettleNotMade(ctx, c.value, req)
	})
	a.cfg.Repairs.Wake()
}

// Incidents are acknowledged and snoozed by the buttons of an alert; see
// store.Watch.
type Incidents interface {
	Acknowledge(ctx context.Context, id, by string, now time.Time) (incident.Incident, bool, error)
	Snooze(ctx context.Context, id, by string, now time.Time) (incident.Incident, bool, error)
}

// acknowledge carries out a click on a button of an alert. The message shows the
// result; only a click that changed nothing is answered.
func (a answers) acknowledge(ctx context.Context, to requester, c click) {
	var i incident.Incident
	var done bool
	err := incident.ErrUnknownIncident
	if a.cfg.Incidents != nil {
		acknowledge := a.cfg.Incidents.Acknowledge
		if c.button == commands.ActionSnooze {
			acknowledge = a.cfg.Incidents.Snooze
		}
		i, done, err = acknowledge(ctx, c.value, to.user, a.cfg.Now())
	}
	switch {
	case errors.Is(err, incident.ErrUnknownIncident):
		a.replyLine(ctx, to, commands.PressedLine(incident.Incident{}, a.cfg.Now()))
	case err != nil:
		a.log.ErrorContext(ctx, "click on an alert failed", "button", c.button, "error", err)
		a.replyRef(ctx, to, commands.Aside(commands.ClickFailedText(err)))
	case !done:
		a.replyLine(ctx, to, commands.PressedLine(i, a.cfg.Now()))
	default:
		a.log.InfoContext(ctx, "alert clicked", "button", c.button, "incident", i.ID)
		if i.SlackMessage != (store.Message{Channel: to.channel, TS: c.message}) { // it was left behind, and will not change
			a.reply(ctx, to, commands.AsideAlertMoved)
		}
	}
}
