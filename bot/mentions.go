package bot

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/slack-go/slack/slackevents"

	"github.com/superduperai/sessionbot/bot/socketmode"
	"github.com/superduperai/sessionbot/bot/wire"
	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/commands/message"
)

// Messages that mention the bot in a channel, or that people write to it directly, are
// answered in their thread as if they had been typed after /session.

// writtenMessage is the part of a message event that is used.
type writtenMessage struct {
	app           string
	user, channel string
	text          string
	ts, thread    string
	mention       bool // in a channel: others read the answer
	ours          bool // written by a person, to the bot, just now
}

// slackbot is the one user without a bot_id that is not a person: it answers keywords.
const slackbot = "USLACKBOT"

// writtenSubtypes are the subtypes of messages that a person has just written.
var writtenSubtypes = []string{"", "file_share", "thread_broadcast"}

// readMessage reads an event; one that is not a message to the bot is not ours. Messages
// of bots, and edited or deleted ones, never are, so that no answer triggers another one.
func readMessage(payload jsontext.Value) (writtenMessage, error) {
	type kindOnly struct {
		Kind wire.Lenient[string] `json:"type"`
	}
	type event struct {
		Subtype  string               `json:"subtype"`
		Bot      jsontext.Value       `json:"bot_id"`
		Edited   jsontext.Value       `json:"edited"`
		User     string               `json:"user"`
		Text     string               `json:"text"`
		Channel  string               `json:"channel"`
		Place    wire.Lenient[string] `json:"channel_type"`
		TS       wire.Timestamp       `json:"ts"`
		ThreadTS wire.Timestamp       `json:"thread_ts"`
	}
	outer, err := wire.Decode[struct {
		AppID string         `json:"api_app_id"`
		Event jsontext.Value `json:"event"`
	}](payload)
	if err != nil {
		return writtenMessage{}, err
	}
	m := writtenMessage{app: outer.AppID}
	kind, err := wire.Decode[kindOnly](outer.Event)
	if err != nil {
		return m, err
	}
	mention := kind.Kind.Value == string(slackevents.AppMention)
	if !mention && kind.Kind.Value != string(slackevents.Message) {
		return m, nil
	}
	e, err := wire.Decode[event](outer.Event)
	if err != nil {
		return m, err
	}
	m.user, m.channel, m.text, m.ts, m.mention = e.User, e.Channel, e.Text, string(e.TS), mention
	m.thread = cmp.Or(string(e.ThreadTS), m.ts)
	byBot, edited := given(e.Bot), given(e.Edited)
	isDirect := e.Place.Value == "im" || isDirectChannel(e.Channel)
	m.ours = !byBot && !edited && m.user != "" && m.user != slackbot && m.channel != "" && m.ts != "" &&
		slices.Contains(writtenSubtypes, e.Subtype) && mention != isDirect
	return m, nil
}

// given reports whether a member is present and not empty.
func given(member jsontext.Value) bool {
	return len(member) > 0 && string(member) != "null" && string(member) != `""`
}

// isDirectChannel reports whether a channel is between two people, or a person and an app.
func isDirectChannel(id string) bool { return strings.HasPrefix(id, "D") }

// handleMessage queues the request in a message to the bot, and ignores any other.
func (b *Bot) handleMessage(in arrival, m writtenMessage) {
	if !m.ours || m.user == b.self {
		return
	}
	to := requester{arrival: in, user: m.user, channel: m.channel, thread: m.thread, public: m.mention}
	claim := "message:" + m.channel + ":" + m.ts
	if len(m.text) > maxText {
		b.serve(to, func(ctx context.Context) { b.reply(ctx, to, message.NoticeTooLong) })
		return
	}
	req := commands.Request{User: m.user, Channel: m.channel, Shared: m.mention}
	req.Command, req.Text = commandIn(withoutMention(m.text, b.self))
	b.enqueue(to, func(ctx context.Context) {
		if !b.claimMessage(ctx, claim) {
			b.log.InfoContext(ctx, "message answered already")
			return
		}
		call := b.cfg.Commands.Parse(req)
		if b.admitted(ctx, to, call) {
			b.answer(ctx, to, placement{request: req, long: call.Long}, call.Run)
		}
	})
}

// claimMessage claims a message, and reports whether no other process answers it: Slack
// may deliver the event again to any of them. If Redis fails, a second answer is preferred to none.
func (b *Bot) claimMessage(ctx context.Context, claim string) bool {
	ctx, cancel := context.WithTimeout(ctx, b.cfg.Deadlines.Share)
	defer cancel()
	first, err := b.cfg.Shares.Claim(ctx, claim, socketmode.RedeliveryTime)
	if err != nil {
		b.log.WarnContext(ctx, "message not claimed, it may be answered twice", "error", err)
	}
	return first || err != nil
}

// withoutMention removes the mentions of a user from a text.
func withoutMention(text, user string) string {
	parts := strings.Split(text, "<@"+user)
	kept := parts[0]
	for _, part := range parts[1:] {
		mention, rest, whole := strings.Cut(part, ">")
		if whole && (mention == "" || mention[0] == '|') {
			kept += " " + rest
		} else {
			kept += "<@" + user + part // another user, whose id is longer
		}
	}
	return strings.TrimSpace(kept)
}

// commandIn splits a message into the slash command, which most leave out, and what
// follows it.
func commandIn(text string) (command, rest string) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return "/session", ""
	}
	switch name := strings.ToLower(strings.TrimPrefix(words[0], "/")); name {
	case "session", "redis":
		return "/" + name, strings.TrimPrefix(text, words[0])
	}
	return "/session", text
}
