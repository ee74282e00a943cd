package workspace

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/internal/workspace/page"
)

// page is the browser page.
func (s *Server) page(cfg Config) http.Handler {
	return page.New(backend{s}, page.Options{Hints: cfg.Hints, Stories: cfg.Stories, PicturesFrom: cfg.PicturesFrom, Now: s.now, Key: s.pageKey})
}

// backend is the workspace as the page sees it.
type backend struct{ s *Server }

func (b backend) Team() string { return teamName }

func (b backend) People() []page.Person {
	people := make([]page.Person, 0, len(b.s.world.people))
	for _, p := range b.s.world.people {
		shown := page.Person{ID: p.ID, Name: p.Name, Bot: p.Bot || p.ID == slackbot}
		switch {
		case p.Guest:
			shown.Title = "guest"
		case p.External:
			shown.Title = "connected workspace"
		}
		people = append(people, shown)
	}
	return people
}

func (b backend) Groups() []page.Group {
	groups := make([]page.Group, 0, len(b.s.world.groups))
	for _, g := range b.s.world.groups {
		groups = append(groups, page.Group{ID: g.ID, Handle: g.Handle})
	}
	return groups
}

// Channels lists public channels and those that the user is in. A direct one is
// named after the bot.
func (b backend) Channels(user string) []page.Channel {
	var list []page.Channel
	for _, c := range b.s.world.listChannels() {
		if c.Archived || (c.Kind != public && !c.has(user)) {
			continue
		}
		shown := page.Channel{
			ID: c.ID, Name: c.Name, Topic: c.Topic, Member: c.has(user), Unread: b.s.world.unread(user, c.ID),
		}
		if c.Kind == direct {
			shown.Name, shown.Direct = b.s.app.botName(), true
		}
		list = append(list, shown)
	}
	return list
}

func (b backend) Messages(channel, user string) []page.Message {
	seen, _ := b.s.Messages(channel, user)
	list := make([]page.Message, 0, len(seen))
	for _, m := range seen {
		author, _ := b.s.world.person(m.User)
		chosen := b.s.inputs.of(inputKey{user: user, channel: channel, ts: m.TS})
		list = append(list, page.Message{
			TS: m.TS, User: m.User, Name: author.Name, Bot: author.Bot, Text: m.Text, Blocks: m.Blocks,
			Shown: chosen.Shown(m.Blocks), Attachments: chosen.Shown(m.Attachments),
			Ephemeral: m.Ephemeral, Edited: m.Edited, Deleted: m.Deleted, ThreadTS: m.ThreadTS,
			At: time.UnixMicro(int64(seconds(m.TS) * 1e6)), Metadata: m.Metadata,
		})
	}
	return list
}

func (b backend) Commands() []page.Command {
	var list []page.Command
	for _, c := range slices.Concat(b.s.app.Features.SlashCommands, builtins) {
		list = append(list, page.Command{Name: c.Command, Description: c.Description, UsageHint: c.UsageHint})
	}
	return list
}

// Type leaves out the errors that Slackbot has shown already.
func (b backend) Type(user, channel, thread, text string) error {
	if !strings.HasPrefix(text, "/") {
		_, err := b.s.Write(user, channel, thread, text)
		return err
	}
	if thread != "" {
		return errNoCommandsInThreads
	}
	command, rest, _ := strings.Cut(text, " ")
	_, err := b.s.Command(user, channel, command, rest)
	if _, shown := errors.AsType[shownError](err); shown {
		return nil
	}
	return err
}

func (b backend) Read(user, channel string) { b.s.world.markRead(user, channel) }

func (b backend) NextChange() <-chan struct{} { return b.s.world.changed.next() }

func (b backend) Frames() []page.Frame { return b.s.frames.recent() }
