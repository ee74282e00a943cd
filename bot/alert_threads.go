package bot

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/bot/slackapi"
	"github.com/superduperai/sessionbot/internal/watch"
	"github.com/superduperai/sessionbot/store/incident"
)

// mention returns the id of the person or group that a reply mentions, "" = none.
func (a Alerts) mention(i incident.Incident, whom watch.Recipient) string {
	switch {
	case whom == watch.OnCall:
		return a.Mention
	case whom == watch.Escalate:
		return a.Escalate
	case whom == watch.Owner && i.Acknowledged != nil:
		return i.Acknowledged.By
	}
	return ""
}

// LastReply returns when a person last replied in the incident's thread after a time.
func (a Alerts) LastReply(ctx context.Context, i incident.Incident, since time.Time) (at time.Time, found bool, err error) {
	messages, err := a.since(ctx, i.SlackMessage, since)
	if err != nil {
		if fault := slackapi.FaultOf(err); unreadable(fault) {
			a.Bot.log.WarnContext(ctx, "thread of an alert not readable, escalating", "incident", i.ID, "error", fault, "advice", fault.Advice())
			return at, false, watch.ErrHistoryForbidden
		}
		return at, false, deliveryErrorOf(err, true)
	}
	for _, m := range messages {
		if posted := postedAt(m); fromPerson(m) && m.Timestamp != i.SlackMessage.TS && posted.After(since) && posted.After(at) {
			at, found = posted, true
		}
	}
	return at, found, nil
}

// unreadable reports whether a channel or a thread that exists may not be read.
func unreadable(f *slackapi.Fault) bool { return f.Code != "" && !f.Temporary() && !f.MessageGone() }

// fromPerson reports whether a person wrote a message: neither an app did, nor is it a
// notice of Slack's, such as that a user joined.
func fromPerson(m slack.Message) bool {
	written := []string{"", slack.MsgSubTypeThreadBroadcast, slack.MsgSubTypeFileShare, slack.MsgSubTypeMeMessage}
	return m.BotID == "" && m.User != "" && slices.Contains(written, m.SubType)
}

// postedAt returns when a message was posted, to the second.
func postedAt(m slack.Message) time.Time {
	seconds, _, _ := strings.Cut(m.Timestamp, ".")
	at, _ := strconv.ParseInt(seconds, 10, 64) // zero where it is none
	return time.Unix(at, 0)
}
