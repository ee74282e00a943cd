package bot

import (
	"context"
	"errors"

	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/commands/note"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/repair"
)

// askNote opens the window for a note on a decision that has taken effect. Permission is
// checked when the note is submitted, so that nothing delays the window.
func (b *Bot) askNote(to requester, i interaction) {
	view := viewOf("Add a note", note.Blocks(i.click.button, i.click.value))
	view.Submit, view.CallbackID = plainText("Add"), note.View
	to.modal = b.openModal(to, i.trigger, i.overlaid(), view)
	b.serve(to, func(ctx context.Context) {
		if !to.modal.isOpen(ctx) {
			b.reply(ctx, to, message.NoticeNoteMissed)
		}
	})
}

// noteSubmitted queues a note that was submitted; the ack closed its window.
func (b *Bot) noteSubmitted(to requester, i interaction) {
	block, typed := i.view.fields.ofAction(note.Field)
	button, value := note.ParseBlock(block)
	text := note.Text(typed)
	to.deciding = true
	b.serve(to, func(ctx context.Context) {
		var err error
		switch {
		case text == "": // invisible characters only
			return
		case button == note.ActionPlan:
			err = b.notePlan(ctx, to, value, text)
		case b.cfg.Incidents == nil:
			err = incident.ErrUnknownIncident
		case store.IsSessionID(value):
			err = b.noteHandled(ctx, to, value, text)
		default:
			err = b.noteSnooze(ctx, to, value, text)
		}
		b.noted(ctx, to, err)
	})
}

// noted answers the user who submitted a note. The message of the decision shows the note.
func (a answers) noted(ctx context.Context, to requester, err error) {
	switch {
	case err == nil:
		a.log.InfoContext(ctx, "note added")
		a.reply(ctx, to, message.NoticeNoted)
	case errors.Is(err, repair.ErrNotDecider):
		a.reply(ctx, to, message.NoticeNotDecider)
	case errors.Is(err, repair.ErrUnknownPlan), errors.Is(err, repair.ErrUnknownJob), errors.Is(err, incident.ErrUnknownIncident):
		a.reply(ctx, to, message.NoticeNoteGone)
	default:
		a.log.ErrorContext(ctx, "note not saved", "error", err)
		a.replyRef(ctx, to, message.Notice(message.ClickFailedText(err)))
	}
}

func (a answers) notePlan(ctx context.Context, to requester, plan, text string) error {
	err := a.cfg.Repairs.Decisions.AddNote(ctx, plan, text, to.actor(), to.channel)
	if err == nil {
		a.approvals.catchUp(ctx, plan)
	}
	return err
}

// noteSnooze adds why an incident was snoozed. The leader of the watch shows it.
func (a answers) noteSnooze(ctx context.Context, to requester, id, text string) error {
	_, done, err := a.cfg.Incidents.NoteSnooze(ctx, id, to.user, text, a.cfg.Now())
	if err == nil && !done {
		err = repair.ErrNotDecider
	}
	return err
}

// noteHandled adds the note of the user who handled a session elsewhere.
func (a answers) noteHandled(ctx context.Context, to requester, session, text string) error {
	known, err := a.cfg.Incidents.Handled(ctx, session)
	switch {
	case err != nil:
		return err
	case known == nil:
		return incident.ErrUnknownIncident
	case known.By != to.user:
		return repair.ErrNotDecider
	}
	err = a.cfg.Repairs.Decisions.Record(ctx, audit.Entry{At: a.cfg.Now(), Who: to.actor(), Where: to.channel, Event: audit.Noted, Session: session, Detail: text})
	if err != nil {
		return err
	}
	known.Note = text
	if err := a.cfg.Incidents.SaveHandled(ctx, session, *known); err != nil {
		return err
	}
	return a.cfg.Incidents.NoteHandled(ctx, session, text)
}

// noteOf returns the note on a job. The process that executes it may have read
// the job before the note was added.
func (a approvals) noteOf(ctx context.Context, job repair.Job) *repair.Note {
	if _, offered := job.Decided(); !offered || job.Note != nil {
		return job.Note
	}
	stored, err := a.cfg.Repairs.Plans.LoadJob(ctx, job.ID)
	if err != nil {
		a.log.WarnContext(ctx, "note of a job not read", "job", job.ID, "error", err)
	}
	return stored.Note
}
