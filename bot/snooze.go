package bot

import (
	"context"
	"errors"
	"fmt"
	"time"
	_ "time/tzdata" // not every machine has the zones

	"github.com/superduperai/sessionbot/bot/slackapi"
	"github.com/superduperai/sessionbot/commands/alert"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/incident"
)

// errNoZone means that it is not known in which time zone a person is.
var errNoZone = errors.New("the person's time zone is not known")

// snooze silences an incident, and reports whether it is open.
func (a answers) snooze(ctx context.Context, user, id string, choice incident.SnoozeChoice) (incident.Incident, bool, error) {
	zone, now := time.UTC, a.cfg.Now()
	if choice == incident.SnoozeMorning {
		var err error
		if zone, err = a.zoneOf(ctx, user); err != nil {
			return incident.Incident{}, false, err
		}
	}
	until, _ := choice.Until(now, zone) // the choice is one of those offered
	return a.cfg.Incidents.Snooze(ctx, id, user, until, now)
}

// zoneOf returns a person's time zone, as their profile in Slack has it.
func (r *responder) zoneOf(ctx context.Context, user string) (*time.Location, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Deadlines.Lookup)
	defer cancel()
	u, err := r.api.GetUserInfoContext(ctx, user)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errNoZone, slackapi.FaultOf(err))
	case u.TZ == "":
		return nil, errNoZone
	}
	zone, err := time.LoadLocation(u.TZ)
	if err != nil { // newer than what we know
		return time.FixedZone(u.TZ, u.TZOffset), nil
	}
	return zone, nil
}

// notePress records a click in an incident's message as activity on the incident, unless
// the button records it itself.
func (b *Bot) notePress(to requester, c click) {
	_, _, known := alert.ParseMenuValue(c.value)
	switch c.button {
	case alert.ActionMenu:
	case alert.ActionList, alert.ActionRepairAll:
		known = true
	default:
		return
	}
	if !known || b.cfg.Incidents == nil || c.view || c.ephemeral || c.message == "" {
		return
	}
	b.queue.offer(b.jobFor(to, func(ctx context.Context) {
		if b.readers.Admit(ctx, to.user) != nil {
			return
		}
		if err := b.cfg.Incidents.Pressed(ctx, store.Message{Channel: to.channel, TS: c.message}, b.cfg.Now()); err != nil {
			b.log.WarnContext(ctx, "press in an alert not recorded", "error", err)
		}
	}))
}
