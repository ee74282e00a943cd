package bot

import (
	"context"
	"errors"
	"time"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/store"
)

// Incidents are acknowledged and snoozed by the buttons of an alert; see
// store.Watch.
type Incidents interface {
	Acknowledge(ctx context.Context, id, by string, now time.Time) (store.Incident, bool, error)
	Snooze(ctx context.Context, id, by string, now time.Time) (store.Incident, bool, error)
}

// acknowledge carries out a click on a button of an alert. The message shows the
// result; only a click that changed nothing is answered.
func (a answers) acknowledge(ctx context.Context, to requester, c click) {
	var i store.Incident
	var done bool
	err := store.ErrUnknownIncident
	if a.cfg.Incidents != nil {
		acknowledge := a.cfg.Incidents.Acknowledge
		if c.button == commands.ActionSnooze {
			acknowledge = a.cfg.Incidents.Snooze
		}
		i, done, err = acknowledge(ctx, c.value, to.user, a.cfg.Now())
	}
	switch {
	case errors.Is(err, store.ErrUnknownIncident):
		a.replyLine(ctx, to, commands.PressedLine(store.Incident{}, a.cfg.Now()))
	case err != nil:
		a.log.ErrorContext(ctx, "click on an alert failed", "button", c.button, "error", err)
		a.replyRef(ctx, to, commands.Aside(commands.ClickFailedText(err)))
	case !done:
		a.replyLine(ctx, to, commands.PressedLine(i, a.cfg.Now()))
	default:
		a.log.InfoContext(ctx, "alert clicked", "button", c.button, "incident", i.ID)
		if i.Place != (store.Message{Channel: to.channel, TS: c.message}) { // it was left behind, and will not change
			a.reply(ctx, to, commands.AsideAlertMoved)
		}
	}
}
