package commands

import (
	"slices"
	"strconv"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
)

// The shortcuts of the manifest, by callback_id, and the field of the second one's view.
const (
	ShortcutDebug = "session_from_message" // of a message
	ShortcutFind  = "session_find"         // global
	FindField     = "session_find.query"   // block_id and action_id
)

// ActionFind is the button that runs /session find; its value is the customer.
const ActionFind = "session.find"

// maxSubjects is how many sessions and customers a choice offers.
const maxSubjects = 20

// Subject is a session or a customer that a text names.
type Subject struct {
	Text    string // the session's id, whole or shortened; an e-mail address or a payment
	session bool
}

// Request is the request that choosing the subject makes.
func (s Subject) Request() string {
	if s.session {
		return "debug " + s.Text
	}
	return "find " + s.Text
}

// Subjects finds the sessions, e-mail addresses and payments in a text, each once.
func Subjects(text string) []Subject {
	text = normalise(text)
	var found []Subject
	whole, short := store.FindIDs(text)
	for _, id := range whole {
		found = append(found, Subject{Text: id, session: true})
	}
	for _, id := range short {
		found = append(found, Subject{Text: id.Text(), session: true})
	}
	for _, customer := range customers(text) {
		found = append(found, Subject{Text: customer})
	}
	return found
}

// Meant returns the one subject to answer about if several are named, as after /session:
// the only session, no matter who paid for it, else the only customer.
func Meant(subjects []Subject) (meant Subject, ok bool) {
	sessions := slices.DeleteFunc(slices.Clone(subjects), func(s Subject) bool { return !s.session })
	switch {
	case len(sessions) == 1:
		return sessions[0], true
	case len(subjects) == 1:
		return subjects[0], true
	}
	return Subject{}, false
}

// ChoiceAnswer offers several subjects, or says that there are none.
func ChoiceAnswer(subjects []Subject) Answer {
	if len(subjects) == 0 {
		return Answer{Outcome: Refused, Blocks: blockkit.Message(message.Headline(
			"There is no session id, e-mail address or payment (pi_…) in this message.",
			"Copy one from elsewhere and use the shortcut “Find a session”, or type /session with it.")...)}
	}
	blocks := blockkit.Message(message.Headline("This names "+strconv.Itoa(len(subjects))+" sessions or customers.", "Choose one.")...)
	for _, s := range subjects[:min(len(subjects), maxSubjects)] {
		button := message.DebugButton("Debug", s.Text)
		if !s.session {
			button = blockkit.Button(ActionFind, "Find", s.Text)
		}
		blocks = append(blocks, blockkit.Row("`"+blockkit.Escape(s.Text)+"`", button))
	}
	if more := len(subjects) - maxSubjects; more > 0 {
		blocks = append(blocks, blockkit.Context("And "+strconv.Itoa(more)+" more: type /session with the one you mean."))
	}
	return Answer{Outcome: Done, Blocks: blocks}
}

// LoadingBlocks are shown in a view until its answer is ready.
func LoadingBlocks() []slack.Block {
	return blockkit.Message(blockkit.PlainLine("Looking it up…"))
}

// FindBlocks are the form of the view for find.
func FindBlocks() []slack.Block { return []slack.Block{findInput()} }

func findInput() *slack.InputBlock {
	field := slack.NewPlainTextInputBlockElement(plainText("cs_live_…, e-mail address or pi_…"), FindField).WithMaxLength(maxField)
	return slack.NewInputBlock(FindField, plainText("Session id or link, e-mail address, or payment"), nil, field)
}

// NothingToFind is the error of a field without a subject.
const NothingToFind = "There is no session id, e-mail address or payment (pi_…) here."
