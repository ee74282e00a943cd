// Package page is the browser page of the local workspace: it turns what a
// Backend knows (people, channels, messages, commands, frames) into HTML and
// sends what a person types and clicks back to it.
//
// Slack's rules are enforced by the Backend: who may post, what a button sends and
// when a command has failed. The page does not depend on the app.
package page

import (
	"encoding/json"
	"time"
)

// Backend is the workspace as the page sees it. All methods are called from
// several goroutines at once. Slices are read only and never changed by the page.
type Backend interface {
	// Team is the workspace's name.
	Team() string
	// People lists everybody, bots included, in the order of the switcher.
	People() []Person
	// Groups lists the user groups that can be mentioned.
	Groups() []Group
	// Channels lists the channels that the user can see, unread counts included.
	Channels(user string) []Channel
	// Messages is what the user sees in the channel, oldest first, replies of
	// threads and that user's ephemeral messages included.
	Messages(channel, user string) []Message
	// Commands lists the slash commands for completion.
	Commands() []Command
	// Type sends what the user typed. A text that starts with "/" is a
	// slash command. thread is the ts of the thread's first message or empty.
	// The error's text is shown to the person.
	Type(user, channel, thread, text string) error
	// Click presses a button. A link button is reported too, as Slack does. The
	// error's text is shown to the person, as with all that follow.
	Click(user string, at Element, value string) error
	// Fill chooses options, or fills a field.
	Fill(user string, at Element, values []string) error
	// Upload takes a file, and returns the id with which a field is filled.
	Upload(user, name string, content []byte) (id string, err error)
	// Suggest lists what an external select offers for what was typed.
	Suggest(user string, at Element, query string) ([]Suggestion, error)
	// Shortcuts lists the app's shortcuts.
	Shortcuts() []Shortcut
	// UseShortcut uses a shortcut: of the message ts, or a global one where ts is
	// empty.
	UseShortcut(user, channel, ts, callbackID string) error
	// HasHome reports whether the app has a home tab, and OpenHome opens it.
	HasHome() bool
	OpenHome(user string) error
	// Views are the home tab, nil where there is none yet, and the modal on top of
	// those that are open, nil where none is.
	Views(user string) (home, modal *View)
	// Submit submits a modal. What is wrong with it shows in the modal.
	Submit(user, view string) error
	// Close closes a modal, or with all the whole stack.
	Close(user, view string, all bool) error
	// Read marks the channel as read by the user.
	Read(user, channel string)
	// NextChange returns what is closed after anything that the page shows has
	// changed.
	NextChange() <-chan struct{}
	// Frames lists the Socket Mode frames and calls of the last minutes, oldest
	// first, with tokens already masked.
	Frames() []Frame
}

// Person is a member of the workspace or a bot.
type Person struct {
	ID    string
	Name  string
	Title string // a note such as "guest", shown behind the name
	Bot   bool
}

// Group is a user group. Handle carries no "@".
type Group struct {
	ID     string
	Handle string
}

// Channel is a channel as one person sees it. Name carries no "#".
type Channel struct {
	ID     string
	Name   string
	Topic  string
	Direct bool // a conversation with one bot or person, whose name it has
	Unread int
	Member bool
}

// Sign is the prefix of the channel's name.
func (c Channel) Sign() string {
	if c.Direct {
		return "@"
	}
	return "#"
}

// Message is one message as one person sees it.
type Message struct {
	TS          string
	User        string // the author's id, one of People where it is known
	Name        string // the author's name
	Bot         bool
	Text        string          // mrkdwn, shown where there are no Blocks
	Blocks      json.RawMessage // a JSON array of blocks, or empty
	Attachments json.RawMessage // a JSON array, as the reader sees it, or empty
	Shown       json.RawMessage // Blocks as the reader sees them: with what was chosen
	Ephemeral   bool
	Edited      bool
	Deleted     bool
	ThreadTS    string // the ts of the thread's first message; empty outside threads
	At          time.Time
	Metadata    json.RawMessage // {"event_type","event_payload"}, or empty
}

// Element is an interactive element and where it is: in a view, or else in a
// message of a channel.
type Element struct {
	View        string
	Channel, TS string
	Block       string
	Action      string
}

// Suggestion is an option that the app offers.
type Suggestion struct {
	Text  string `json:"text"`
	Value string `json:"value"`
}

// Shortcut is a shortcut of the app: of messages, or a global one.
type Shortcut struct {
	CallbackID string
	Name       string
	About      string
	OfMessages bool
}

// View is a modal or home tab as its person sees it.
type View struct {
	ID             string
	Hash           string // differs for each content
	Title          string
	Submit         string // of the button; empty = no button
	Close          string // of the button
	SubmitDisabled bool
	Blocks         json.RawMessage   // with what was filled in
	Errors         map[string]string // by block_id
}

// Command is a slash command. Name starts with "/". Where the UsageHint reads
// like "debug|fix <id> · find <e-mail> · help", the page completes its words too.
type Command struct {
	Name        string
	Description string
	UsageHint   string
}

// Frame is a Socket Mode frame or a Web API call.
type Frame struct {
	At        time.Time
	Direction string // "in" towards the workspace, "out" towards the app
	Kind      string // "frame" or "call"
	Title     string
	Body      string // JSON text
}

// Options configure the page.
type Options struct {
	// Hints are clicks to try, shown above an empty composer.
	Hints []Hint
	// Stories are messages to be looked at under /storybook; without any there
	// is no such page.
	Stories []Story
	// PicturesFrom is an origin whose pictures are shown. Empty means none: then the
	// page loads nothing from elsewhere.
	PicturesFrom string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Key is what a browser has to bring once, as /?key=…, to get its pass.
	// Empty means that every browser gets one.
	Key string
}

// Hint is a click to try. Label is on the chip, and one of Text, Find and Open says
// what the chip does.
type Hint struct {
	Label   string
	Channel string // the only channel that shows it; empty = every one
	Text    string // is put into the composer
	Find    string // selects, as in CSS, an element of the channel: the last one gets the focus
	Within  string // a text of the message that Find looks in; empty = any message
	Open    string // a channel to open
}
