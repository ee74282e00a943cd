package workspace

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// postMessage posts in a channel, or to a person when the channel is a user id.
func postMessage(c call) (object, error) {
	m, err := c.post(func(*Message, channel) error { return nil })
	if err != nil {
		return nil, err
	}
	return object{"channel": m.Channel, "ts": m.TS, "message": c.messageObject(m, true)}, nil
}

// postEphemeral shows a message to one person of a channel.
func postEphemeral(c call) (object, error) {
	m, err := c.post(func(m *Message, ch channel) error {
		m.Ephemeral, m.VisibleTo = true, c.args.text("user")
		if _, ok := c.world.person(m.VisibleTo); !ok {
			return fail("user_not_found")
		}
		if !ch.has(m.VisibleTo) {
			return fail("user_not_in_channel")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return object{"message_ts": m.TS}, nil
}

// post posts the call's message, once address has set who sees it.
func (c call) post(address func(*Message, channel) error) (Message, error) {
	ch, err := c.postableChannel()
	if err != nil {
		return Message{}, err
	}
	m := Message{Channel: ch.ID, User: botUser, Text: c.args.text("text"), ThreadTS: c.args.text("thread_ts")}
	if err := address(&m, ch); err != nil {
		return Message{}, err
	}
	shown, err := c.checkMessage(c.content())
	if err != nil {
		return Message{}, err
	}
	m.show(shown)
	if m.Metadata, err = checkMetadata(c.args.json("metadata")); err != nil {
		return Message{}, err
	}
	if m.ThreadTS, err = c.world.threadOf(ch.ID, m.ThreadTS); err != nil {
		return Message{}, err
	}
	if err := c.limits.post(ch.ID); err != nil {
		return Message{}, err
	}
	m = c.world.post(m)
	c.notifyPosted(m)
	return m, nil
}

// content is what the call wants a message to show.
func (c call) content() content {
	return content{text: c.args.text("text"), blocks: c.args.json("blocks"), attachments: c.args.json("attachments")}
}

// updateMessage changes a message of the bot's. Text without blocks removes the
// blocks. What is not sent stays.
func updateMessage(c call) (object, error) {
	m, err := c.ownMessage("cant_update_message")
	if err != nil {
		return nil, err
	}
	if utf8.RuneCountInString(c.args.text("text")) > maxUpdated {
		return nil, fail("msg_too_long")
	}
	shown, err := c.checkMessage(c.content())
	if err != nil {
		return nil, err
	}
	metadata, err := checkMetadata(c.args.json("metadata"))
	if err != nil {
		return nil, err
	}
	before := m
	m, ok := c.world.change(m.Channel, m.TS, func(m *Message) {
		before = *m
		if shown.text == "" {
			shown.text = m.Text
		}
		m.show(shown)
		m.Edited = true
		if metadata != nil {
			m.Metadata = metadata
		}
	})
	if !ok {
		return nil, fail("message_not_found")
	}
	c.notifyChanged(before, m)
	return object{"channel": m.Channel, "ts": m.TS, "text": m.Text, "message": c.messageObject(m, true)}, nil
}

func deleteMessage(c call) (object, error) {
	m, err := c.ownMessage("cant_delete_message")
	if err != nil {
		return nil, err
	}
	before, ok := c.world.remove(m.Channel, m.TS)
	if !ok {
		return nil, fail("message_not_found")
	}
	c.notifyDeleted(before)
	return object{"channel": m.Channel, "ts": m.TS}, nil
}

func permalink(c call) (object, error) {
	ch, err := c.visibleChannel()
	if err != nil {
		return nil, err
	}
	m, ok := c.world.message(ch.ID, c.args.text("message_ts"))
	if !ok || m.Ephemeral {
		return nil, fail("message_not_found")
	}
	return object{"channel": ch.ID, "permalink": c.URL() + "/archives/" + ch.ID + "/p" + strings.ReplaceAll(m.TS, ".", "")}, nil
}

// postableChannel finds the channel of a post and checks that the bot may post there.
func (c call) postableChannel() (channel, error) {
	name := c.args.text("channel")
	if _, isPerson := c.world.person(name); isPerson {
		name = directID(name)
	}
	ch, ok := c.world.findChannel(name)
	member := ch.has(botUser)
	switch {
	case !ok, !member && ch.Kind != public:
		return channel{}, fail("channel_not_found")
	case ch.Archived:
		return channel{}, fail("is_archived")
	case !member && !slices.Contains(c.app.OAuth.Scopes.Bot, "chat:write.public"):
		return channel{}, fail("not_in_channel")
	}
	return ch, nil
}

// ownMessage finds the bot's message that a call names. Ephemeral
// messages cannot be reached this way.
func (c call) ownMessage(notOwn string) (Message, error) {
	ch, err := c.visibleChannel()
	if err != nil {
		return Message{}, err
	}
	m, ok := c.world.message(ch.ID, c.args.text("ts"))
	switch {
	case !ok || m.Ephemeral:
		return Message{}, fail("message_not_found")
	case m.User != botUser:
		return Message{}, fail(notOwn)
	}
	return m, nil
}

// messageObject is a message as the Web API writes it.
func (s *Server) messageObject(m Message, metadata bool) object {
	author, _ := s.world.person(m.User)
	o := object{"type": "message", "user": m.User, "text": m.Text, "ts": m.TS, "team": author.Team}
	switch {
	case len(m.Blocks) > len("[]"):
		o["blocks"] = m.Blocks
	case m.clientID != "":
		o["client_msg_id"], o["blocks"] = m.clientID, typedBlocks(m.Text, m.clientID[:5])
	}
	if m.Attachments != nil {
		o["attachments"] = m.Attachments
	}
	if m.ThreadTS != "" {
		o["thread_ts"] = m.ThreadTS
		if root, ok := s.world.message(m.Channel, m.ThreadTS); ok && m.ThreadTS != m.TS {
			o["parent_user_id"] = root.User
		}
	}
	if m.Edited {
		o["edited"] = object{"user": m.User, "ts": m.TS}
	}
	if metadata && len(m.Metadata) > 0 {
		o["metadata"] = m.Metadata
	}
	if m.User == botUser {
		o["bot_id"], o["app_id"], o["bot_profile"] = botID, appID, s.botProfile()
	}
	return o
}
