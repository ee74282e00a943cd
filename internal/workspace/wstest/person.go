package wstest

import "strings"

// Person is somebody of the workspace.
type Person struct {
	w  *Workspace
	id string
}

// Place is a person in a channel.
type Place struct {
	w             *Workspace
	user, channel string
}

// As plays the person with this id.
func (w *Workspace) As(user string) Person { return Person{w: w, id: user} }

// In goes to a channel.
func (p Person) In(channel string) Place { return Place{w: p.w, user: p.id, channel: channel} }

// Type types a text: a slash command where it starts with one, else a message.
// It fails the test where Slack would show an error.
func (p Place) Type(text string) {
	p.w.t.Helper()
	if err := p.TryType(text); err != nil {
		p.w.t.Fatalf("typing %q: %v", text, err)
	}
}

// TryType is Type for tests that expect an error: it returns what Slack would
// show, such as operation_timeout.
func (p Place) TryType(text string) error {
	p.w.t.Helper()
	if !strings.HasPrefix(text, "/") {
		var sent struct{ TS string }
		err := p.w.post("/control/message", map[string]any{"user": p.user, "channel": p.channel, "text": text}, &sent)
		if err == nil {
			p.ExpectMessage(func(m Message) bool { return m.TS == sent.TS })
		}
		return err
	}
	_, err := p.Command(text)
	return err
}

// Reply writes a message in the thread of another one.
func (p Place) Reply(m Message, text string) {
	p.w.t.Helper()
	var sent struct{ TS string }
	err := p.w.post("/control/message", map[string]any{"user": p.user, "channel": p.channel, "text": text, "thread_ts": m.TS}, &sent)
	if err != nil {
		p.w.t.Fatalf("replying %q: %v", text, err)
	}
	p.ExpectMessage(func(m Message) bool { return m.TS == sent.TS })
}

// Command types a slash command and returns the id of its envelope, or what
// Slack would show. Several goroutines may type.
func (p Place) Command(text string) (envelope string, err error) {
	p.w.t.Helper()
	command, rest, _ := strings.Cut(text, " ")
	var sent struct {
		EnvelopeID string `json:"envelope_id"`
	}
	err = p.w.post("/control/command", map[string]any{
		"user": p.user, "channel": p.channel, "command": command, "text": rest,
	}, &sent)
	return sent.EnvelopeID, err
}

// Click presses the first button of a message with this action_id. It fails the
// test where that is not possible.
func (p Place) Click(m Message, actionID string) {
	p.w.t.Helper()
	p.ClickValue(m, actionID, "")
}

// ClickValue is Click for one of several buttons with the same action_id.
func (p Place) ClickValue(m Message, actionID, value string) {
	p.w.t.Helper()
	if err := p.TryClick(m, actionID, value); err != nil {
		p.w.t.Fatalf("clicking %s: %v", actionID, err)
	}
}

// TryClick is ClickValue for tests that expect an error.
func (p Place) TryClick(m Message, actionID, value string) error {
	p.w.t.Helper()
	return p.w.post("/control/click", map[string]any{
		"user": p.user, "channel": m.Channel, "ts": m.TS, "action_id": actionID, "value": value,
	}, nil)
}

// Choose picks an option of a menu of a message: of a select or an overflow menu.
// It fails the test where that is not possible.
func (p Place) Choose(m Message, actionID, value string) {
	p.w.t.Helper()
	if err := p.TryChoose(m, actionID, value); err != nil {
		p.w.t.Fatalf("choosing %s of %s: %v", value, actionID, err)
	}
}

// TryChoose is Choose for tests that expect an error. It takes the first menu
// with the action_id that offers the value.
func (p Place) TryChoose(m Message, actionID, value string) error {
	p.w.t.Helper()
	return p.w.post("/control/input", map[string]any{
		"user": p.user, "channel": m.Channel, "ts": m.TS, "action_id": actionID, "value": value,
	}, nil)
}

// ExpectMessage waits for a new message that this person sees here and that
// fits. A nil fits takes the first.
func (p Place) ExpectMessage(fits func(Message) bool) Message {
	p.w.t.Helper()
	return p.w.Expect(func(m Message) bool { return p.sees(m) && (fits == nil || fits(m)) })
}

// ExpectUpdate waits until a message has changed since m was read, its deletion
// included, and, where fits are given, until all of them hold. Updates on the
// way there count as expected.
func (p Place) ExpectUpdate(m Message, fits ...func(Message) bool) Message {
	p.w.t.Helper()
	return p.w.await("such update", func() (Message, bool) {
		now := p.w.latest[m.id()]
		if now.Revision <= m.Revision {
			return Message{}, false
		}
		for _, fit := range fits {
			if !fit(now) {
				return Message{}, false
			}
		}
		return now, true
	})
}

// All are the messages that this person sees here by now, oldest first. They
// count as expected.
func (p Place) All() []Message {
	p.w.t.Helper()
	p.w.poll(0)
	all := p.w.sorted(p.sees)
	for _, m := range all {
		p.w.expected[m.id()] = m.Revision
	}
	return all
}

func (p Place) sees(m Message) bool {
	return m.Channel == p.channel && (!m.Ephemeral || m.VisibleTo == p.user)
}

// Saying fits messages whose text or blocks contain all the parts.
func Saying(parts ...string) func(Message) bool {
	return func(m Message) bool {
		for _, part := range parts {
			if !strings.Contains(m.Text, part) && !strings.Contains(string(m.Blocks), part) {
				return false
			}
		}
		return true
	}
}
