package commands

import (
	"context"
	"errors"
	"regexp"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
)

// fileIDPattern is what SuperDuperAI's ids look like.
var fileIDPattern = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// settleName is the one command that changes something by itself.
const settleName = "session settle"

func (d Deps) settle() Command {
	return Command{Group: "session", Name: "settle", Args: "<id> <file id>",
		Summary: "say which file an unclear generation made", Operators: true, Parse: d.parseSettle}
}

func (d Deps) parseSettle(args Args) (Run, error) {
	if len(args.Words) < 2 {
		return nil, usageError{text: "Give the session's id and the id of the file that was made."}
	}
	last := len(args.Words) - 1
	file := args.Words[last]
	args.Words = args.Words[:last]
	id, err := sessionID(args)
	if err != nil {
		return nil, err
	}
	if !fileIDPattern.MatchString(file) {
		return nil, usageError{text: "The last word is not the id of a file. One looks like 6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0013."}
	}
	return func(ctx context.Context, req Request) (Answer, error) {
		latest, err := d.Ledger.JobOf(ctx, id)
		if err != nil {
			return Answer{}, err
		}
		return d.settled(ctx, latest.ID, req, file)
	}, nil
}

// settled puts on record what became of an unclear generation: its file, or ""
// where nothing was made.
func (d Deps) settled(ctx context.Context, job string, req Request, file string) (Answer, error) {
	by := store.Actor{ID: req.User, Terminal: req.Terminal}
	settled, err := d.Ledger.Settle(ctx, job, by, file, d.Now())
	switch {
	case errors.Is(err, store.ErrNotUnclear), errors.Is(err, store.ErrUnknownJob):
		return Answer{}, refuse("Nothing is unclear here any more: there is nothing to settle.")
	case err != nil:
		return Answer{}, err
	}
	id := settled.Plan.Session
	detail, text := "file "+file, "Settled: the file is being followed to its end."
	if file == "" {
		detail, text = "not made", "Settled: nothing was made. It can be generated again in a moment."
	}
	err = d.Ledger.Record(ctx, store.Entry{At: d.Now(), Who: by, Where: req.where(), Event: store.AuditSettled,
		Action: store.ActionGenerate, Session: id, Plan: job, Detail: detail})
	if err != nil {
		return Answer{}, err
	}
	return Answer{Session: id, Blocks: []slack.Block{blockkit.Paragraph(blockkit.L(blockkit.Bold(text)))},
		JSON: map[string]string{"settled": detail}}, nil
}

// SettleNotMade is session settle for the button of an unclear job, and only
// for that one.
func (r *Registry) SettleNotMade(ctx context.Context, job string, req Request) Answer {
	answer, err := r.deps.settled(ctx, job, req, "")
	if err != nil {
		return r.explain(req, settleName, err)
	}
	answer.Name, answer.Outcome = settleName, Done
	return answer
}
