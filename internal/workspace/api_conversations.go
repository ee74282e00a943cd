package workspace

import (
	"slices"
	"strconv"
)

// visibleChannel finds the call's channel by its id, as far as the bot can see it.
func (c call) visibleChannel() (channel, error) {
	ch, ok := c.world.channel(c.args.text("channel"))
	if !ok || (ch.Kind != public && !ch.has(botUser)) {
		return channel{}, fail("channel_not_found")
	}
	return ch, nil
}

// readableChannel is visibleChannel for methods that need a scope of the channel's kind, such
// as channels:read.
func (c call) readableChannel(right string) (channel, error) {
	ch, err := c.visibleChannel()
	if err != nil {
		return channel{}, err
	}
	if scope := string(ch.Kind) + ":" + right; !c.app.hasScope(scope) {
		return channel{}, c.app.missingScope(scope)
	}
	return ch, nil
}

func conversationInfo(c call) (object, error) {
	ch, err := c.readableChannel("read")
	if err != nil {
		return nil, err
	}
	return object{"channel": channelObject(ch)}, nil
}

// conversationList lists public channels, or the kinds that types asks for.
func conversationList(c call) (object, error) {
	kinds := map[string]kind{"public_channel": public, "private_channel": private, "im": direct}
	wanted := c.args.list("types")
	if len(wanted) == 0 {
		wanted = []string{"public_channel"}
	}
	list := []object{}
	for _, ch := range c.world.listChannels() {
		asked := slices.ContainsFunc(wanted, func(t string) bool { return kinds[t] == ch.Kind })
		seen := ch.Kind == public || ch.has(botUser)
		left := ch.Archived && c.args.bool("exclude_archived")
		if asked && seen && !left && c.app.hasScope(string(ch.Kind)+":read") {
			list = append(list, channelObject(ch))
		}
	}
	return paged(c, "channels", list, 1000)
}

func conversationMembers(c call) (object, error) {
	ch, err := c.readableChannel("read")
	if err != nil {
		return nil, err
	}
	return paged(c, "members", ch.Members, 1000)
}

func joinConversation(c call) (object, error) {
	ch, err := c.visibleChannel()
	switch {
	case err != nil:
		return nil, err
	case ch.Kind != public:
		return nil, fail("method_not_supported_for_channel_type")
	case ch.Archived:
		return nil, fail("is_archived")
	}
	c.world.setMember(ch.ID, botUser, true)
	ch, err = c.visibleChannel()
	return object{"channel": channelObject(ch)}, err
}

// openConversation finds the direct channel with one person.
func openConversation(c call) (object, error) {
	users := c.args.list("users")
	if len(users) != 1 {
		return nil, fail("users_list_not_supplied")
	}
	ch, ok := c.world.channel(directID(users[0]))
	if !ok {
		return nil, fail("user_not_found")
	}
	return object{"channel": object{"id": ch.ID}, "already_open": true, "no_op": true}, nil
}

// history lists a channel's messages, newest first, without replies.
func history(c call) (object, error) {
	list, err := c.messages(func(m Message) bool { return m.ThreadTS == "" || m.ThreadTS == m.TS })
	if err != nil {
		return nil, err
	}
	slices.Reverse(list)
	return c.listed(list)
}

// replies lists a thread's messages, oldest first.
func replies(c call) (object, error) {
	root := c.args.text("ts")
	list, err := c.messages(func(m Message) bool { return m.TS == root || m.ThreadTS == root })
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fail("thread_not_found")
	}
	return c.listed(list)
}

// messages lists the lasting messages of the call's channel that fit, within
// its oldest and latest.
func (c call) messages(fits func(Message) bool) ([]Message, error) {
	ch, err := c.readableChannel("history")
	if err != nil {
		return nil, err
	}
	if !ch.has(botUser) {
		return nil, fail("not_in_channel")
	}
	all, _ := c.world.seen(ch.ID, "", 0)
	return slices.DeleteFunc(all, func(m Message) bool {
		return m.Ephemeral || m.Deleted || !fits(m) || !c.within(m.TS)
	}), nil
}

// within reports whether a ts lies between oldest and latest.
func (c call) within(ts string) bool {
	oldest, latest, inclusive := c.args.text("oldest"), c.args.text("latest"), c.args.bool("inclusive")
	at := seconds(ts)
	return (oldest == "" || at > seconds(oldest) || (inclusive && at == seconds(oldest))) &&
		(latest == "" || at < seconds(latest) || (inclusive && at == seconds(latest)))
}

// seconds reads a ts; rubbish is 0. Sixteen digits fit a float exactly enough.
func seconds(ts string) float64 {
	n, err := strconv.ParseFloat(ts, 64)
	if err != nil {
		return 0
	}
	return n
}

// listed is the answer that shows messages.
func (c call) listed(list []Message) (object, error) {
	answer, err := paged(c, "messages", list, 999)
	if err != nil {
		return nil, err
	}
	page := answer["messages"].([]Message)
	messages := make([]object, 0, len(page))
	for _, m := range page {
		shown := c.messageObject(m, c.args.bool("include_all_metadata"))
		if replies := c.world.repliesTo(m); len(replies) > 0 {
			shown["thread_ts"], shown["reply_count"] = m.TS, len(replies)
			shown["latest_reply"] = replies[len(replies)-1]
		}
		messages = append(messages, shown)
	}
	answer["messages"] = messages
	answer["has_more"] = answer["response_metadata"].(object)["next_cursor"] != ""
	return answer, nil
}

// paged answers with the page of a list that limit and cursor ask for. A cursor
// is an offset.
func paged[T any](c call, name string, list []T, most int) (object, error) {
	from := 0
	if cursor := c.args.text("cursor"); cursor != "" {
		var err error
		if from, err = strconv.Atoi(cursor); err != nil || from < 0 || from > len(list) {
			return nil, fail("invalid_cursor")
		}
	}
	to, next := min(len(list), from+c.args.number("limit", most)), ""
	if to < len(list) {
		next = strconv.Itoa(to)
	}
	return object{name: list[from:to], "response_metadata": object{"next_cursor": next}}, nil
}

// channelObject is a channel as the Web API writes it.
func channelObject(c channel) object {
	o := object{
		"id": c.ID, "is_channel": c.Kind == public, "is_group": c.Kind == private, "is_im": c.Kind == direct,
		"is_private": c.Kind != public, "is_archived": c.Archived, "is_member": c.has(botUser),
		"num_members": len(c.Members), "context_team_id": teamID,
	}
	if c.Kind == direct {
		o["user"] = c.Members[0]
		return o
	}
	o["name"], o["name_normalized"] = c.Name, c.Name
	o["topic"], o["purpose"] = object{"value": c.Topic}, object{"value": ""}
	return o
}
