package bot

import (
	"context"
	"errors"
	"strings"

	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/repair"
)

// stopOrResume handles a click on Stop or Resume of an approved bulk plan. Every click
// gets an answer: the message shows it, or an answer says why nothing changed.
func (a approvals) stopOrResume(ctx context.Context, to requester, c click) {
	job, err := a.cfg.Repairs.Plans.LoadJob(ctx, c.value)
	switch {
	case errors.Is(err, repair.ErrUnknownJob), err == nil && job.Bulk == nil:
		a.replyLine(ctx, to, message.BulkClickReply(repair.Job{}))
		return
	case err != nil:
		a.log.ErrorContext(ctx, "bulk plan not loaded", "error", err)
		a.replyRef(ctx, to, message.Notice(message.RedisErrorText(err)+" Nothing was done."))
		return
	}
	decide := a.cfg.Repairs.Decisions.ResumeBulk
	if c.button == message.ActionBulkStop {
		decide = a.cfg.Repairs.Decisions.StopBulk
	}
	if c.button == message.ActionBulkResume || job.Plan.Requester != to.actor() {
		if refused := a.operators.AdmitOperator(ctx, to.user); refused != nil {
			a.cfg.Repairs.Decisions.RecordRefusal(ctx, job.Plan.Entry(audit.Refused, to.actor(), to.channel,
				"not an operator's click on "+strings.TrimPrefix(c.button, "bulk."), a.cfg.Now()))
			a.refuse(ctx, to, refused)
			return
		}
	}
	if a.rejectWrongMessage(ctx, to, c, job.Plan) {
		return
	}
	job, done, err := decide(ctx, c.value, to.actor(), to.channel)
	if err != nil {
		a.log.ErrorContext(ctx, "click on a bulk plan failed", "job", c.value, "error", err)
		a.replyRef(ctx, to, message.Notice(message.ClickFailedText(err)))
		return
	}
	a.log.InfoContext(ctx, "bulk plan clicked", "button", c.button, "job", job.ID, "changed", done)
	if !done {
		a.replyLine(ctx, to, message.BulkClickReply(job))
		return
	}
	a.cfg.Repairs.Wake()
	if a.showJob(ctx, job.ID) != nil { // logged
		notice := message.NoticeResumed
		if job.Bulk.Stopped() {
			notice = message.NoticeStopped
		}
		a.reply(ctx, to, notice)
	}
}
