package bot

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/bot/slackapi"
	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/panics"
	"github.com/superduperai/sessionbot/internal/telemetry"
	"github.com/superduperai/sessionbot/store"
)

// answers runs requests and delivers their answers.
type answers struct {
	*responder
	approvals approvals
}

// placement is how an answer is shown.
type placement struct {
	request    commands.Request // run again when the answer is shared
	replace    bool             // replaces the message that was clicked
	sharedBy   string           // who posts it in the channel, "" = not shared
	claim      string           // of the click on Share
	long       bool             // it examines many sessions first
	firstPress bool             // it was asked for by a click on Include, which counts as the first press on the plan
}

// answer runs a request and delivers its answer.
func (a answers) answer(ctx context.Context, to requester, p placement, run func(context.Context) commands.Answer) {
	started := a.cfg.Now()
	deadline, stopNotice := a.cfg.Deadlines.Request, func() {}
	if p.long {
		deadline, stopNotice = a.cfg.Deadlines.Bulk, a.noticeLater(ctx, to)
		defer stopNotice()
	}
	limited, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	answer := run(limited)
	stopNotice()
	if answer.Outcome != commands.Done {
		if p.sharedBy != "" {
			a.unclaimShare(ctx, p)
		}
		p.replace, p.sharedBy = false, "" // a failure neither replaces an answer nor is shared
	}
	if to.modal != nil && !to.modal.isOpen(ctx) {
		to.modal = nil // the answer goes where it would go without
	}
	switch {
	case answer.Form:
		a.showForm(ctx, to, answer)
	case answer.Plan != nil:
		buttons := slack.NewActionBlock("", message.PlanActions(*answer.Plan, "")...)
		if a.approvals.showPlan(ctx, to, *answer.Plan, append(slices.Clip(answer.Blocks), buttons)) && p.firstPress {
			a.approvals.countIncludeAsPress(ctx, to, *answer.Plan)
		}
	case p.sharedBy != "":
		a.postShared(ctx, to, p, answer)
	default:
		a.follow(ctx, to, answer, store.Message{Channel: to.channel, TS: cmp.Or(to.thread, to.about)})
		a.deliver(ctx, to, a.compose(ctx, to, answer, p))
	}
	took := a.cfg.Now().Sub(started)
	telemetry.Answered(ctx, answer.Name, string(answer.Outcome), answer.Outcome == commands.Failed)
	a.cfg.Metrics.Answered(answer.Name, string(answer.Outcome), took)
	log := a.log.With("command", answer.Name, "outcome", string(answer.Outcome), "took_ms", took.Milliseconds())
	if answer.Err != nil {
		log.ErrorContext(ctx, "request failed", "error", answer.Err)
		return
	}
	log.InfoContext(ctx, "answered")
}

// noticeLater sends a notice if the answer takes long; the returned function cancels it, or
// waits until it is sent, since it must not follow the answer. It cannot be replaced by the
// answer: the original of a clicked button's response_url is the alert, or the plan.
func (a answers) noticeLater(ctx context.Context, to requester) (stop func()) {
	sent := make(chan struct{})
	timer := time.AfterFunc(a.cfg.Deadlines.Notice, func() {
		defer close(sent)
		err := panics.Catch(func() error { a.reply(ctx, to, message.NoticeExamining); return nil })
		if panicked, ok := errors.AsType[*panics.Error](err); ok {
			a.log.ErrorContext(ctx, "notice panicked", "panic", panicked.Message, "stack", panicked.Stack)
		}
	})
	return sync.OnceFunc(func() {
		if !timer.Stop() {
			<-sent
		}
	})
}

// compose makes a message of an answer and its buttons.
func (a answers) compose(ctx context.Context, to requester, answer commands.Answer, p placement) slackapi.Message {
	m := slackapi.Message{Blocks: answer.Blocks, Public: p.sharedBy != "", Replace: p.replace}
	buttons := slices.Clip(answer.Actions)
	if p.sharedBy != "" {
		m.Blocks = append([]slack.Block{blockkit.Context("shared by <@" + blockkit.Escape(p.sharedBy) + ">")}, m.Blocks...)
	}
	if to.about != "" && to.modal == nil {
		markAbout(m.Blocks, to.about)
	}
	stays := m.Public || to.thread != ""
	if stays {
		buttons = renameRefresh(buttons)
	}
	if answer.Shareable && !stays && to.modal.shares() {
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
	m.Blocks = append(slices.Clip(m.Blocks), slack.NewActionBlock(block, buttons...))
	return m
}

// renameRefresh renames Refresh below an answer that is no ephemeral message: those who
// click it get an answer of their own.
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
