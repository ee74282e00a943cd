package bot

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/bot/slackapi"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// showPlan posts a plan, records where, and reports whether it is shown. The requester
// gets an answer if they do not see it there, or if it failed.
func (a approvals) showPlan(ctx context.Context, to requester, plan repair.Plan, blocks []slack.Block) bool {
	m, pointer, err := a.postPlan(ctx, to, plan, blocks)
	if errors.Is(err, errNoPlace) {
		a.reply(ctx, to, message.NoticePlanNowhere)
		return false
	}
	if err != nil {
		a.log.ErrorContext(ctx, "plan not shown", "error", err)
		text := message.NoticePlanUnshown
		if slackapi.FaultOf(err).Unclear() {
			text = message.NoticePlanUnclear
		}
		a.replyRef(ctx, to, text+" "+message.Notice(slackapi.FaultOf(err).Advice()))
		return false
	}
	a.saveMessage(ctx, plan.ID, m)
	if pointer != nil {
		a.replyLine(ctx, to, pointer)
	}
	return true
}

// errNoPlace means that a plan was requested where operators would not see it.
var errNoPlace = errors.New("no channel to show the plan in")

// postPlan tries the channel, the alert channel and, if the requester alone may
// approve it, a direct message. The pointer links to the
// plan if the requester would not see it, nil = they do.
func (a approvals) postPlan(ctx context.Context, to requester, plan repair.Plan, blocks []slack.Block) (m store.Message, pointer blockkit.Line, err error) {
	direct := to.channel == "" || isDirectChannel(to.channel) // where operators do not look
	err = errNoPlace
	if !direct {
		m, err = a.outbox.Post(ctx, to.channel, planMark(plan.ID), blocks)
		if err == nil && (to.thread != "" || to.modal != nil) {
			return m, a.planPointer(ctx, "The plan is shown in ", m), nil
		}
		if err == nil || !slackapi.FaultOf(err).TryElsewhere() {
			return m, nil, err
		}
	}
	if alert := a.cfg.Repairs.AlertChannel; alert != "" && alert != to.channel {
		m, err = a.outbox.Post(ctx, alert, planMark(plan.ID), blocks)
		why := "The bot cannot post in this channel, so the plan is shown in "
		if direct {
			why = "The plan is shown where operators see it, in "
		}
		if err == nil {
			return m, a.planPointer(ctx, why, m), nil
		}
		if !slackapi.FaultOf(err).TryElsewhere() {
			return m, nil, err
		}
	}
	if !a.needsSecondOperator(plan.Action) && a.operators.AdmitOperator(ctx, to.user) == nil {
		m, err = a.outbox.Post(ctx, to.user, planMark(plan.ID), blocks)
		if direct {
			return m, a.planPointer(ctx, "The plan is shown in our direct messages", m), err
		}
	}
	return m, blockkit.L(blockkit.Plain(string(message.NoticePlanSent))), err
}

// planPointer says where a plan is shown, with a link to its message.
func (a approvals) planPointer(ctx context.Context, where string, m store.Message) blockkit.Line {
	line := blockkit.L(blockkit.Plain(where))
	if !isDirectChannel(m.Channel) {
		line = append(line, blockkit.Channel(m.Channel))
	}
	if url := a.outbox.Permalink(ctx, m); url != "" {
		line = append(line, blockkit.Plain(": "), blockkit.Link(url, "open the plan"))
	}
	return append(line, blockkit.Plain("."))
}

// planMark marks the message of a plan.
func planMark(id string) slack.SlackMetadata {
	return slack.SlackMetadata{EventType: "sessionbot_plan", EventPayload: map[string]any{"plan": id}}
}

// endMark marks what was posted of the end of a job, or of a pause of a bulk plan. One
// that is settled ends twice.
func endMark(job repair.Job) slack.SlackMetadata {
	return slack.SlackMetadata{EventType: "sessionbot_end", EventPayload: map[string]any{"end": job.ID + " " + strconv.FormatInt(haltedAt(job).UnixMilli(), 10)}}
}

// haltedAt is when a job ended, or a bulk plan was paused.
func haltedAt(job repair.Job) time.Time {
	if job.Outcome == "" && job.Bulk != nil && job.Bulk.Paused() {
		return job.Bulk.Last().At
	}
	return job.Finished
}

