package workspace

import (
	"slices"
	"strconv"
)

// visible finds the call's channel, as far as the bot can see it.
func (c call) visible() (channel, error) {
	where, ok := c.world.place(c.args.text("channel"))
	if !ok || (where.Kind != public && !where.has(botUser)) {
		return channel{}, fail("channel_not_found")
	}
	return where, nil
}

// readable is visible for methods that need a scope of the channel's kind, such
// as channels:read.
func (c call) readable(right string) (channel, error) {
	where, err := c.visible()
	if err != nil {
		return channel{}, err
	}
	if scope := string(where.Kind) + ":" + right; !c.app.holds(scope) {
		return channel{}, c.missingScope(scope)
	}
	return where, nil
}

func conversationInfo(c call) (object, error) {
	where, err := c.readable("read")
	if err != nil {
		return nil, err
	}
	return object{"channel": wireChannel(where)}, nil
}

// conversationList lists public channels, or the kinds that types asks for.
func conversationList(c call) (object, error) {
	kinds := map[string]kind{"public_channel": public, "private_channel": private, "im": direct}
	wanted := c.args.list("types")
	if len(wanted) == 0 {
		wanted = []string{"public_channel"}
	}
	list := []object{}
	for _, where := range c.world.places() {
		asked := slices.ContainsFunc(wanted, func(t string) bool { return kinds[t] == where.Kind })
		seen := where.Kind == public || where.has(botUser)
		left := where.Archived && c.args.flag("exclude_archived")
		if asked && seen && !left && c.app.holds(string(where.Kind)+":read") {
			list = append(list, wireChannel(where))
		}
	}
	page, next, err := paged(c, list, 1000)
	if err != nil {
		return nil, err
	}
	return object{"channels": page, "response_metadata": next}, nil
}

func conversationMembers(c call) (object, error) {
	where, err := c.readable("read")
	if err != nil {
		return nil, err
	}
	page, next, err := paged(c, where.Members, 1000)
	if err != nil {
		return nil, err
	}
	return object{"members": page, "response_metadata": next}, nil
}

func joinConversation(c call) (object, error) {
	where, err := c.visible()
	switch {
	case err != nil:
		return nil, err
	case where.Kind != public:
		return nil, fail("method_not_supported_for_channel_type")
	case where.Archived:
		return nil, fail("is_archived")
	}
	c.world.setMember(where.ID, botUser, true)
	where, err = c.visible()
	return object{"channel": wireChannel(where)}, err
}

// openConversation finds the direct channel with one person.
func openConversation(c call) (object, error) {
	users := c.args.list("users")
	if len(users) != 1 {
		return nil, fail("users_list_not_supplied")
	}
	where, ok := c.world.place("D" + users[0][1:])
	if !ok {
		return nil, fail("user_not_found")
	}
	return object{"channel": object{"id": where.ID}, "already_open": true, "no_op": true}, nil
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
	where, err := c.readable("history")
	if err != nil {
		return nil, err
	}
	if !where.has(botUser) {
		return nil, fail("not_in_channel")
	}
	all, _ := c.world.seen(where.ID, "", 0)
	return slices.DeleteFunc(all, func(m Message) bool {
		return m.Ephemeral || m.Deleted || !fits(m) || !c.within(m.TS)
	}), nil
}

// within reports whether a ts lies between oldest and latest.
func (c call) within(ts string) bool {
	oldest, latest, inclusive := c.args.text("oldest"), c.args.text("latest"), c.args.flag("inclusive")
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
	page, next, err := paged(c, list, 999)
	if err != nil {
		return nil, err
	}
	messages := make([]object, 0, len(page))
	for _, m := range page {
		shown := c.wire(m, c.args.flag("include_all_metadata"))
		if replies := c.world.repliesTo(m); len(replies) > 0 {
			shown["thread_ts"], shown["reply_count"] = m.TS, len(replies)
			shown["latest_reply"] = replies[len(replies)-1]
		}
		messages = append(messages, shown)
	}
	return object{
		"messages": messages, "has_more": next["next_cursor"] != "", "response_metadata": next,
	}, nil
}

// paged cuts the page out of a list that limit and cursor ask for. A cursor is
// an offset.
func paged[T any](c call, list []T, most int) (page []T, next object, err error) {
	from := 0
	if cursor := c.args.text("cursor"); cursor != "" {
		if from, err = strconv.Atoi(cursor); err != nil || from < 0 || from > len(list) {
			return nil, nil, fail("invalid_cursor")
		}
	}
	to := min(len(list), from+c.args.number("limit", most))
	next = object{"next_cursor": ""}
	if to < len(list) {
		next["next_cursor"] = strconv.Itoa(to)
	}
	return list[from:to], next, nil
}

// wireChannel is a channel as the Web API writes it.
func wireChannel(c channel) object {
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
