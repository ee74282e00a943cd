package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/internal/requestid"
	"github.com/superduperai/sessionbot/internal/telemetry"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/repair"
)

// FixText is the error text that the customer's page shows after a fix.
const FixText = "Something went wrong with your video. Please contact support: we will put it right."

const imageFixText = "Something went wrong with your image. Please contact support: we will put it right."

// RefundText is the same for a refunded payment: it promises nothing.
const RefundText = "This order was refunded. Please contact support if you have a question."

// FixTexts are all the error texts that a fix ever wrote. The watch recognises repaired
// sessions by them, so none may be removed. imageFixText is FixText as MakePlan words it
// for an image.
func FixTexts() []string { return []string{FixText, imageFixText, RefundText} }

func (d Deps) fix() Command {
	return Command{Group: "session", Name: "fix", Args: "<id>", Action: "session.fix", Repairs: store.ActionFix,
		Summary: "show a finished video, or mark a session as error (no cost); you approve a plan first", Parse: d.parseRepair(store.ActionFix)}
}

func (d Deps) generate() Command {
	return Command{Group: "session", Name: "generate", Args: "<id>", Action: "session.generate", Repairs: store.ActionGenerate,
		Summary: "make the video that a customer paid for (we pay for it); you approve a plan with its cost first", Parse: d.parseRepair(store.ActionGenerate)}
}

// parseRepair parses a repair, which makes a plan that an operator confirms.
func (d Deps) parseRepair(action store.Action) func(Args) (Run, error) {
	return forSession(func(ctx context.Context, req Request, id string) (Answer, error) { return d.plan(ctx, req, action, id) })
}

// plan examines the session and stores a plan, or records why there is none.
func (d Deps) plan(ctx context.Context, req Request, action store.Action, id string) (Answer, error) {
	plan, x, refused, err := d.draft(ctx, req, action, id)
	if err != nil {
		return Answer{}, err
	}
	if refused != nil {
		return *refused, nil
	}
	plan.Ref, plan.Trace = requestid.FromContext(ctx), telemetry.Traceparent(ctx)
	if err := d.Repairs.Propose(ctx, plan, req.where()); err != nil {
		return Answer{}, err
	}
	return Answer{Plan: &plan, Blocks: message.PlanBlocks(plan, d.Plans.Cents(x.Session)), JSON: plan}, nil
}

// draft examines the session and makes a plan that is not stored yet. The answer says
// why the session's state does not allow one, nil = it does; that is on record.
func (d Deps) draft(ctx context.Context, req Request, action store.Action, id string) (repair.Plan, diagnosis.Examination, *Answer, error) {
	none, refused := repair.Plan{}, d.refusedEntry(req, action, id)
	if missing := d.missing(action); missing != "" {
		refused.Detail = humanize.Words(string(missing))
		d.Repairs.RecordRefusal(ctx, refused)
		return none, diagnosis.Examination{}, nil, refuse(message.MissingText(missing))
	}
	x := d.examine(ctx, id)
	if x.JobErr != nil {
		return none, x, nil, fmt.Errorf("look for a running repair: %w", x.JobErr)
	}
	plan, err := repair.MakePlan(action, x, req.actor(), d.Plans, d.Now())
	why, notAllowed := errors.AsType[*repair.NotAllowed](err)
	switch {
	case notAllowed:
		refused.Detail, refused.Before = "the session was "+humanize.Words(string(x.Verdict)), x.Session.Digests()
		d.Repairs.RecordRefusal(ctx, refused)
		answer := d.notAllowedAnswer(why, x)
		if !req.Terminal { // which has no buttons
			answer.Blocks = append(answer.Blocks, blockkit.Context(message.DebugHint))
		}
		return none, x, &answer, nil
	case errors.Is(err, repair.ErrNoPrompt):
		return none, x, nil, usageError(noPromptText(req, id))
	case err != nil:
		return none, x, nil, fmt.Errorf("plan: %w", err)
	}
	return plan, x, nil, nil
}

// missing returns the cause of a repair for which a secret is not configured, "" if
// it has what it needs.
func (d Deps) missing(action store.Action) repair.Cause {
	switch {
	case action == store.ActionGenerate && !d.Token:
		return repair.CauseNoToken
	case action == store.ActionReplay && !d.WebhookSecret:
		return repair.CauseNoSecret
	case action == store.ActionReplay && !d.StripeKey:
		return repair.CauseNoStripeKey
	}
	return ""
}

// refusedEntry is the entry of the audit trail for a request that is refused.
func (d Deps) refusedEntry(req Request, action store.Action, session string) audit.Entry {
	return audit.Entry{At: d.Now(), Who: req.actor(), Where: req.where(), Event: audit.Refused, Action: action, Session: session}
}

var notPossible = map[store.Action]string{
	store.ActionFix: "Cannot mark as error", store.ActionGenerate: "Cannot generate", store.ActionReplay: "Cannot replay", store.ActionRestore: "Cannot restore the prompt",
}

// mayChange are the verdicts that may change by themselves, so that a repair is not
// possible yet.
var mayChange = []diagnosis.Verdict{diagnosis.VerdictWaiting, diagnosis.VerdictProcessing, diagnosis.VerdictUnclear, diagnosis.VerdictUnpaid}

// needsNoError are verdicts of which the customer's page shows what is true.
var needsNoError = []diagnosis.Verdict{diagnosis.VerdictAbandoned, diagnosis.VerdictCompleted, diagnosis.VerdictRefunded}

func (d Deps) notAllowedAnswer(refused *repair.NotAllowed, x diagnosis.Examination) Answer {
	head, reason, cents := notPossible[refused.Action], refused.Reason, d.Plans.Cents(x.Session)
	switch {
	case slices.Contains(mayChange, x.Verdict):
		head += " yet"
	case refused.Action == store.ActionRestore && x.Session.PromptText() != "":
		head = "Nothing to restore"
	case refused.Action == store.ActionFix && (slices.Contains(needsNoError, x.Verdict) || x.Session.Status() == store.StatusError):
		head = "No need to mark as error"
		if x.Session.Status() == store.StatusError {
			reason = "It is already marked as error."
		}
	case x.Verdict == diagnosis.VerdictFailed && x.File.State == store.FileUnknown:
		head, reason = head+" yet", "The file could not be checked, and it may be ready."
	case refused.Action == store.ActionFix && x.Verdict == diagnosis.VerdictLost:
		reason = "Without its prompt this order can only be restored or refunded."
	}
	lines := append(message.Heading(head+": "+humanize.LowerFirst(reason), message.RefusalStep(x, cents)),
		blockkit.Fact("Session", blockkit.Code(x.Session.ID)),
		blockkit.Fact("Payment", message.PaymentLine(x.Payment, x.PaidAt, x.At)...))
	return Answer{Outcome: Refused, Session: x.Session.ID, JSON: debugJSON(x), Blocks: blockkit.Message(lines...),
		Actions: message.RefusalActions(x, cents)}
}

func (d Deps) replay() Command {
	return Command{Group: "session", Name: "replay", Args: "<id>", Action: "session.replay", Repairs: store.ActionReplay,
		Summary: "send Stripe's event to the site again, which then makes the video (we pay for it); you approve a plan with its cost first", Parse: d.parseRepair(store.ActionReplay)}
}
