package commands

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/commands/note"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/superduper"
)

// fileIDPattern is what SuperDuperAI's ids look like, alone or in a link.
var fileIDPattern = regexp.MustCompile(`\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`)

// settleName is the full name of the one command that changes something by itself.
const settleName = "session settle"

const (
	fileTimeout    = 3 * time.Second
	nothingUnclear = "There is nothing to settle: no generation or replay of this session has an unknown result."
)

func (d Deps) settle() Command {
	return Command{Group: "session", Name: "settle", Args: "<id> <file id>", Repairs: store.ActionGenerate, Operators: true, Direct: true,
		Summary: "after a generation with an unknown result, give the id of the file you found in SuperDuperAI; or, to resume tracking one, that of the file on record (no cost)", Parse: d.parseSettle}
}

func (d Deps) parseSettle(args Args) (Run, error) {
	if len(args.Words) < 2 {
		return nil, usageError("Give the session's id and the id of the file that was made.")
	}
	last := len(args.Words) - 1
	files := slices.Compact(fileIDPattern.FindAllString(strings.ToLower(args.Words[last]), -1))
	args.Words = args.Words[:last]
	id, err := args.sessionID()
	if err != nil {
		return nil, err
	}
	if len(files) != 1 {
		return nil, usageError("The last word is not the id of a file. One looks like 6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0013.")
	}
	return func(ctx context.Context, req Request) (Answer, error) { return d.settleFile(ctx, req, id, files[0]) }, nil
}

// settleFile refuses a file that SuperDuperAI does not know. If SuperDuperAI cannot
// be asked the operator is trusted, and the answer says so.
func (d Deps) settleFile(ctx context.Context, req Request, id, file string) (Answer, error) {
	latest, err := d.Jobs.JobOf(ctx, id)
	if err != nil {
		return Answer{}, err
	}
	refused := d.refusedEntry(req, store.ActionGenerate, id)
	refused.Plan = latest.ID
	if latest.Action == store.ActionReplay {
		refused.Action = latest.Action
	}
	if latest.State != store.JobUnclear && latest.Outcome != store.OutcomeGaveUp {
		refused.Detail = "settle: nothing was unclear"
		d.Repairs.RecordRefusal(ctx, refused)
		return Answer{}, refuse(nothingUnclear)
	}
	fileCtx, cancel := context.WithTimeout(ctx, fileTimeout)
	defer cancel()
	seen, err := d.Files.File(fileCtx, file)
	if errors.Is(err, superduper.NotFound) {
		refused.Detail = "settle: SuperDuperAI does not know the file " + file
		d.Repairs.RecordRefusal(ctx, refused)
		return Answer{}, refuse("SuperDuperAI does not know this file, so nothing was settled. Check the id: the SuperDuperAI editor shows it in the address of the file. A file that was just started may take a minute to appear.")
	}
	seenText := "SuperDuperAI says: " + humanize.Words(string(seen.State))
	if err != nil {
		d.Log.WarnContext(ctx, "file not verified before settling", "error", err)
		seenText = "not checked: " + message.FileErrorText(err)
	}
	return d.settleJob(ctx, req, latest.ID, file, "file "+file+", "+seenText, "Settled: tracking the file until it finishes ("+seenText+"). The result is posted in the repair's thread; this starts nothing and costs nothing.")
}

// settleJob settles a job with its file, "" = nothing was made. The runner of the
// job writes the audit entry.
func (d Deps) settleJob(ctx context.Context, req Request, job, file, detail, text string) (Answer, error) {
	settled, err := d.Repairs.Settle(ctx, job, repair.Settlement{By: req.actor(), Where: req.where(), At: d.Now(), FileID: file, Detail: detail})
	switch {
	case errors.Is(err, repair.ErrOtherFile):
		return Answer{}, refuse("This is not the file of that generation, so nothing was settled. Debug the session: it shows the file.")
	case errors.Is(err, repair.ErrNotUnclear), errors.Is(err, repair.ErrUnknownJob):
		return Answer{}, refuse(nothingUnclear)
	case err != nil:
		return Answer{}, err
	}
	lines := []blockkit.Line{blockkit.BoldLine(text)}
	if req.Note != "" {
		if err := d.Repairs.AddNote(ctx, job, req.Note, req.actor(), req.where()); err != nil {
			d.Log.ErrorContext(ctx, "note not saved", "error", err)
			lines = append(lines, blockkit.PlainLine("The note was not saved."))
		}
	}
	answer := Answer{Session: settled.Plan.Session, Blocks: blockkit.Message(lines...), JSON: map[string]string{"settled": detail}}
	if !req.Terminal {
		answer.Actions = []slack.BlockElement{note.Button(note.ActionPlan, job)}
	}
	return answer, nil
}

// SettleNotMade settles the unclear job of a button: nothing was made.
func (r *Registry) SettleNotMade(ctx context.Context, job string, req Request) Answer {
	answer, err := r.deps.settleJob(ctx, req, job, "", "not made", "Settled: nothing was made. It can be generated again in a moment.")
	if err != nil {
		return explain(ctx, settleName, nil, err)
	}
	answer.Name, answer.Outcome = settleName, Done
	return answer
}
