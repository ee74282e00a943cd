package message

import (
	"fmt"
	"slices"
	"time"

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
	prompt, from := p.Restore.Order.Prompt, "typed by the requester from what the customer sent; if in doubt, cancel"
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
	if p.Job.Outcome != store.OutcomeDone {
		return "", ""
	}
	replay, generate := slices.Contains(p.Next, store.ActionReplay), slices.Contains(p.Next, store.ActionGenerate)
	next = "Press Debug: it says what is possible next. Nothing has been started yet."
	unread := planSituation(p.Job.Plan).Unread // then Stripe's event starts nothing
	switch retrying := p.Job.Plan.Retrying && !unread; {
	case retrying:
		then := "press Debug."
		if replay || generate {
			then = "run " + startText(replay, generate) + ". A retry can still make a second {video}, for which we pay as well."
		}
		next = "Wait until " + humanize.Clock(p.Job.Claimed.Add(15*time.Minute), p.At) + ": Stripe is still retrying the event, and the site then makes the {video} ({pay}). If nothing has started by then, " + then
	case replay || generate:
		next = "Nothing has been started yet. Next, run " + startText(replay, generate) + ". It shows a plan first ({pay})."
	}
	return "Done: the prompt of {id} is stored.", next
}

// startText names the command that makes the video, and what helps if it does not.
func startText(replay, generate bool) string {
	switch {
	case replay && generate:
		return "{replay}; only if that fails, {generate}"
	case replay:
		return "{replay}"
	}
	return "{generate}"
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
