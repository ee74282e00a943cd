package bot

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"
	"go.opentelemetry.io/otel/trace"

	"github.com/superduperai/sessionbot/bot/access"
	"github.com/superduperai/sessionbot/bot/slackapi"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/telemetry"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/repair"
)

// Plans stores the plans and their states; see
// ledger.Plans.
type Plans interface {
	SetMessage(ctx context.Context, planID string, m store.Message) error
	LoadPlan(ctx context.Context, id string, now time.Time) (repair.PlanRecord, error)
	LoadJob(ctx context.Context, id string) (repair.Job, error)
}

// Decisions carries out and records what people decide; see ledger.Service.
type Decisions interface {
	Approve(ctx context.Context, planID, press string, by store.Actor, where string) (repair.ClaimResult, error)
	Cancel(ctx context.Context, planID string, by store.Actor, where string) (repair.ClaimResult, error)
	RecordRefusal(ctx context.Context, refused audit.Entry)
	StopBulk(ctx context.Context, job string, by store.Actor, where string) (repair.Job, bool, error)
	ResumeBulk(ctx context.Context, job string, by store.Actor, where string) (repair.Job, bool, error)
	Record(ctx context.Context, e audit.Entry) error
	AddNote(ctx context.Context, planID, text string, by store.Actor, where string) error
}

// Repairs configures approvals.
type Repairs struct {
	Plans        Plans
	Decisions    Decisions
	Operators    []string // who may approve: ids of users and groups, or "*"; empty = no one
	Approvals    string   // none, generate or all: what needs a second operator
	AlertChannel string   // where plans go that cannot be shown where they were requested
	Wake         func()   // after a claim
}

// approvals shows plans, handles the clicks on them and shows their outcome.
type approvals struct{ *responder }

// decide handles a click on a plan. Every click gets an answer.
func (a approvals) decide(ctx context.Context, to requester, c click) {
	id, press := message.ParsePlanValue(c.value)
	now := a.cfg.Now()
	plan, err := a.cfg.Repairs.Plans.LoadPlan(ctx, id, now)
	switch {
	case errors.Is(err, repair.ErrUnknownPlan):
		a.log.InfoContext(ctx, "unknown plan clicked")
		a.replyLine(ctx, to, message.PlanClickReply(repair.ClaimResult{Verdict: repair.Unknown}, now))
		return
	case err != nil:
		a.log.ErrorContext(ctx, "plan not loaded", "error", err)
		a.replyRef(ctx, to, message.Notice(message.RedisErrorText(err)+" Nothing was done."))
		return
	}
	for _, link := range telemetry.Links(plan.Trace) {
		trace.SpanFromContext(ctx).AddLink(link)
	}
	button := strings.TrimPrefix(c.button, "confirm.")
	if refused, why := a.mayDecide(ctx, to, plan, c.button); refused != nil {
		a.cfg.Repairs.Decisions.RecordRefusal(ctx, plan.Entry(audit.Refused, to.actor(), to.channel, why+button, now))
		a.refuse(ctx, to, refused)
		return
	}
	if a.rejectWrongMessage(ctx, to, c, plan.Plan) {
		return
	}
	if plan.Message.TS == "" && !c.ephemeral && c.message != "" {
		a.saveMessage(ctx, plan.ID, store.Message{Channel: to.channel, TS: c.message})
	}
	var answer repair.ClaimResult
	if c.button == message.ActionCancel {
		answer, err = a.cfg.Repairs.Decisions.Cancel(ctx, plan.ID, to.actor(), to.channel)
	} else {
		answer, err = a.cfg.Repairs.Decisions.Approve(ctx, plan.ID, press, to.actor(), to.channel)
	}
	if err != nil {
		a.log.ErrorContext(ctx, "click on a plan failed", "plan", plan.ID, "error", err)
		a.replyRef(ctx, to, message.Notice(message.ClickFailedText(err)))
		return
	}
	a.decided(ctx, to, answer)
}

// rejectWrongMessage answers a press in a message other than the plan's, and reports
// whether it was one: nobody can approve what they did not see.
func (a approvals) rejectWrongMessage(ctx context.Context, to requester, c click, plan repair.Plan) bool {
	shown := plan.Message
	if c.view || shown.TS == "" || shown.TS == c.message && shown.Channel == to.channel {
		return false
	}
	_, button, _ := strings.Cut(c.button, ".")
	a.log.WarnContext(ctx, "plan clicked in another message", "plan", plan.ID)
	a.cfg.Repairs.Decisions.RecordRefusal(ctx, plan.Entry(audit.Refused, to.actor(), to.channel, "a click on "+button+" in another message", a.cfg.Now()))
	a.replyLine(ctx, to, blockkit.L(blockkit.Plain(string(message.NoticeElsewhere)+" "), blockkit.Channel(shown.Channel), blockkit.Plain(".")))
	return true
}

// mayDecide returns nil for those who may approve or cancel, else why they may
// not, for them and for the audit trail.
func (a approvals) mayDecide(ctx context.Context, to requester, plan repair.PlanRecord, button string) (refused *access.Denial, why string) {
	own := plan.Requester == to.actor()
	if button == message.ActionCancel && own {
		return nil, ""
	}
	refused = a.operators.AdmitOperator(ctx, to.user)
	if refused == nil && button == message.ActionApprove && own && a.needsSecondOperator(plan.Action) {
		return &access.Denial{Text: string(message.NoticeOwnPlan), Ask: a.operators.Excluding(to.user)}, "the asker's own click on "
	}
	return refused, "not an operator's click on "
}

// needsSecondOperator reports whether an operator other than the requester has to approve.
func (a approvals) needsSecondOperator(action store.Action) bool {
	return repair.NeedsSecondOperator(a.cfg.Repairs.Approvals, action)
}

