package workspace

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// world is the state of the workspace: people, channels and messages. Slack's
// rules about permissions are enforced elsewhere. It is safe for concurrent use.
type world struct {
	*messages
	people   []person
	groups   []group
	channels []channel // guarded by the messages' mutex
}

func newWorld(now func() time.Time, botName string) *world {
	people := examplePeople(botName)
	return &world{
		messages: &messages{now: now, read: map[[2]string]string{}},
		people:   people, groups: exampleGroups(), channels: exampleChannels(people),
	}
}

func (w *world) person(id string) (person, bool) {
	i := slices.IndexFunc(w.people, func(p person) bool { return p.ID == id })
	if i < 0 {
		return person{}, false
	}
	return w.people[i], true
}

// findChannel finds a channel by its id or name ("#support").
func (w *world) findChannel(name string) (channel, bool) {
	bare := strings.TrimPrefix(name, "#")
	for _, c := range w.listChannels() {
		if c.ID == name || (c.Kind != direct && c.Name == bare) {
			return c, true
		}
	}
	return channel{}, false
}

// channel finds a channel by its id.
func (w *world) channel(id string) (channel, bool) {
	ch, ok := w.findChannel(id)
	return ch, ok && ch.ID == id
}

// shared reports whether somebody of a connected workspace is in a channel.
func (w *world) shared(id string) bool {
	ch, _ := w.channel(id)
	return slices.ContainsFunc(ch.Members, func(member string) bool {
		p, _ := w.person(member)
		return p.External
	})
}

func (w *world) listChannels() []channel {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.channels)
}

// setMember adds a user to a channel or removes them.
func (w *world) setMember(channel, user string, member bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, c := range w.channels {
		if c.ID != channel || c.has(user) == member {
			continue
		}
		// The list of members is replaced, for there are copies of the channel.
		members := slices.DeleteFunc(slices.Clone(c.Members), func(id string) bool { return id == user })
		if member {
			members = append(members, user)
		}
		w.channels[i].Members = members
		w.touch()
	}
}

// participant finds a person and a channel that the person can type in.
func (w *world) participant(user, place string) (person, channel, error) {
	p, ok := w.person(user)
	if !ok {
		return person{}, channel{}, fmt.Errorf("there is no user %s", user)
	}
	ch, ok := w.findChannel(place)
	if !ok {
		return person{}, channel{}, fmt.Errorf("there is no channel %s", place)
	}
	switch {
	case ch.Archived:
		return person{}, channel{}, fmt.Errorf("#%s is archived", ch.Name)
	case !ch.has(user):
		return person{}, channel{}, fmt.Errorf("%s is not in #%s", user, ch.Name)
	}
	return p, ch, nil
}
