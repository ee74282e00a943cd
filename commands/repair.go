package commands

import (
	"context"
	"errors"
	"fmt"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
)

// FixText is what a customer reads whose session was marked as error.
const FixText = "Something went wrong with your video. Please contact support: we will put it right."

// RefundText is what one reads whose payment was refunded: nothing is promised.
const RefundText = "This order was refunded. Please contact support if you have a question."

// FixTexts are all the errors that a fix writes.
func FixTexts() []string { return []string{FixText, store.KindImage.Tell(FixText), RefundText} }

func (d Deps) fix() Command {
	return Command{Group: "session", Name: "fix", Args: "<id>", Summary: "show a finished video, or mark a session as error, after a confirmation",
		Action: "session.fix", Repairs: store.ActionFix, Parse: d.parseRepair(store.ActionFix)}
}

func (d Deps) generate() Command {
	return Command{Group: "session", Name: "generate", Args: "<id>",
		Summary: "make the video that a customer paid for, after a confirmation",
		Action:  "session.generate", Repairs: store.ActionGenerate, Parse: d.parseRepair(store.ActionGenerate)}
}

// parseRepair: a repair does not act, it makes a plan that somebody confirms.
func (d Deps) parseRepair(action store.Action) func(Args) (Run, error) {
	return func(args Args) (Run, error) {
		id, err := sessionID(args)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, req Request) (Answer, error) { return d.plan(ctx, action, id, req) }, nil
	}
}

// plan looks at the session, works the repair out and stores it before it is
// shown. A refusal is on record, too.
func (d Deps) plan(ctx context.Context, action store.Action, id string, req Request) (Answer, error) {
	entry := store.Entry{At: d.Now(), Who: req.who(), Where: req.where(), Event: store.AuditRefused, Action: action, Session: id}
	if action == store.ActionGenerate && !d.Token {
		entry.Detail = words(string(store.CauseNoToken))
		d.recordRefusal(ctx, req, entry)
		return Answer{}, refuse(causeText(store.CauseNoToken))
	}
	x := d.Sessions.Examine(ctx, id)
	d.logUnseen(ctx, x)
	if x.JobErr != nil {
		return Answer{}, fmt.Errorf("look for a running repair: %w", x.JobErr)
	}
	now := d.Now()
	plan, err := store.MakePlan(action, x, req.who(), d.Plans, now)
	var notAllowed *store.NotAllowed
	if errors.As(err, &notAllowed) {
		entry.Detail, entry.Before = "the verdict was "+words(string(x.Verdict)), x.Session.Digests()
		d.recordRefusal(ctx, req, entry)
		return notAllowedAnswer(action, x), nil
	}
	if err != nil {
		return Answer{}, fmt.Errorf("plan: %w", err)
	}
	plan.Ref = req.Ref
	if err := d.Ledger.SavePlan(ctx, plan); err != nil {
		return Answer{}, err
	}
	if err := d.Ledger.Record(ctx, plan.Entry(store.AuditPlanned, req.who(), req.where(), "", now)); err != nil {
		return Answer{}, err
	}
	return Answer{Plan: &plan, Blocks: PlanBlocks(plan), JSON: plan, Public: true}, nil
}

// recordRefusal: a refusal that is not on record stands all the same.
func (d Deps) recordRefusal(ctx context.Context, req Request, e store.Entry) {
	if err := d.Ledger.Record(ctx, e); err != nil {
		d.Log.ErrorContext(ctx, "a refusal is not on record", "ref", req.Ref, "error", err)
	}
}

func notAllowedAnswer(action store.Action, x store.Examination) Answer {
	what := "Generating is not possible"
	if action == store.ActionFix {
		what = "Marking it as error is not possible"
	}
	return Answer{
		Outcome: Refused,
		Session: x.Session.ID,
		JSON:    debugJSON(x),
		Blocks: []slack.Block{blockkit.Paragraph(
			blockkit.L(blockkit.Bold(what+": "+lowerFirst(x.Reason))),
			blockkit.L(blockkit.Plain("→ "+nextStep(x))),
			blockkit.Fact("Session", blockkit.Code(x.Session.ID)),
			blockkit.Fact("Payment", blockkit.Plain(paymentText(x.Payment, x.PaidAt, x.At))),
		)},
		Actions: []slack.BlockElement{blockkit.Button("session.debug", "Debug", x.Session.ID)},
	}
}