// showProgress is Bot.ShowProgress.
func (a approvals) showProgress(ctx context.Context, p repair.Progress) error {
	p.Job.Note = a.noteOf(ctx, p.Job)
	m := p.Job.Plan.Message
	if m.TS == "" {
		if p.Reply == repair.ReplyNone {
			return nil
		}
		return a.postEnd(ctx, p) // requested in a terminal that is gone, or its message was never recorded
	}
	err := a.sendProgress(ctx, p, func(blocks []slack.Block) error { return a.outbox.Update(ctx, m, blocks) })
	switch {
	case err == nil:
		return a.replyEnd(ctx, p)
	case p.Reply == repair.ReplyNone, slackapi.FaultOf(err).Recoverable():
		return err
	}
	// The message is gone, or out of reach.
	a.log.ErrorContext(ctx, "job message not updated, posting the end", "job", p.Job.ID, "error", err, "advice", slackapi.FaultOf(err).Advice())
	return a.postEnd(ctx, p)
}

// replyEnd posts the end of a job, or a pause, in the thread of its message, once: it
// notifies the approver, which an edited message does not.
func (a approvals) replyEnd(ctx context.Context, p repair.Progress) error {
	m, mark := p.Job.Plan.Message, endMark(p.Job)
	switch p.Reply {
	case repair.ReplyNone:
		return nil
	case repair.ReplyMaybe:
		_, posted, err := a.outbox.Find(ctx, m, mark, haltedAt(p.Job).Add(-time.Minute)) // Slack's clock is another one
		switch {
		case posted:
			return nil
		case err != nil && slackapi.FaultOf(err).Temporary():
			return slackapi.FaultOf(err)
		case err != nil:
			a.log.WarnContext(ctx, "thread not readable, the end of a job may be posted twice", "job", p.Job.ID, "error", slackapi.FaultOf(err), "advice", slackapi.FaultOf(err).Advice())
		}
	}
	_, err := a.outbox.Post(ctx, m.Channel, mark, a.cfg.Commands.EndReply(p), slack.MsgOptionTS(m.TS))
	if err == nil || slackapi.FaultOf(err).Recoverable() {
		return err
	}
	a.log.ErrorContext(ctx, "end of a job not posted in its thread", "job", p.Job.ID, "error", err, "advice", slackapi.FaultOf(err).Advice())
	return a.postEnd(ctx, p)
}

// postEnd posts the outcome of a job in its channel, in the alert channel or to its
// approver. If all of them fail, only the audit trail has it.
func (a approvals) postEnd(ctx context.Context, p repair.Progress) error {
	channels := []string{p.Job.Plan.Message.Channel, a.cfg.Repairs.AlertChannel}
	if !p.Job.Approver.Terminal {
		channels = append(channels, p.Job.Approver.ID)
	}
	for _, channel := range channels {
		if channel == "" {
			continue
		}
		var m store.Message
		err := a.sendProgress(ctx, p, func(blocks []slack.Block) (err error) {
			m, err = a.outbox.Post(ctx, channel, endMark(p.Job), blocks)
			return err
		})
		if err == nil {
			a.saveMessage(ctx, p.Job.ID, m)
			return nil
		}
		if slackapi.FaultOf(err).Recoverable() {
			return err
		}
		a.log.WarnContext(ctx, "end of a job not posted here", "job", p.Job.ID, "error", err, "advice", slackapi.FaultOf(err).Advice())
	}
	a.log.ErrorContext(ctx, "end of a job not posted anywhere, see the audit trail", "job", p.Job.ID)
	return nil
}

// sendProgress sends the state of a job, without its picture if Slack refuses it:
// Slack fetches pictures itself, and may fail to.
func (a approvals) sendProgress(ctx context.Context, p repair.Progress, send func([]slack.Block) error) error {
	blocks := func() []slack.Block {
		all := a.cfg.Commands.ProgressBlocks(p)
		if buttons := message.ProgressActions(p); len(buttons) > 0 {
			all = append(all, slack.NewActionBlock("", buttons...))
		}
		return all
	}
	err := send(blocks())
	if err != nil && slackapi.FaultOf(err).RefusesBlocks() && p.File.ThumbnailURL != "" {
		a.log.WarnContext(ctx, "job message refused by Slack, sent without picture", "job", p.Job.ID, "error", err)
		p.File.ThumbnailURL = ""
		err = send(blocks())
	}
	return err
}

// recordTimeout bounds how long an answer waits until its message is recorded.
const recordTimeout = 2 * time.Second

// saveMessage records where a plan or its job is shown, for updates. If that fails,
// a click on the message records it.
func (a approvals) saveMessage(ctx context.Context, planID string, m store.Message) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	if err := a.cfg.Repairs.Plans.SetMessage(ctx, planID, m); err != nil && !errors.Is(err, repair.ErrUnknownPlan) {
		a.log.WarnContext(ctx, "plan message not recorded", "plan", planID, "error", err)
	}
}
