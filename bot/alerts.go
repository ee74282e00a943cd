package bot

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/watch"
	"github.com/superduperai/sessionbot/store"
)

// Incidents take what people press below an alert; see store.Watch.
type Incidents interface {
	Acknowledge(ctx context.Context, id, by string, now time.Time) (store.Incident, bool, error)
	Snooze(ctx context.Context, id, by string, now time.Time) (store.Incident, bool, error)
}

// alertEvent marks an alert, so that it can be found again.
const alertEvent = "sessionbot_alert"

// Alerts show incidents in one channel.
type Alerts struct {
	Bot     *Bot
	Channel string
	Mention string // the person or the group on call, "" = nobody
}

var (
	_ watch.Notifier = Alerts{}
	_ watch.Finder   = Alerts{}
)

// Post shows an incident.
func (a Alerts) Post(ctx context.Context, i store.Incident, d watch.Decision, mark string) (store.Message, error) {
	mention := ""
	if d.Mention {
		mention = a.Mention
	}
	alert := commands.AlertOf(i, mention, a.Bot.now())
	options := []slack.MsgOption{slack.MsgOptionBlocks(alert.Blocks...), marked(mark)}
	place, err := a.post(ctx, alert.Text, options...)
	if err != nil && FaultOf(err).ofShape() {
		a.textAlone(i, err)
		place, err = a.post(ctx, alert.Text, options[1:]...)
	}
	return place, untold(err)
}

func (a Alerts) textAlone(i store.Incident, err error) {
	a.Bot.log.Error("Slack refused the blocks of an alert; it went out as text alone", "incident", i.ID, "error", FaultOf(err))
}

func marked(mark string) slack.MsgOption {
	return slack.MsgOptionMetadata(slack.SlackMetadata{EventType: alertEvent, EventPayload: map[string]any{"mark": mark}})
}

// post posts to the channel, and joins one that is public where it has to and may.
func (a Alerts) post(ctx context.Context, text string, options ...slack.MsgOption) (store.Message, error) {
	options = append(slices.Clone(options), slack.MsgOptionText(text, false), slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl())
	try := func() (store.Message, error) {
		limited, cancel := context.WithTimeout(ctx, a.Bot.patience.times(callFor))
		defer cancel()
		channel, ts, err := a.Bot.api.PostMessageContext(limited, a.Channel, options...)
		return store.Message{Channel: channel, TS: ts}, err
	}
	place, err := try()
	if err != nil && FaultOf(err).Code == "not_in_channel" && a.join(ctx) {
		return try()
	}
	return place, err
}

// join joins the channel, which only public ones allow.
func (a Alerts) join(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, a.Bot.patience.times(callFor))
	defer cancel()
	if _, _, _, err := a.Bot.api.JoinConversationContext(ctx, a.Channel); err != nil {
		a.Bot.log.Warn("the alert channel could not be joined", "error", FaultOf(err), "advice", FaultOf(err).Advice())
		return false
	}
	a.Bot.log.Info("joined the alert channel")
	return true
}

// Update shows the incident as it stands, in the message there is, as long as
// that is in the alert channel.
func (a Alerts) Update(ctx context.Context, i store.Incident) error {
	if i.Place.Channel != a.Channel {
		return unchanged(errMoved)
	}
	ctx, cancel := context.WithTimeout(ctx, a.Bot.patience.times(callFor))
	defer cancel()
	mention := ""
	if watch.Calls(i) {
		mention = a.Mention
	}
	alert := commands.AlertOf(i, mention, a.Bot.now())
	options := []slack.MsgOption{slack.MsgOptionBlocks(alert.Blocks...), slack.MsgOptionText(alert.Text, false)}
	_, _, _, err := a.Bot.api.UpdateMessageContext(ctx, i.Place.Channel, i.Place.TS, options...)
	if err != nil && FaultOf(err).ofShape() {
		a.textAlone(i, err)
		_, _, _, err = a.Bot.api.UpdateMessageContext(ctx, i.Place.Channel, i.Place.TS, options[1:]...)
	}
	return unchanged(err)
}

// Reply adds a line to the alert's thread.
func (a Alerts) Reply(ctx context.Context, i store.Incident, d watch.Decision, mark string) error {
	if i.Place.Channel != a.Channel {
		return unchanged(errMoved)
	}
	mention := ""
	if d.Mention {
		mention = a.Mention
	}
	line := commands.AlertReply(i, string(d.Reason), mention, a.Bot.now())
	_, err := a.post(ctx, line.Text, slack.MsgOptionBlocks(line.Blocks...), marked(mark), slack.MsgOptionTS(i.Place.TS))
	return unchanged(err)
}

