package commands

import (
	"context"

	"github.com/superduperai/sessionbot/store"
)

const restoreName = "restore"

// ActionRestore is the button that opens the view in which a lost prompt is entered.
const ActionRestore = "session.restore"

func (d Deps) restore() Command {
	return Command{Group: "session", Name: restoreName, Args: "<id> [prompt]", Action: ActionRestore, Repairs: store.ActionRestore, Operators: true,
		Summary: "store a lost prompt (no cost; for some older orders Stripe still has it); you approve a plan first", Parse: d.parseRestore}
}

func (d Deps) parseRestore(args Args) (Run, error) {
	id, err := args.sessionID()
	if err != nil {
		return nil, err
	}
	prompt, err := checkPrompt(args.Order.Prompt)
	if err != nil {
		return nil, err
	}
	d.Plans.Restore = args.Order
	d.Plans.Restore.Prompt = prompt
	return func(ctx context.Context, req Request) (Answer, error) {
		if req.Form && prompt == "" {
			return d.restoreForm(ctx, req, id)
		}
		return d.plan(ctx, req, store.ActionRestore, id)
	}, nil
}

// noPromptText says how to give a prompt.
func noPromptText(req Request, id string) string {
	if req.Terminal {
		return "Which prompt? Stripe has none for this order. Ask the customer, then pass it on standard input or with --prompt-file."
	}
	return "Which prompt? Stripe has none for this order. Ask the customer, then type: /session restore " + id + " <the prompt>"
}
