package page

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/superduperai/sessionbot/internal/workspace/page/blockhtml"
)

// view is everything that one load of the page shows.
type view struct {
	Team       string
	TeamMark   string // shown in place of the team's picture
	Me         personView
	People     []personView
	Channels   []channelView
	Channel    channelView
	Entries    []entry
	New        string // ts of the first unread message, "" = none
	Panel      panel
	FramesHref string
	Composer   composer
	Tabs       []tab
	AtHome     bool // the home tab is shown in the place of messages
	Home       *openView
	Modal      *openView
}

// composer is where text is typed: below the channel, or below a thread.
type composer struct {
	Thread      string
	Label       string
	Completions []completion
	Hints       []hintView
	Shortcuts   []Shortcut
}

// hintView is a hint, with the address that it opens.
type hintView struct {
	Hint
	Href string
}

type personView struct {
	Person
	Initials string
	Colour   int // of the avatar, below colours
	Href     string
	Current  bool
}

type channelView struct {
	Channel
	Href    string
	Current bool
}

// location is the address of a page.
type location struct {
	user, channel string
	tab           string // home or empty
	panel         string // thread, source, frames or empty
	ts            string // of the panel's message
}

func (l location) href() string {
	q := url.Values{"user": {l.user}, "channel": {l.channel}}
	if l.tab != "" {
		q.Set("tab", l.tab)
	}
	if l.panel != "" {
		q.Set("panel", l.panel)
	}
	if l.ts != "" {
		q.Set("ts", l.ts)
	}
	return "/?" + q.Encode()
}

// view gathers what the address asks for. Who or what does not exist is
// replaced by the first that does.
func (s *server) view(q url.Values) view {
	people := s.backend.People()
	v := view{Team: s.backend.Team(), TeamMark: initials(s.backend.Team())}

	members := slices.DeleteFunc(slices.Clone(people), func(p Person) bool { return p.Bot })
	me := choose(members, q.Get("user"), personID)
	channels := s.backend.Channels(me.ID)
	channel := choose(channels, q.Get("channel"), channelID)
	current := location{user: me.ID, channel: channel.ID}

	v.Me = newPersonView(me, people)
	for _, p := range members {
		row := newPersonView(p, people)
		row.Href, row.Current = location{user: p.ID, channel: channel.ID}.href(), p.ID == me.ID
		v.People = append(v.People, row)
	}
	// A user who is at the end of a channel sees new messages as they arrive.
	unread := channel.Unread
	if q.Get("watched") != "" {
		unread = 0
	}
	for _, c := range channels {
		if c.ID == channel.ID {
			c.Unread = unread
		}
		v.Channels = append(v.Channels, channelView{c, location{user: me.ID, channel: c.ID}.href(), c.ID == channel.ID})
	}
	v.Channel = channelView{Channel: channel, Href: current.href(), Current: true}

	ofMessages, global := s.shortcuts()
	v.Composer = composer{
		Label: "Message " + channel.Sign() + channel.Name, Completions: completions(s.backend.Commands()), Hints: s.hintsIn(current), Shortcuts: global,
	}

	messages := s.backend.Messages(channel.ID, me.ID)
	w := writer{reader: s.reader(me, people, channels), people: people, current: current, shortcuts: ofMessages}
	s.addViews(&v, w, channel, q.Get("tab"))
	w.current.tab = v.tab()
	replies := repliesByThread(messages)
	v.New = firstUnread(messages, unread, q.Get("new"), me.ID)
	v.Entries = w.timeline(messages, replies, v.New)
	v.Panel = s.panel(w, messages, replies, q)
	frames := w.current
	if v.Panel.Kind != "frames" {
		frames.panel = "frames"
	}
	v.FramesHref = frames.href()
	return v
}

// hintsIn are the hints that a channel shows.
func (s *server) hintsIn(current location) []hintView {
	var shown []hintView
	for _, h := range s.hints {
		if h.Channel != "" && h.Channel != current.channel {
			continue
		}
		v := hintView{Hint: h}
		if h.Open != "" {
			v.Href = location{user: current.user, channel: h.Open}.href()
		}
		shown = append(shown, v)
	}
	return shown
}

// reader returns what the renderer of blocks needs.
func (s *server) reader(me Person, people []Person, channels []Channel) blockhtml.Reader {
	r := blockhtml.Reader{
		ID: me.ID, Now: s.now(), PicturesFrom: s.picturesFrom,
		Users: map[string]string{}, Channels: map[string]string{}, Groups: map[string]string{},
	}
	for _, p := range people {
		r.Users[p.ID] = p.Name
	}
	for _, c := range channels {
		r.Channels[c.ID] = c.Name
	}
	for _, g := range s.backend.Groups() {
		r.Groups[g.ID] = g.Handle
	}
	return r
}

func personID(p Person) string   { return p.ID }
func channelID(c Channel) string { return c.ID }
func messageTS(m Message) string { return m.TS }

// find returns the item with the id.
func find[T any](items []T, id string, idOf func(T) string) (T, bool) {
	i := slices.IndexFunc(items, func(item T) bool { return idOf(item) == id })
	if i < 0 {
		var none T
		return none, false
	}
	return items[i], true
}

// choose returns the item with the id, else the first, else an empty one.
func choose[T any](items []T, id string, idOf func(T) string) T {
	item, found := find(items, id, idOf)
	if !found && len(items) > 0 {
		return items[0]
	}
	return item
}

// colours is the number of avatars' colours in the style sheet.
const colours = 8

// newPersonView gives the first few people colours that differ.
func newPersonView(p Person, people []Person) personView {
	place := slices.IndexFunc(people, func(other Person) bool { return other.ID == p.ID })
	if place < 0 {
		place = len(p.ID)
	}
	return personView{Person: p, Initials: initials(p.Name), Colour: place % colours}
}

// initials are the first letters of the first two words of a name.
func initials(name string) string {
	words := strings.FieldsFunc(name, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
	out := ""
	for _, word := range words[:min(len(words), 2)] {
		first, _ := utf8.DecodeRuneInString(word)
		out += string(unicode.ToUpper(first))
	}
	if out == "" {
		return "?"
	}
	return out
}
