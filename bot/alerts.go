package bot

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/bot/slackapi"
	"github.com/superduperai/sessionbot/commands/alert"
	"github.com/superduperai/sessionbot/internal/watch"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/incident"
)

// alertEvent marks an alert, so that it can be found again.
const alertEvent = "sessionbot_alert"

// Alerts show incidents in one channel.
type Alerts struct {
	Bot      *Bot
	Channel  string
	Mention  string        // the person or the group on call, "" = none
	Escalate string        // the escalation contact, "" = none
	Shows    alert.Options // without Mention
	// Digest makes the message about what happened between two times.
	Digest func(ctx context.Context, from, until time.Time) (alert.Message, error)
}

var (
	_ watch.Notifier = Alerts{}
	_ watch.Finder   = Alerts{}
	_ watch.Threads  = Alerts{}
)

// Post shows an incident.
func (a Alerts) Post(ctx context.Context, i incident.Incident, d watch.Decision, mark string) (m store.Message, err error) {
	alert := alert.New(i, a.options(d.Mention == watch.OnCall), a.Bot.cfg.Now())
	if i.Kind == incident.Digest {
		if alert, err = a.Digest(ctx, i.Since, i.Until); err != nil {
			return m, &watch.DeliveryError{Err: err} // nothing was posted
		}
	}
	err = a.sendOrText(ctx, i, alert.Blocks, func(blocks slack.MsgOption) error {
		m, err = a.post(ctx, blocks, slack.MsgOptionText(alert.Text, false), marked(mark))
		return err
	})
	return m, deliveryErrorOf(err, false)
}

// Update shows the current state of an incident in its message, as long as that
// is in the alert channel.
func (a Alerts) Update(ctx context.Context, i incident.Incident) error {
	if i.SlackMessage.Channel != a.Channel {
		return errMoved()
	}
	alert := alert.New(i, a.options(watch.Calls(i)), a.Bot.cfg.Now())
	return deliveryErrorOf(a.sendOrText(ctx, i, alert.Blocks, func(blocks slack.MsgOption) error {
		_, _, _, err := a.Bot.api.UpdateMessageContext(ctx, i.SlackMessage.Channel, i.SlackMessage.TS, blocks, slack.MsgOptionText(alert.Text, false))
		return err
	}), true)
}

// Reply adds a line to the alert's thread.
func (a Alerts) Reply(ctx context.Context, i incident.Incident, d watch.Decision, mark string) error {
	if i.SlackMessage.Channel != a.Channel {
		return errMoved()
	}
	o := a.Shows
	o.Mention = a.mention(i, d.Mention)
	line := alert.Reply(i, string(d.Reason), o, a.Bot.cfg.Now())
	_, err := a.post(ctx, slack.MsgOptionBlocks(line.Blocks...), slack.MsgOptionText(line.Text, false), marked(mark), slack.MsgOptionTS(i.SlackMessage.TS))
	return deliveryErrorOf(err, true)
}

// Permalink returns the address of a message, "" where Slack does not say it in time.
func (a Alerts) Permalink(ctx context.Context, m store.Message) string {
	return a.Bot.outbox.Permalink(ctx, m)
}

// options are what an alert shows, with the mention if it calls people.
func (a Alerts) options(mention bool) alert.Options {
	o := a.Shows
	if mention {
		o.Mention = a.Mention
	}
	return o
}

func marked(mark string) slack.MsgOption {
	return slack.MsgOptionMetadata(slack.SlackMetadata{EventType: alertEvent, EventPayload: map[string]any{"mark": mark}})
}

// sendOrText sends an alert, and once more as text alone where Slack refuses
// its blocks.
func (a Alerts) sendOrText(ctx context.Context, i incident.Incident, blocks []slack.Block, send func(blocks slack.MsgOption) error) error {
	err := send(slack.MsgOptionBlocks(blocks...))
	if err != nil && slackapi.FaultOf(err).RefusesBlocks() {
		a.Bot.log.ErrorContext(ctx, "alert blocks refused by Slack, sent as text alone", "incident", i.ID, "error", slackapi.FaultOf(err))
		err = send(slack.MsgOptionCompose())
	}
	return err
}

