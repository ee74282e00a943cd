package ledger

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/repair"
)

// KEYS: plan, job. ARGV: note. It is a field of its own: the process that executes the job saves
// the others.
var setNote = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
for _, key in ipairs(KEYS) do
	if redis.call('EXISTS', key) == 1 then redis.call('HSET', key, 'note', ARGV[1]) end
end
return 1`)

// SetNote keeps a note with the plan, and with its job if it has been claimed, in place
// of an earlier one. It returns repair.ErrUnknownPlan if the plan is gone.
func (p *Plans) SetNote(ctx context.Context, planID string, n repair.Note) error {
	raw, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("save a note: %w", err)
	}
	found, err := p.state.Run(ctx, setNote, []string{planKey(planID), jobKey(planID)}, raw).Int()
	if err != nil {
		return fmt.Errorf("save a note: %w", rdb.Classify(err))
	}
	if found == 0 {
		return repair.ErrUnknownPlan
	}
	return nil
}

func parseNote(raw string) (n *repair.Note, err error) {
	if raw == "" {
		return nil, nil //nolint:nilnil // most plans have none
	}
	if err := json.Unmarshal([]byte(raw), &n); err != nil {
		return nil, fmt.Errorf("read a note: %w", err)
	}
	return n, nil
}

// AddNote adds a note to a decision about a plan, and records it. It returns
// repair.ErrNotDecider if another person decided, and repair.ErrUnknownPlan if there is no
// such plan.
func (s Service) AddNote(ctx context.Context, planID, text string, by store.Actor, where string) error {
	now := s.Now()
	plan, err := s.Ledger.LoadPlan(ctx, planID, now)
	if err != nil {
		return err
	}
	decider := plan.By
	if plan.State == repair.PlanClaimed {
		job, err := s.Ledger.LoadJob(ctx, planID)
		if err != nil {
			return err
		}
		decider, _ = job.Decided()
	}
	if decider != by {
		return repair.ErrNotDecider
	}
	if err := s.Trail.Record(ctx, plan.Entry(audit.Noted, by, where, text, now)); err != nil {
		return err
	}
	return s.Ledger.SetNote(ctx, planID, repair.Note{By: by, At: now, Text: text})
}
