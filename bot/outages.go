package bot

import (
	"context"
	"strconv"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/bot/slackapi"
	"github.com/superduperai/sessionbot/commands/alert"
	"github.com/superduperai/sessionbot/internal/watch"
	"github.com/superduperai/sessionbot/store"
)

// The metadata of a note about an outage of Redis.
const (
	outageEvent   = "sessionbot_outage"
	outageOver    = "sessionbot_outage_over"
	outageSince   = "since" // Unix time
	outageHistory = 24 * time.Hour
)

var _ watch.OutageNotes = Alerts{}

// FindOutage looks for the note among the channel's latest messages. Of several the
// oldest counts.
func (a Alerts) FindOutage(ctx context.Context) (o watch.Outage, found bool, err error) {
	messages, err := a.since(ctx, store.Message{}, time.Time{})
	if err != nil {
		if fault := slackapi.FaultOf(err); fault.Code != "" && !fault.Temporary() {
			return o, false, watch.ErrHistoryForbidden
		}
		return o, false, deliveryErrorOf(err, false)
	}
	for _, m := range messages { // the latest first
		if m.Metadata.EventType == outageOver {
			break
		}
		at, _ := m.Metadata.EventPayload[outageSince].(string)
		seconds, err := strconv.ParseInt(at, 10, 64)
		since := time.Unix(seconds, 0)
		if m.Metadata.EventType == outageEvent && err == nil && a.Bot.cfg.Now().Sub(since) < outageHistory {
			o, found = watch.Outage{Since: since, Note: store.Message{Channel: a.Channel, TS: m.Timestamp}}, true
		}
	}
	return o, found, nil
}

// PostOutage posts the note. Where another replica posted one at the same moment,
// the older stays.
func (a Alerts) PostOutage(ctx context.Context, o watch.Outage) (store.Message, error) {
	note, err := a.post(ctx, a.outageNote(o))
	if err != nil {
		return note, deliveryErrorOf(err, false)
	}
	first, found, err := a.FindOutage(ctx)
	if err != nil || !found || first.Note.TS == note.TS {
		return note, nil // where the channel cannot be read there may be two
	}
	if _, _, err := a.Bot.api.DeleteMessageContext(ctx, note.Channel, note.TS); err != nil {
		a.Bot.log.WarnContext(ctx, "second note about an outage not deleted", "error", slackapi.FaultOf(err))
	}
	return store.Message{}, nil
}

// ResolveOutage updates the note, or posts another one if Slack no longer allows that.
func (a Alerts) ResolveOutage(ctx context.Context, o watch.Outage) error {
	_, _, _, err := a.Bot.api.UpdateMessageContext(ctx, a.Channel, o.Note.TS, a.outageNote(o))
	if err != nil && slackapi.FaultOf(err).TryElsewhere() {
		_, err = a.post(ctx, a.outageNote(o))
	}
	return deliveryErrorOf(err, false)
}

func (a Alerts) outageNote(o watch.Outage) slack.MsgOption {
	alert, event := alert.Outage(o.Since, o.Until, o.Cause, a.options(true)), outageEvent
	if !o.Until.IsZero() {
		event = outageOver
	}
	return slack.MsgOptionCompose(slack.MsgOptionBlocks(alert.Blocks...), slack.MsgOptionText(alert.Text, false),
		slack.MsgOptionMetadata(slack.SlackMetadata{EventType: event, EventPayload: map[string]any{outageSince: strconv.FormatInt(o.Since.Unix(), 10)}}))
}
