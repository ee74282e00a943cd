package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/repair"
)

// Plans stores plans and their states.
type Plans struct {
	state *rdb.Redis
	jobs  *Jobs
}

// KEYS: plan, plans. ARGV: its life in ms, the id under which it is listed ("" = it is
// not), when it was made and when it expires in ms, then fields and values.
var savePlan = redis.NewScript(`
local state = redis.call('HGET', KEYS[1], 'state')
if state and state ~= 'open' then return 0 end
for i = 5, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
if ARGV[2] ~= '' then
	redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[3])
	redis.call('ZADD', KEYS[2], ARGV[4], ARGV[2])
	redis.call('PEXPIRE', KEYS[2], ARGV[1])
end
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
	listed := plan.ID
	if plan.Bulk != "" {
		listed = ""
	}
	err = p.state.Run(ctx, savePlan, []string{planKey(plan.ID), plansKey}, life.Milliseconds(),
		listed, plan.Created.UnixMilli(), plan.Expires.UnixMilli(),
		"plan", raw, "state", string(repair.PlanOpen), "expires", plan.Expires.UnixMilli(),
		// "retrying" is stored under its old name: whether the plan has a Risk.
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

// LoadPlan returns a plan and its current state. It returns
// ErrUnknownPlan if the plan is gone.
func (p *Plans) LoadPlan(ctx context.Context, id string, now time.Time) (repair.PlanRecord, error) {
	fields, err := readHash(ctx, p.state, planKey(id))
	if err != nil {
		return repair.PlanRecord{}, fmt.Errorf("load a plan: %w", err)
	}
	if fields["plan"] == "" {
		return repair.PlanRecord{}, repair.ErrUnknownPlan
	}
	record := repair.PlanRecord{State: repair.PlanState(fields["state"]), FirstPressBy: fields["presser"], FirstPressID: fields["press"]}
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

// maxOpenPlans is how many plans are listed at a time.
const maxOpenPlans = 100

// OpenPlans returns the plans that wait for approval in a message, those that expire first
// before the others. Items of bulk plans are not among them.
func (p *Plans) OpenPlans(ctx context.Context, now time.Time) ([]repair.PlanRecord, error) {
	client, err := p.state.Client(ctx)
	if err != nil {
		return nil, err
	}
	ids, err := client.ZRangeByScore(ctx, plansKey, &redis.ZRangeBy{
		Min: strconv.FormatInt(now.UnixMilli(), 10), Max: "+inf", Count: maxOpenPlans}).Result()
	if err != nil {
		return nil, fmt.Errorf("list plans: %w", rdb.Classify(err))
	}
	var open []repair.PlanRecord
	for _, id := range ids {
		record, err := p.LoadPlan(ctx, id, now)
		switch {
		case errors.Is(err, repair.ErrUnknownPlan):
		case err != nil:
			return nil, err
		case record.State == repair.PlanOpen && record.Message.TS != "":
			open = append(open, record)
		}
	}
	return open, nil
}
