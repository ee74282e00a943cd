// Package note renders notes on decisions: the button, the form and the note itself.
package note

import (
	"strings"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/redact"
)

// The buttons that offer a note, with their values.
const (
	ActionPlan  = "confirm.note" // on a decision about a plan, by its id
	ActionAlert = "alert.note"   // on a snooze, by the incident's id; on a session that was handled, by its id
)

// The view in which a note is entered.
const (
	View  = "decision_note" // its callback_id
	Field = "note"          // action_id of its field
)

// maxText is how many characters a note may have.
const maxText = 300

// Button offers a note on a decision that has already taken effect, so that a person
// without a note needs no extra click.
func Button(action, value string) *slack.ButtonBlockElement {
	return blockkit.Button(action, "Add a note…", value)
}

// Blocks are the form for the note that a button offers.
func Blocks(button, value string) []slack.Block {
	plain := func(text string) *slack.TextBlockObject {
		return slack.NewTextBlockObject(slack.PlainTextType, text, false, false)
	}
	field := slack.NewPlainTextInputBlockElement(plain("Why, for those who read this later"), Field)
	field.Multiline, field.MaxLength, field.FocusOnLoad = true, maxText, true
	return []slack.Block{
		slack.NewInputBlock(button+" "+value, plain("Note"), plain("The decision has already taken effect. The channel sees the note."), field),
	}
}

// ParseBlock splits the id of the form's block into the button that opened it and that
// button's value.
func ParseBlock(block string) (button, value string) {
	button, value, _ = strings.Cut(block, " ")
	return button, value
}

// Text is a note as it is stored: one line without e-mail addresses, since a channel
// and the audit trail show it.
func Text(typed string) string {
	return blockkit.Cut(redact.Emails(blockkit.OneLine(typed)), maxText)
}

// Spans end a line with a note, if there is one.
func Spans(note string) []blockkit.Span {
	if note == "" {
		return nil
	}
	return []blockkit.Span{blockkit.Plain(": “" + blockkit.OneLine(note) + "”")}
}