// Find looks for the alert, or for the line in its thread, with the mark that the
// incident was last posted with.
func (a Alerts) Find(ctx context.Context, i store.Incident) (store.Message, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, a.Bot.patience.times(callFor))
	defer cancel()
	messages, err := a.since(ctx, i.Place, i.PostingAt.Add(-time.Minute)) // Slack's clock is another one
	if err != nil {
		if fault := FaultOf(err); fault.Code != "" && !fault.temporary() && !refusals[fault.Code].gone {
			a.Bot.log.Warn("an alert may come twice: the channel cannot be read for the first", "error", fault, "advice", fault.Advice())
			return store.Message{}, false, watch.ErrHistoryForbidden
		}
		return store.Message{}, false, unchanged(err)
	}
	for _, m := range messages {
		if m.Metadata.EventType == alertEvent && m.Metadata.EventPayload["mark"] == i.Posting {
			return store.Message{Channel: a.Channel, TS: m.Timestamp}, true, nil
		}
	}
	return store.Message{}, false, nil
}

// since reads the channel, or a thread in it.
func (a Alerts) since(ctx context.Context, thread store.Message, at time.Time) ([]slack.Message, error) {
	const most = 200
	oldest := strconv.FormatInt(at.Unix(), 10)
	if thread.TS != "" {
		replies, _, _, err := a.Bot.api.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{
			ChannelID: thread.Channel, Timestamp: thread.TS, Oldest: oldest, Limit: most, IncludeAllMetadata: true})
		return replies, err
	}
	history, err := a.Bot.api.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{
		ChannelID: a.Channel, Oldest: oldest, Limit: most, IncludeAllMetadata: true})
	if err != nil {
		return nil, err
	}
	return history.Messages, nil
}

// errMoved means that an incident is shown where alerts do not go any more.
var errMoved = errors.New("its alert is in a channel that is not the alert channel any more")

// untold tells the watch what a fault means for its next try. A fault of Slack's
// own may come after the deed.
func untold(err error) error {
	if err == nil {
		return nil
	}
	fault := FaultOf(err)
	return &watch.Refusal{
		Unclear: fault.unclear(), After: fault.RetryAfter, Advice: fault.Advice(), Err: fault,
		Lasting: fault.Code != "" && !fault.temporary(),
	}
}

// unchanged is untold of a message that was to be changed or replied to: where
// Slack refuses that for good, another one takes its place.
func unchanged(err error) error {
	if errors.Is(err, errMoved) {
		return &watch.Refusal{Stuck: true, Err: err}
	}
	told := untold(err)
	var r *watch.Refusal
	if fault := FaultOf(err); errors.As(told, &r) && fault.elsewhere() {
		r.Lasting, r.Gone, r.Stuck = false, refusals[fault.Code].gone, !refusals[fault.Code].gone
	}
	return told
}

// pressed carries out a press on a button of an alert. The message shows what it
// came to; who changed nothing is told so.
func (b *Bot) pressed(ctx context.Context, to asker, c click) {
	answer := func(i store.Incident) {
		b.deliver(ctx, to, message{blocks: []slack.Block{blockkit.Paragraph(commands.PressedLine(i, b.now()))}})
	}
	if b.incidents == nil {
		answer(store.Incident{})
		return
	}
	press := b.incidents.Acknowledge
	if c.action == commands.ActionSnooze {
		press = b.incidents.Snooze
	}
	i, done, err := press(ctx, c.value, to.user, b.now())
	switch {
	case errors.Is(err, store.ErrUnknownIncident):
		answer(store.Incident{})
	case err != nil:
		b.log.Error("a press on an alert could not be carried out", "ref", to.ref, "action", c.action, "error", err)
		b.tell(ctx, to, commands.ClickFailedText(err), to.ref)
	case !done:
		answer(i)
	default:
		b.log.Info("an alert's button was pressed", "ref", to.ref, "action", c.action, "incident", i.ID)
		if i.Place != (store.Message{Channel: to.channel, TS: c.message}) { // it was left behind, and will not change
			b.tell(ctx, to, string(commands.AsideAlertMoved), "")
		}
	}
}
