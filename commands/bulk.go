package commands

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/internal/requestid"
	"github.com/superduperai/sessionbot/internal/telemetry"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/repair"
)

// BulkLimits bound bulk plans.
type BulkLimits struct {
	Sessions int // in one plan
	Parallel int // repaired at the same time
}

const (
	examineAtOnce = 8 // sessions that are examined at the same time
	// examineMost is how many times the limit is examined at most, where many are
	// left out.
	examineMost = 4
	othersNamed = 200 // sessions that were not examined, of which there may be thousands
)

func (d Deps) bulk() Command {
	return Command{Group: "session", Name: "bulk", Args: "generate|replay|fix [verdict] [--since 2h] [--limit N]", Bulk: true,
		Summary: "repair many sessions in trouble; you approve one plan with its cost first", Parse: d.parseBulk}
}

func (d Deps) parseBulk(args Args) (Run, error) {
	if len(args.Words) == 0 {
		return nil, usageError("Which repair? Give generate, replay or fix.")
	}
	action := store.Action(strings.ToLower(args.Words[0]))
	if !slices.Contains([]store.Action{store.ActionGenerate, store.ActionReplay, store.ActionFix}, action) {
		return nil, usageError("A bulk repair is generate, replay or fix.")
	}
	args.Words = args.Words[1:]
	filter, err := args.troubleFilter()
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, req Request) (Answer, error) {
		if err := d.ready(ctx, req, action); err != nil {
			return Answer{}, err
		}
		found, err := d.troubles(ctx, req, filter)
		if err != nil {
			return Answer{}, err
		}
		b := bulkRequest{actions: []store.Action{action}, limit: args.Limit, strict: args.Limit == 0}
		for _, t := range found.Sessions {
			b.add(t.ID, t.Possible)
		}
		return d.planBulk(ctx, req, b)
	}, nil
}

// bulkRequest describes the bulk plan to make.
type bulkRequest struct {
	actions []store.Action // that may be planned: the first for which there is a session
	ids     []string       // the sessions to examine, the longest waiting first
	other   store.Action   // that may repair what the one planned cannot; "" = the next of actions
	others  []repair.LeftOut
	unnamed int  // more others
	include bool // also those whose event Stripe will still deliver
	limit   int  // of sessions, 0 = the configured one
	strict  bool // more of them are an error
	rest    int  // sessions that are known to be beyond the limit already
}

// add adds a session. One that no action can repair, by what is known, is not examined.
func (b *bulkRequest) add(id string, possible []store.Action) {
	if slices.ContainsFunc(b.actions, func(a store.Action) bool { return slices.Contains(possible, a) }) {
		b.ids = append(b.ids, id)
		return
	}
	reason := repair.LeftNotAllowed
	if b.actions[0] == store.ActionReplay && slices.Contains(possible, store.ActionGenerate) { // it lacks a prompt where the site looks for it
		reason = repair.LeftUnreadable
	}
	b.others = append(b.others, repair.LeftOut{Session: id, Reason: reason})
}

// ready returns an error if an action is not configured.
func (d Deps) ready(ctx context.Context, req Request, action store.Action) error {
	missing := d.missing(action)
	if missing == "" {
		return nil
	}
	refused := d.refusedEntry(req, action, "")
	refused.Detail = "bulk: " + humanize.Words(string(missing))
	d.Repairs.RecordRefusal(ctx, refused)
	return refuse(message.MissingText(missing))
}

// planBulk examines the sessions afresh and stores a plan for those that can be repaired.
func (d Deps) planBulk(ctx context.Context, req Request, b bulkRequest) (Answer, error) {
	limit := d.Bulk.Sessions
	if b.limit > 0 {
		limit = min(limit, b.limit)
	}
	if b.limit > d.Bulk.Sessions {
		return Answer{}, refuse(message.TooManyText(d.Bulk.Sessions, b.actions[0]))
	}
	plan, err := d.fillPlan(ctx, req, b, limit)
	if err != nil {
		return Answer{}, err
	}
	if b.strict && len(plan.Items)+plan.Rest > limit {
		return Answer{}, refuse(message.TooManyText(d.Bulk.Sessions, plan.Action))
	}
	plan.Limit(limit)
	named := min(len(b.others), othersNamed)
	plan.LeftOut, plan.Others = append(plan.LeftOut, b.others[:named]...), b.unnamed+len(b.others)-named
	plan.Ref, plan.Trace = requestid.FromContext(ctx), telemetry.Traceparent(ctx)
	if len(plan.Items) == 0 {
		return d.emptyBulk(ctx, req, plan)
	}
	if err := d.Repairs.Propose(ctx, plan, req.where()); err != nil {
		return Answer{}, err
	}
	return Answer{Plan: &plan, Blocks: message.PlanBlocks(plan, 0), JSON: plan}, nil
}