// decided shows the result of a click in the message, or else to the clicker.
func (a approvals) decided(ctx context.Context, to requester, answer repair.ClaimResult) {
	plan := answer.Plan
	a.log.InfoContext(ctx, "plan clicked", "plan", plan.ID, "plan_ref", plan.Ref, "verdict", string(answer.Verdict))
	switch answer.Verdict {
	case repair.Claimed: // from now on its runner writes the message, and does so first of all
		a.cfg.Repairs.Wake()
		if plan.Message.TS == "" {
			a.reply(ctx, to, message.NoticeApproved)
		}
		return
	case repair.JobCancelled:
		defer a.cfg.Repairs.Wake()
		if a.showJob(ctx, plan.ID) != nil {
			a.reply(ctx, to, message.NoticeCancelled)
		}
		return
	case repair.Cancelled:
		if a.update(ctx, plan.Message, message.CancelledBlocks(plan.Plan, answer.By, answer.At, nil)) != nil {
			a.reply(ctx, to, message.NoticeCancelled)
		}
		return
	case repair.NeedsSecondPress:
		if a.showConfirmation(ctx, to, answer, false) { // it says so itself
			return
		}
	case repair.Expired:
		_ = a.update(ctx, plan.Message, message.ExpiredBlocks(plan.Plan)) // logged; the clicker gets an answer, too
	case repair.AlreadyCancelled:
		_ = a.update(ctx, plan.Message, message.CancelledBlocks(plan.Plan, answer.By, answer.At, plan.Note)) // likewise
	}
	a.replyLine(ctx, to, message.PlanClickReply(answer, a.cfg.Now()))
}

// errNotShown means that it is not known where a plan is shown.
var errNotShown = errors.New("message of the plan not known")

// update puts other blocks into a plan's message.
func (a approvals) update(ctx context.Context, m store.Message, blocks []slack.Block) error {
	if m.TS == "" {
		return errNotShown
	}
	err := a.outbox.Update(ctx, m, blocks)
	if err != nil {
		a.log.ErrorContext(ctx, "plan message not updated", "error", err, "advice", slackapi.FaultOf(err).Advice())
	}
	return err
}

// countIncludeAsPress counts the click on Include as the first of the two presses on the
// plan it made. The button named the cost, so one more press approves. A click by a
// person who may not approve the plan does not count.
func (a approvals) countIncludeAsPress(ctx context.Context, to requester, plan repair.Plan) {
	refused, _ := a.mayDecide(ctx, to, repair.PlanRecord{Plan: plan}, message.ActionApprove)
	if refused != nil || plan.Risk == "" { // a single press approves a plan without a risk
		return
	}
	answer, err := a.cfg.Repairs.Decisions.Approve(ctx, plan.ID, "", to.actor(), to.channel)
	switch {
	case err != nil:
		a.log.WarnContext(ctx, "first press not recorded, two more are needed", "plan", plan.ID, "error", err)
	case answer.Verdict == repair.NeedsSecondPress: // else somebody was quicker, and the message shows it
		a.showConfirmation(ctx, to, answer, true)
	}
}

// showConfirmation shows the button for the second press, and reports whether it is
// shown or the clicker got an answer. Without it nobody could approve the plan, which is
// posted again if its message cannot be updated. onInclude says that the first press was
// the click on Include.
func (a approvals) showConfirmation(ctx context.Context, to requester, answer repair.ClaimResult, onInclude bool) bool {
	plan := answer.Plan
	blocks := append(slices.Clone(message.ConfirmationBlocks(plan.Plan, to.actor(), onInclude)),
		slack.NewActionBlock("", message.PlanActions(plan.Plan, answer.Press)...))
	err := a.update(ctx, plan.Message, blocks)
	switch {
	case err == nil:
		a.catchUp(ctx, plan.ID)
		return true
	case errors.Is(err, errNotShown) || slackapi.FaultOf(err).TryElsewhere():
		a.showPlan(ctx, to, plan.Plan, blocks)
		return true
	}
	return false
}

// catchUp shows the current state of a plan after an update of its message was under way,
// which may have come after the update of another click that approved or cancelled it.
func (a approvals) catchUp(ctx context.Context, planID string) {
	plan, err := a.cfg.Repairs.Plans.LoadPlan(ctx, planID, a.cfg.Now())
	switch {
	case err != nil:
		a.log.WarnContext(ctx, "plan message may show an old state", "plan", planID, "error", err)
	case plan.State == repair.PlanClaimed:
		_ = a.showJob(ctx, planID) // logged
	case plan.State == repair.PlanCancelled:
		_ = a.update(ctx, plan.Message, message.CancelledBlocks(plan.Plan, plan.By, plan.At, plan.Note)) // logged
	}
}

// showJob shows the state of a job, whose runner updates the same message concurrently: if
// the job has ended meanwhile it shows the state again, since the runner may have shown the
// end first.
func (a approvals) showJob(ctx context.Context, id string) error {
	for {
		job, err := a.cfg.Repairs.Plans.LoadJob(ctx, id)
		if err != nil {
			a.log.WarnContext(ctx, "job message may show an old state", "job", id, "error", err)
			return err
		}
		err = a.sendProgress(ctx, repair.Progress{Job: job, At: a.cfg.Now()}, func(blocks []slack.Block) error {
			return a.update(ctx, job.Plan.Message, blocks)
		})
		if err != nil || job.Outcome != "" {
			return err
		}
		if now, err := a.cfg.Repairs.Plans.LoadJob(ctx, id); err != nil || now.Outcome == "" {
			return nil
		}
	}
}
