package message

import (
	"fmt"
	"slices"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/stats"
)

// maxPromptPart is how much of a prompt one block shows, in characters.
const maxPromptPart = 2500

// promptBlocks show the whole prompt that a plan restores.
func promptBlocks(p repair.Plan) []slack.Block {
	prompt, from := p.Restore.Order.Prompt, "as entered"
	if p.FromStripe {
		from = "from Stripe's metadata"
	}
	label := fmt.Sprintf("Prompt (%s, %s)", humanize.Count(stats.Length(prompt), "character"), from)
	blocks := []slack.Block{blockkit.Paragraph(blockkit.BoldLine(label))}
	for part := range slices.Chunk([]rune(prompt), maxPromptPart) {
		blocks = append(blocks, blockkit.Quote(string(part)))
	}
	return blocks
}

// restoreVerdict is the verdict on a job that restored a prompt, where that differs from
// what is said of other jobs; "" = it does not.
func restoreVerdict(p repair.Progress) (head, next string) {
	job, id := p.Job, humanize.ShortID(p.Job.Plan.Session)
	if job.Outcome != store.OutcomeDone {
		return "", ""
	}
	replay, generate := slices.Contains(p.Next, store.ActionReplay), slices.Contains(p.Next, store.ActionGenerate)
	next = "Press Debug to check what is possible next."
	unread := planSituation(job.Plan).Unread // then Stripe's event starts nothing
	switch retrying := job.Plan.Retrying && !unread; {
	case retrying && (replay || generate):
		next = "Wait: Stripe is still retrying the event, and the site then makes the {video}. If nothing has started in 15 min, start it here by Replay or by Generate, not by both: we pay for each."
	case retrying:
		next = "Wait: Stripe is still retrying the event, and the site then makes the {video}."
	case replay && generate:
		next = "Now replay the webhook or generate the {video}: nothing has been started yet."
	case replay:
		next = "Now replay the webhook: nothing has been started yet."
	case generate:
		next = "Now generate the {video}: nothing has been started yet."
	}
	return "Done: the prompt of " + id + " is stored.", humanize.WithNoun(job.Plan.Kind, next)
}

// startButtons start what a fresh diagnosis allows after a restore.
func startButtons(p repair.Progress) []slack.BlockElement {
	var buttons []slack.BlockElement
	if slices.Contains(p.Next, store.ActionReplay) {
		buttons = append(buttons, blockkit.Button("session.replay", "Replay webhook…", p.Job.Plan.Session))
	}
	if slices.Contains(p.Next, store.ActionGenerate) {
		buttons = append(buttons, blockkit.Button("session.generate", humanize.WithNoun(p.Job.Plan.Kind, "Generate {video}…"), p.Job.Plan.Session))
	}
	return buttons
}
