package workspace

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// world is the state of the workspace: people, channels and messages. Slack's
// rules about permissions are enforced elsewhere. It is safe for concurrent use.
type world struct {
	now    func() time.Time
	people []person
	groups []group

	changed broadcast

	mu       sync.Mutex
	channels []channel
	messages []*Message // by ts, oldest first
	revision int64
	last     int64                // microseconds of the latest ts
	read     map[[2]string]string // ts up to which (user, channel) has been read
}

func newWorld(now func() time.Time, botName string) *world {
	people := examplePeople(botName)
	return &world{
		now: now, people: people, groups: exampleGroups(), channels: exampleChannels(people),
		read: map[[2]string]string{},
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
