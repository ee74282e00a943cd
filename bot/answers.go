package bot

import (
	"context"
	"slices"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
)

// answers runs what is asked for and answers it.
type answers struct {
	*responder
	approvals approvals
}

// placement is how an answer is shown.
type placement struct {
	request  commands.Request // to be run again when the answer is shared
	replace  bool             // in the place of the message that was clicked
	sharedBy string           // in the channel, in this person's name; "" = not shared
	claim    string           // of the click that shares
}

// answer runs a request and delivers what it says.
func (a answers) answer(ctx context.Context, to requester, p placement, run func(context.Context) commands.Answer) {
	started := a.cfg.Now()
	limited, cancel := context.WithTimeout(ctx, a.cfg.Deadlines.Request)
	defer cancel()
	answer := run(limited)
	if answer.Outcome != commands.Done {
		if p.sharedBy != "" {
			a.unclaimShare(ctx, p)
		}
		p.replace, p.sharedBy = false, "" // only what was seen takes another's place
	}
	if answer.Plan != nil {
		buttons := slack.NewActionBlock("", commands.PlanActions(*answer.Plan, "")...)
		a.approvals.showPlan(ctx, to, *answer.Plan, append(slices.Clip(answer.Blocks), buttons))
	} else {
		a.deliver(ctx, to, a.compose(ctx, answer, p))
	}
	took := a.cfg.Now().Sub(started)
	a.cfg.Metrics.Answered(answer.Name, string(answer.Outcome), took)
	log := a.log.With("command", answer.Name, "outcome", string(answer.Outcome), "took_ms", took.Milliseconds())
	if answer.Err != nil {
		log.ErrorContext(ctx, "request failed", "error", answer.Err)
		return
	}
	log.InfoContext(ctx, "answered")
}

// compose puts an answer and its buttons together.
func (a answers) compose(ctx context.Context, answer commands.Answer, p placement) message {
	m := message{blocks: answer.Blocks, public: p.sharedBy != "", replace: p.replace}
	buttons := slices.Clip(answer.Actions)
	if p.sharedBy != "" {
		m.blocks = append([]slack.Block{blockkit.Context("shared by <@" + blockkit.Escape(p.sharedBy) + ">")}, m.blocks...)
		buttons = renameRefresh(buttons)
	}
	if answer.Shareable && !m.public {
		if value := a.shareValue(ctx, answer, p.request); value != "" {
			buttons = append(buttons, blockkit.Button(buttonShare, "Share", value))
		}
	}
	if len(buttons) == 0 {
		return m
	}
	block := ""
	if answer.Session != "" {
		block = refreshBlock
	}
	m.blocks = append(slices.Clip(m.blocks), slack.NewActionBlock(block, buttons...))
	return m
}

// renameRefresh renames Refresh below a shared answer: those who click it get an
// answer of their own.
func renameRefresh(buttons []slack.BlockElement) []slack.BlockElement {
	var renamed []slack.BlockElement
	for _, button := range buttons {
		if b, ok := button.(*slack.ButtonBlockElement); ok && b.ActionID == buttonDebug {
			button = blockkit.Button(buttonDebug, "Debug", b.Value)
		}
		renamed = append(renamed, button)
	}
	return renamed
}