// fillPlan plans the first action for which there is a session, with one session
// more than the limit if there are so many.
func (d Deps) fillPlan(ctx context.Context, req Request, b bulkRequest, limit int) (repair.Plan, error) {
	most := min(len(b.ids), examineMost*d.Bulk.Sessions)
	var examined []diagnosis.Examination
	var plan repair.Plan
	settled := map[string]repair.LeftOutReason{}
	for len(examined) < most && len(plan.Items) <= limit {
		next := b.ids[len(examined):min(len(examined)+limit+1, most)]
		some, err := d.examineAll(ctx, next)
		if err != nil {
			return plan, err
		}
		if err := d.addSettled(ctx, settled, some); err != nil {
			return plan, err
		}
		examined = append(examined, some...)
		plan = d.makeBulk(req, b, examined, settled)
	}
	if len(examined) == 0 {
		plan = d.makeBulk(req, b, nil, nil)
	}
	plan.Rest = b.rest + len(b.ids) - len(examined)
	return plan, nil
}

// makeBulk plans the first action for which there is a session. Those that only the
// next one can repair are left out for it.
func (d Deps) makeBulk(req Request, b bulkRequest, examined []diagnosis.Examination, settled map[string]repair.LeftOutReason) (plan repair.Plan) {
	for i, action := range b.actions {
		other := b.other
		if len(b.actions) > 1 {
			other = b.actions[(i+1)%len(b.actions)]
		}
		made := repair.MakeBulkPlan(action, examined, req.actor(), repair.BulkOptions{PlanOptions: d.Plans, Include: b.include, Other: other, Handled: settled}, d.Now())
		made.Parallel, made.Unfollowed = d.Bulk.Parallel, action == store.ActionReplay && !d.Token
		includable, _ := made.Includable()
		useful := len(made.Items)+includable > 0
		if i == 0 || useful {
			plan = made
		}
		if useful {
			break
		}
	}
	return plan
}

// addSettled adds the sessions that people handled in another way, which alerts and lists
// leave out: they may have done so since the alert or plan was shown.
func (d Deps) addSettled(ctx context.Context, settled map[string]repair.LeftOutReason, examined []diagnosis.Examination) error {
	var ids []string
	for _, x := range examined {
		ids = append(ids, x.Session.ID)
	}
	known, err := d.Watch.Known(ctx, ids)
	if err != nil {
		return fmt.Errorf("read who handled sessions: %w", err)
	}
	for _, x := range examined {
		switch {
		case known[x.Session.ID].Handled.Covers(x.Verdict):
			settled[x.Session.ID] = repair.LeftHandled
		case incident.IsMarkedByRepair(x.Session, x.Verdict, FixTexts()):
			settled[x.Session.ID] = repair.LeftMarked
		}
	}
	return nil
}

// examineAll examines sessions, in their order.
func (d Deps) examineAll(ctx context.Context, ids []string) ([]diagnosis.Examination, error) {
	examined := make([]diagnosis.Examination, len(ids))
	var group errgroup.Group
	group.SetLimit(examineAtOnce)
	for i, id := range ids {
		group.Go(func() error {
			examined[i] = d.examine(ctx, id)
			return nil
		})
	}
	_ = group.Wait() // it never fails
	return examined, ctx.Err()
}

// emptyBulk answers that there is nothing to repair now. Where some are left out that
// can be included, the plan is stored for the buttons.
func (d Deps) emptyBulk(ctx context.Context, req Request, plan repair.Plan) (Answer, error) {
	answer := Answer{Blocks: message.EmptyBulkBlocks(plan), JSON: message.BulkJSON(repair.Job{Plan: plan}), Actions: message.BulkChoices(plan)}
	if len(plan.LeftOut) > 0 {
		answer.Outcome = Refused
	}
	if len(answer.Actions) == 0 {
		return answer, nil
	}
	answer.Empty = &plan
	return answer, d.Repairs.Propose(ctx, plan, req.where())
}
