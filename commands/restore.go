package commands

import (
	"context"
	"fmt"
	"slices"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/stats"
)

const (
	restoreName   = "restore"
	buttonRestore = "session.restore"
)

func (d Deps) restore() Command {
	return Command{Group: "session", Name: restoreName, Args: "<id> [prompt]", Action: buttonRestore, Repairs: store.ActionRestore, Operators: true,
		Summary: "store a lost prompt, after a confirmation; Stripe still has those of some older orders", Parse: d.parseRestore}
}

func (d Deps) parseRestore(args Args) (Run, error) {
	id, err := args.sessionID()
	if err != nil {
		return nil, err
	}
	prompt, err := checkPrompt(args.Prompt)
	if err != nil {
		return nil, err
	}
	d.Plans.Prompt = prompt
	return func(ctx context.Context, req Request) (Answer, error) {
		return d.plan(ctx, req, store.ActionRestore, id)
	}, nil
}

// noPromptText says how to give a prompt.
func noPromptText(req Request, id string) string {
	if req.Terminal {
		return "Which prompt? Stripe has none for this order. Ask the customer, then give it on standard input or with --prompt-file."
	}
	return "Which prompt? Stripe has none for this order. Ask the customer, then type: /session restore " + id + " <the prompt>"
}

// maxPromptPart is how much of a prompt one block shows, in characters.
const maxPromptPart = 2500

// promptBlocks show the whole prompt that a plan restores.
func promptBlocks(p repair.Plan) []slack.Block {
	prompt, from := p.Restore.Order.Prompt, "as it was entered"
	if p.FromStripe {
		from = "from Stripe's metadata"
	}
	label := fmt.Sprintf("Prompt (%s, %s)", count(stats.Length(prompt), "character"), from)
	blocks := []slack.Block{blockkit.Paragraph(blockkit.BoldLine(label))}
	for part := range slices.Chunk([]rune(prompt), maxPromptPart) {
		blocks = append(blocks, blockkit.Quote(string(part)))
	}
	return blocks
}

// restoreVerdict is the verdict on a job that restored a prompt, where that differs from
// what is said of other jobs; "" = it does not.
func restoreVerdict(p repair.Progress) (head, next string) {
	job, id := p.Job, shortID(p.Job.Plan.Session)
	if job.Outcome != store.OutcomeDone {
		return "", ""
	}
	replay, generate := slices.Contains(p.Next, store.ActionReplay), slices.Contains(p.Next, store.ActionGenerate)
	next = "Debug it to see how it goes on."
	unread := planSituation(job.Plan).unread // then Stripe's event starts nothing
	switch retrying := job.Plan.Retrying && !unread; {
	case retrying && (replay || generate):
		next = "Stripe will still deliver the event, and the site then makes the {video}: wait for that. Only if it takes too long, start it here."
	case retrying:
		next = "Wait: Stripe will still deliver the event, and the site then makes the {video}."
	case replay && generate:
		next = "Now replay the webhook or generate the {video}: nothing has been started yet."
	case replay:
		next = "Now replay the webhook: nothing has been started yet."
	case generate:
		next = "Now generate the {video}: nothing has been started yet."
	}
	return "Done: the prompt of " + id + " is stored.", withNoun(job.Plan.Kind, next)
}

// startButtons start what a fresh diagnosis allows after a restore.
func startButtons(p repair.Progress) []slack.BlockElement {
	s := situation{kind: p.Job.Plan.Kind}
	var buttons []slack.BlockElement
	if slices.Contains(p.Next, store.ActionReplay) {
		buttons = append(buttons, blockkit.Button("session.replay", "Replay webhook…", p.Job.Plan.Session))
	}
	if slices.Contains(p.Next, store.ActionGenerate) {
		buttons = append(buttons, blockkit.Button("session.generate", s.words("Generate {video}…"), p.Job.Plan.Session))
	}
	return buttons
}
