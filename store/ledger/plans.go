package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/repair"
)

// Plans are the plans that wait for approval, and what became of them.
type Plans struct {
	state *rdb.Redis
	jobs  *Jobs
}

// KEYS: plan. ARGV: its life in ms, then fields and values.
var savePlan = redis.NewScript(`
local state = redis.call('HGET', KEYS[1], 'state')
if state and state ~= 'open' then return 0 end
for i = 2, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1`)

// SavePlan stores a plan. One that was claimed or cancelled stays as it is: an item of a
// bulk plan may be saved by several processes in turn. A plan is kept for a day after it
// expires, so that a late click gets an answer; a claimed one as long as its job.
func (p *Plans) SavePlan(ctx context.Context, plan repair.Plan) error {
	raw, err := json.Marshal(plan)
	if err != nil {
		return fmt.Errorf("save a plan: %w", err)
	}
	life := plan.Expires.Sub(plan.Created) + answerLife
	err = p.state.Run(ctx, savePlan, []string{planKey(plan.ID)}, life.Milliseconds(),
		"plan", raw, "state", string(repair.PlanOpen), "expires", plan.Expires.UnixMilli(),
		// "retrying" is the stored name of: it needs a second press.
		"retrying", plan.Risk != "", "channel", plan.Message.Channel, "ts", plan.Message.TS).Err()
	if err != nil {
		return fmt.Errorf("save a plan: %w", rdb.Classify(err))
	}
	return nil
}

var setMessage = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
for _, key in ipairs(KEYS) do
	if redis.call('EXISTS', key) == 1 then redis.call('HSET', key, 'channel', ARGV[1], 'ts', ARGV[2]) end
end
return 1`)

// SetMessage records where the plan is shown, for its job as well if it has been
// claimed. It returns ErrUnknownPlan if the plan is gone.
func (p *Plans) SetMessage(ctx context.Context, planID string, m store.Message) error {
	found, err := p.state.Run(ctx, setMessage, []string{planKey(planID), jobKey(planID)}, m.Channel, m.TS).Int()
	if err != nil {
		return fmt.Errorf("record a plan's message: %w", rdb.Classify(err))
	}
	if found == 0 {
		return repair.ErrUnknownPlan
	}
	return nil
}

// LoadPlan returns a plan and what became of it until now. It returns
// ErrUnknownPlan if the plan is gone.
func (p *Plans) LoadPlan(ctx context.Context, id string, now time.Time) (repair.PlanRecord, error) {
	fields, err := readHash(ctx, p.state, planKey(id))
	if err != nil {
		return repair.PlanRecord{}, fmt.Errorf("load a plan: %w", err)
	}
	if fields["plan"] == "" {
		return repair.PlanRecord{}, repair.ErrUnknownPlan
	}
	record := repair.PlanRecord{State: repair.PlanState(fields["state"])}
	if err := json.Unmarshal([]byte(fields["plan"]), &record.Plan); err != nil {
		return repair.PlanRecord{}, fmt.Errorf("load a plan: %w", err)
	}
	record.Message = store.Message{Channel: fields["channel"], TS: fields["ts"]}
	if record.State == repair.PlanOpen && now.After(record.Expires) {
		record.State = repair.PlanExpired
	}
	d, err := parseDecision(fields["decision"])
	record.By, record.At = d.By, d.At
	note, noteErr := parseNote(fields["note"])
	record.Note = note
	return record, errors.Join(err, noteErr)
}
