package commands

import (
	"context"
	"errors"
	"slices"

	"github.com/superduperai/sessionbot/commands/alert"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/repair"
)

// bulkOf returns what runs when a button that makes a bulk plan is pressed, nil = it is
// another button.
func (d Deps) bulkOf(actionID, value string) Run {
	switch actionID {
	case alert.ActionRepairAll:
		return func(ctx context.Context, req Request) (Answer, error) { return d.repairIncident(ctx, req, value) }
	case message.ActionInclude, message.ActionOther:
		return func(ctx context.Context, req Request) (Answer, error) {
			plan, err := d.Repairs.Plan(ctx, value)
			if errors.Is(err, repair.ErrUnknownPlan) {
				return Answer{}, refuse("This plan is gone: it is too old. Nothing was changed. Run the command again.")
			}
			if err != nil {
				return Answer{}, err
			}
			b := d.choose(plan.Plan, actionID)
			if err := d.ready(ctx, req, b.actions[0]); err != nil {
				return Answer{}, err
			}
			return d.planBulk(ctx, req, b)
		}
	}
	return nil
}

// choose makes another plan for what a plan left out. One that includes more sessions covers
// all those of the first plan again, so that it says what happens to each.
func (d Deps) choose(plan repair.Plan, actionID string) bulkRequest {
	if actionID == message.ActionOther {
		return bulkRequest{actions: []store.Action{message.OtherAction(plan.Action)}, ids: plan.LeftOutFor(repair.LeftOtherAction)}
	}
	b := bulkRequest{actions: []store.Action{plan.Action}, include: true, rest: plan.Rest, unnamed: plan.Others}
	var waiting []Trouble
	for _, item := range plan.Items {
		waiting = append(waiting, Trouble{ID: item.Session, PaidAt: item.Seen.PaidAt})
	}
	for _, l := range plan.LeftOut {
		switch l.Reason {
		case repair.LeftNotAllowed, repair.LeftUnreadable:
			b.others = append(b.others, l)
		case repair.LeftOtherAction:
			b.other = message.OtherAction(plan.Action)
			fallthrough
		default:
			waiting = append(waiting, Trouble{ID: l.Session, PaidAt: l.PaidAt})
		}
	}
	slices.SortFunc(waiting, Trouble.compare)
	for _, t := range waiting {
		b.ids = append(b.ids, t.ID)
	}
	return b
}

// repairIncident plans the repair of all sessions of an incident: showing the videos
// that are ready, else replaying the webhook, else generating.
func (d Deps) repairIncident(ctx context.Context, req Request, id string) (Answer, error) {
	found, err := d.troubles(ctx, req, TroubleFilter{Incident: id})
	if err != nil {
		return Answer{}, err
	}
	b := bulkRequest{actions: []store.Action{store.ActionReplay, store.ActionGenerate}}
	if n := len(found.Sessions); n > 0 && !slices.ContainsFunc(found.Sessions, func(t Trouble) bool { return t.Verdict != diagnosis.VerdictUndelivered }) {
		b.actions = []store.Action{store.ActionFix}
	}
	b.actions = slices.DeleteFunc(b.actions, func(a store.Action) bool { return d.missing(a) != "" })
	if len(b.actions) == 0 {
		return Answer{}, d.ready(ctx, req, store.ActionGenerate)
	}
	for _, t := range found.Sessions {
		b.add(t.ID, t.Possible)
	}
	// Those that recover meanwhile are left out, with the reason.
	i, err := d.Incidents.Incident(ctx, id)
	if err != nil {
		return Answer{}, err
	}
	for _, c := range i.Open() {
		if !slices.ContainsFunc(found.Sessions, func(t Trouble) bool { return t.ID == c.ID }) {
			b.ids = append(b.ids, c.ID)
		}
	}
	return d.planBulk(ctx, req, b)
}
