package message

import (
	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands/note"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store/repair"
)

// noteFact is the note with a decision about a plan, none without.
func noteFact(n *repair.Note) []blockkit.Line {
	if n == nil {
		return nil
	}
	return []blockkit.Line{blockkit.Fact("Note by", humanize.Person(n.By), blockkit.Plain(": "+blockkit.OneLine(n.Text)))}
}

// jobNoteButton offers a note with what a person decided about a job, none where they
// decided in a terminal, or wrote one.
func jobNoteButton(job repair.Job) []slack.BlockElement {
	if by, offered := job.Decided(); !offered || by.Terminal || job.Note != nil {
		return nil
	}
	return []slack.BlockElement{note.Button(note.ActionPlan, job.ID)}
}
