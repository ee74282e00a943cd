package commands

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/superduper"
)

// fileIDPattern is what SuperDuperAI's ids look like, alone or in a link.
var fileIDPattern = regexp.MustCompile(`\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`)

// settleName is the one command that changes something by itself.
const settleName = "session settle"

func (d Deps) settle() Command {
	return Command{Group: "session", Name: "settle", Args: "<id> <file id>",
		Summary: "say which file an unclear generation made, or follow one again that was given up",
		Repairs: store.ActionGenerate, Operators: true, Parse: d.parseSettle}
}

func (d Deps) parseSettle(args Args) (Run, error) {
	if len(args.Words) < 2 {
		return nil, usageError{text: "Give the session's id and the id of the file that was made."}
	}
	last := len(args.Words) - 1
	files := slices.Compact(fileIDPattern.FindAllString(strings.ToLower(args.Words[last]), -1))
	args.Words = args.Words[:last]
	id, err := sessionID(args)
	if err != nil {
		return nil, err
	}
	if len(files) != 1 {
		return nil, usageError{text: "The last word is not the id of a file. One looks like 6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0013."}
	}
	return func(ctx context.Context, req Request) (Answer, error) {
		return d.settleWith(ctx, req, id, files[0])
	}, nil
}

// settleWith looks at the file before it is taken for the session's. One that
// does not exist is refused; where nobody can be asked the operator's word
// counts, and that is said.
func (d Deps) settleWith(ctx context.Context, req Request, id, file string) (Answer, error) {
	latest, err := d.Ledger.JobOf(ctx, id)
	if err != nil {
		return Answer{}, err
	}
	refused := store.Entry{At: d.Now(), Who: req.who(), Where: req.where(), Event: store.AuditRefused,
		Action: store.ActionGenerate, Session: id, Plan: latest.ID}
	if latest.State != store.JobUnclear && latest.Outcome != store.OutcomeGaveUp {
		refused.Detail = "settle: nothing was unclear"
		d.recordRefusal(ctx, req, refused)
		return Answer{}, refuse(nothingUnclear)
	}
	limited, cancel := context.WithTimeout(ctx, fileWithin)
	defer cancel()
	seen, err := d.Files.File(limited, file)
	if errors.Is(err, superduper.NotFound) {
		refused.Detail = "settle: SuperDuperAI does not know the file " + file
		d.recordRefusal(ctx, req, refused)
		return Answer{}, refuse("SuperDuperAI does not know this file, so nothing was settled. Check its id; one that was started just now may take a minute to show.")
	}
	if err != nil {
		d.Log.WarnContext(ctx, "a file could not be looked at before it was settled", "ref", req.Ref, "error", err)
	}
	return d.settled(ctx, latest.ID, req, file, seenText(seen, err))
}

const (
	// fileWithin bounds the look at a file.
	fileWithin     = 3 * time.Second
	nothingUnclear = "No generation of ours is unclear here or was given up: there is nothing to settle."
)

// seenText says how a file stands that is about to be followed.
func seenText(file store.File, err error) string {
	if err != nil {
		return "not looked at, because " + fileErrorText(err)
	}
	return "SuperDuperAI says: " + words(string(file.State))
}

// settled settles a generation: with its file and how that was seen, or "" where
// nothing was made. Whoever carries the job on puts it on record.
func (d Deps) settled(ctx context.Context, job string, req Request, file, seen string) (Answer, error) {
	detail, text := "file "+file+", "+seen, "Settled: the file is being followed to its end ("+seen+")."
	if file == "" {
		detail, text = "not made", "Settled: nothing was made. It can be generated again in a moment."
	}
	settled, err := d.Ledger.Settle(ctx, job, store.Settlement{By: req.who(), Where: req.where(), At: d.Now(), FileID: file, Detail: detail})
	refused := settled.Plan.Entry(store.AuditRefused, req.who(), req.where(), "settle: nothing was unclear", d.Now())
	switch {
	case errors.Is(err, store.ErrOtherFile):
		refused.Detail = "settle: the file " + file + " is not the one that was given up"
		d.recordRefusal(ctx, req, refused)
		return Answer{}, refuse("This is not the file of the generation that was given up, so nothing was settled. Debug the session: it names the file.")
	case errors.Is(err, store.ErrNotUnclear):
		d.recordRefusal(ctx, req, refused)
		return Answer{}, refuse(nothingUnclear)
	case errors.Is(err, store.ErrUnknownJob):
		return Answer{}, refuse(nothingUnclear)
	case err != nil:
		return Answer{}, err
	}
	return Answer{Session: settled.Plan.Session, Blocks: []slack.Block{blockkit.Paragraph(blockkit.L(blockkit.Bold(text)))},
		JSON: map[string]string{"settled": detail}}, nil
}

// SettleNotMade is session settle for the button of an unclear job, and only
// for that one.
func (r *Registry) SettleNotMade(ctx context.Context, job string, req Request) Answer {
	answer, err := r.deps.settled(ctx, job, req, "", "")
	if err != nil {
		return r.explain(req, settleName, err)
	}
	answer.Name, answer.Outcome = settleName, Done
	return answer
}