// post posts to the channel, and joins one that is public where it has to and may.
func (a Alerts) post(ctx context.Context, options ...slack.MsgOption) (m store.Message, err error) {
	options = append(options, slackapi.NoUnfurl)
	m.Channel, m.TS, err = a.Bot.api.PostMessageContext(ctx, a.Channel, options...)
	if err != nil && slackapi.FaultOf(err).Code == "not_in_channel" && a.join(ctx) {
		m.Channel, m.TS, err = a.Bot.api.PostMessageContext(ctx, a.Channel, options...)
	}
	return m, err
}

// join joins the channel, which only public ones allow, and reports whether it did.
func (a Alerts) join(ctx context.Context) bool {
	if _, _, _, err := a.Bot.api.JoinConversationContext(ctx, a.Channel); err != nil {
		a.Bot.log.WarnContext(ctx, "alert channel not joined", "error", slackapi.FaultOf(err), "advice", slackapi.FaultOf(err).Advice())
		return false
	}
	a.Bot.log.InfoContext(ctx, "alert channel joined")
	return true
}

// Find looks for the alert, or for the line in its thread, with the mark that the
// incident was last posted with.
func (a Alerts) Find(ctx context.Context, i incident.Incident) (store.Message, bool, error) {
	messages, err := a.since(ctx, i.SlackMessage, i.PostingAt.Add(-time.Minute)) // Slack's clock is another one
	if err != nil {
		if fault := slackapi.FaultOf(err); unreadable(fault) {
			a.Bot.log.WarnContext(ctx, "channel history not readable, an alert may be posted twice", "error", fault, "advice", fault.Advice())
			return store.Message{}, false, watch.ErrHistoryForbidden
		}
		return store.Message{}, false, deliveryErrorOf(err, true)
	}
	for _, m := range messages {
		if m.Metadata.EventType == alertEvent && m.Metadata.EventPayload["mark"] == i.Posting {
			return store.Message{Channel: a.Channel, TS: m.Timestamp}, true, nil
		}
	}
	return store.Message{}, false, nil
}

// since reads the channel from a time on, zero = the latest messages, or a thread
// in it.
func (a Alerts) since(ctx context.Context, thread store.Message, at time.Time) ([]slack.Message, error) {
	const limit = 200
	oldest := ""
	if !at.IsZero() {
		oldest = strconv.FormatInt(at.Unix(), 10)
	}
	if thread.TS != "" {
		replies, _, _, err := a.Bot.api.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{
			ChannelID: thread.Channel, Timestamp: thread.TS, Oldest: oldest, Limit: limit, IncludeAllMetadata: true})
		return replies, err
	}
	history, err := a.Bot.api.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{
		ChannelID: a.Channel, Oldest: oldest, Limit: limit, IncludeAllMetadata: true})
	if err != nil {
		return nil, err
	}
	return history.Messages, nil
}

// errMoved means that an incident is shown in a channel that is no longer the alert channel.
func errMoved() error {
	return &watch.DeliveryError{NotEditable: true, Err: errors.New("its alert is in a channel that is not the alert channel any more")}
}

// deliveryErrorOf says how the watch proceeds after an error, nil for nil. If Slack refuses for
// good to change a message, or a reply to it, another message takes its place.
func deliveryErrorOf(err error, change bool) error {
	if err == nil {
		return nil
	}
	fault := slackapi.FaultOf(err)
	r := &watch.DeliveryError{
		Unclear: fault.Unclear(), After: fault.RetryAfter, Advice: fault.Advice(), Err: fault,
		NeedsPerson: fault.Code != "" && !fault.Temporary(),
	}
	if change && fault.TryElsewhere() {
		r.NeedsPerson, r.MessageGone = false, fault.MessageGone()
		r.NotEditable = !r.MessageGone
	}
	return r
}
