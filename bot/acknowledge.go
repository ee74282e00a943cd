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
func (b *Bot) acknowledge(ctx context.Context, to requester, c click) {
	var i store.Incident
	var done bool
	err := store.ErrUnknownIncident
	if b.cfg.Incidents != nil {
		acknowledge := b.cfg.Incidents.Acknowledge
		if c.button == commands.ActionSnooze {
			acknowledge = b.cfg.Incidents.Snooze
		}
		i, done, err = acknowledge(ctx, c.value, to.user, b.cfg.Now())
	}
	switch {
	case errors.Is(err, store.ErrUnknownIncident):
		b.replyLine(ctx, to, commands.PressedLine(store.Incident{}, b.cfg.Now()))
	case err != nil:
		b.log.ErrorContext(ctx, "click on an alert failed", "button", c.button, "error", err)
		b.replyRef(ctx, to, commands.Aside(commands.ClickFailedText(err)))
	case !done:
		b.replyLine(ctx, to, commands.PressedLine(i, b.cfg.Now()))
	default:
		b.log.InfoContext(ctx, "alert clicked", "button", c.button, "incident", i.ID)
		if i.Place != (store.Message{Channel: to.channel, TS: c.message}) { // it was left behind, and will not change
			b.reply(ctx, to, commands.AsideAlertMoved)
		}
	}
}
