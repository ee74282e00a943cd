package ledger

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/repair"
)

func parseDecision(raw string) (d repair.Decision, err error) {
	if raw == "" {
		return d, nil
	}
	if err := json.Unmarshal([]byte(raw), &d); err != nil {
		return d, fmt.Errorf("read who decided a plan: %w", err)
	}
	return d, nil
}

// claim returns the verdict and either the decision, the other job or the name of
// a first press. The nonce distinguishes a repeated call, whose first answer was
// lost, from a second press.
//
// A first press belongs to one person. Its name is in the button as it was redrawn
// for them, so that a press of an old copy, or by another person, is a first one
// itself; the name alone grants nothing.
//
// A press by another person is a first press of theirs. One that comes too early keeps the
// time of the first press, so that somebody who keeps pressing gets through after the
// delay. A later one of an old copy of the button restarts the delay: else the other half
// of a double click on it, if the button is redrawn in between, would approve.
//
// Before it claims it calls what the scripts of a job call: a server without one of
// these commands would accept a job that cannot be ended.
//
// KEYS: plan, job, job of the session, pending, lease. ARGV: now in ms, the least
// delay of a second press in ms, whether the click is not a terminal's (which needs no
// second press), nonce, decision, job, its id, its life in ms, its action, who presses,
// the press that the button names, then fields and values to keep about the session. The
// field retrying says whether the plan has a Risk: it is an old name.
var claim = redis.NewScript(`
local p = redis.call('HMGET', KEYS[1], 'state', 'decision', 'nonce', 'expires', 'retrying', 'channel', 'ts')
if not p[1] then return {'unknown', '', ''} end
if p[1] == 'claimed' and p[3] == ARGV[4] then return {'claimed', p[2], ''} end
if p[1] ~= 'open' then return {'already_' .. p[1], p[2], ''} end
if tonumber(ARGV[1]) > tonumber(p[4]) then return {'expired', '', ''} end
local other = redis.call('HMGET', KEYS[3], 'id', 'state')
if other[2] and other[2] ~= '' then return {'busy', other[1], other[2]} end
local risk, now, by, named = p[5] == '1', ARGV[1], ARGV[10], ARGV[11]
if risk and ARGV[3] == '1' then
	local presser, press, pressed = unpack(redis.call('HMGET', KEYS[1], 'presser', 'press', 'pressed'))
	if presser ~= by then
		redis.call('HSET', KEYS[1], 'presser', by, 'press', ARGV[4], 'pressed', now)
		return {'second_click', '', ARGV[4]}
	end
	local early = tonumber(now) - tonumber(pressed) < tonumber(ARGV[2])
	if early then return {'second_click', '', press} end
	if press ~= named then
		redis.call('HSET', KEYS[1], 'pressed', now)
		return {'second_click', '', press}
	end
end
redis.call('EXISTS', KEYS[2])
redis.call('GET', KEYS[5])
redis.call('SET', KEYS[5], '', 'PX', 1)
redis.call('DEL', KEYS[5])
redis.call('HGET', KEYS[1], 'state')
redis.call('ZREM', KEYS[4], '')
redis.call('ZREMRANGEBYSCORE', KEYS[4], '(0', '0')
redis.call('PEXPIRE', KEYS[4], ARGV[8])
redis.call('ZADD', KEYS[4], ARGV[1], ARGV[7])
redis.call('HSET', KEYS[1], 'state', 'claimed', 'decision', ARGV[5], 'nonce', ARGV[4])
redis.call('HSET', KEYS[2], 'job', ARGV[6], 'token', '', 'channel', p[6], 'ts', p[7])
redis.call('HSET', KEYS[3], 'id', ARGV[7], 'state', 'running', 'action', ARGV[9], 'outcome', '', 'at', ARGV[1])
for i = 12, #ARGV, 2 do redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1]) end
for i = 1, 4 do redis.call('PEXPIRE', KEYS[i], ARGV[8]) end
return {'claimed', ARGV[5], ''}`)

// sessionFields returns the fields and values to keep about the session once the
// plan has overwritten it: that the site may have had a video made, and which file
// it named.
func sessionFields(p repair.Plan) (fieldsAndValues []any) {
	if p.Doubt != "" {
		fieldsAndValues = append(fieldsAndValues, doubtField, p.Doubt)
	}
	inProgress := p.Seen.FileState == store.FileInProgress || p.Seen.FileState == store.FileFinalizing
	if repair.MakesVideo(p.Action) && inProgress {
		fieldsAndValues = append(fieldsAndValues, replacedPrefix+p.Seen.FileID, string(p.Seen.FileState))
	}
	return fieldsAndValues
}

// Claim claims the plan for one approver and creates its job in one step. However many
// people click, in any process, only one of them claims it; the result says what this
// click did. A plan with a Risk takes two presses by the same person, the second at
// least SecondPressDelay later and of the button that names the first (press, else "");
// a terminal asks twice before it claims.
func (p *Plans) Claim(ctx context.Context, planID, press string, by store.Actor, now time.Time) (repair.ClaimResult, error) {
	return p.decide(ctx, planID, by, now, func(record repair.PlanRecord, d repair.Decision, decision []byte) (repair.ClaimResult, error) {
		job := repair.Job{ID: planID, Plan: record.Plan, Approver: by, Claimed: d.At, Step: repair.StepRecorded, Digests: maps.Clone(record.Seen.Digests), Bulk: repair.NewBulk(record.Plan)}
		raw, err := json.Marshal(job)
		if err != nil {
			return repair.ClaimResult{}, err
		}
		keys := []string{planKey(planID), jobKey(planID), jobOfKey(subject(record.Plan)), pendingKey, leaseKey(planID)}
		args := []any{now.UnixMilli(), repair.SecondPressDelay.Milliseconds(), !by.Terminal, rand.Text(), decision, raw, planID, jobLife.Milliseconds(),
			string(record.Action), by.ID, press}
		result, err := p.result(ctx, record, p.state.Run(ctx, claim, keys, append(args, sessionFields(record.Plan)...)...))
		if result.Verdict == repair.Claimed {
			result.Job = job
		}
		return result, err
	})
}

// KEYS: plan. ARGV: now in ms, nonce, decision.
var cancel = redis.NewScript(`
local p = redis.call('HMGET', KEYS[1], 'state', 'decision', 'nonce', 'expires')
if not p[1] then return {'unknown', '', ''} end
if p[1] == 'cancelled' and p[3] == ARGV[2] then return {'cancelled', p[2], ''} end
if p[1] ~= 'open' then return {'already_' .. p[1], p[2], ''} end
if tonumber(ARGV[1]) > tonumber(p[4]) then return {'expired', '', ''} end
redis.call('HSET', KEYS[1], 'state', 'cancelled', 'decision', ARGV[3], 'nonce', ARGV[2])
return {'cancelled', ARGV[3], ''}`)

// Cancel cancels an open plan, or the job of a claimed one while that waits for a
// replica. Any other plan stays as it is, and the result says so.
func (p *Plans) Cancel(ctx context.Context, planID string, by store.Actor, now time.Time) (repair.ClaimResult, error) {
	return p.decide(ctx, planID, by, now, func(record repair.PlanRecord, d repair.Decision, decision []byte) (repair.ClaimResult, error) {
		result, err := p.result(ctx, record, p.state.Run(ctx, cancel, []string{planKey(planID)}, now.UnixMilli(), rand.Text(), decision))
		if err != nil || result.Verdict != repair.AlreadyClaimed {
			return result, err
		}
		result.Job, err = p.jobs.cancel(ctx, planID, d)
		if job := result.Job; job.Cancelled != nil && *job.Cancelled == d {
			result.Verdict, result.By, result.At = repair.JobCancelled, d.By, d.At
		}
		return result, err
	})
}

// decide loads the plan and runs a decision about it.
func (p *Plans) decide(ctx context.Context, planID string, by store.Actor, now time.Time,
	carryOut func(record repair.PlanRecord, d repair.Decision, decision []byte) (repair.ClaimResult, error)) (repair.ClaimResult, error) {
	record, err := p.LoadPlan(ctx, planID, now)
	if errors.Is(err, repair.ErrUnknownPlan) {
		return repair.ClaimResult{Verdict: repair.Unknown}, nil
	}
	if err != nil {
		return repair.ClaimResult{}, err
	}
	d := repair.Decision{By: by, At: now.UTC().Truncate(time.Millisecond)}
	decision, err := json.Marshal(d)
	if err != nil {
		return repair.ClaimResult{}, fmt.Errorf("decide a plan: %w", err)
	}
	result, err := carryOut(record, d, decision)
	if err != nil {
		return repair.ClaimResult{}, fmt.Errorf("decide a plan: %w", err)
	}
	return result, nil
}

// result reads the answer of claim or cancel, and loads the job of a plan that was
// claimed before.
func (p *Plans) result(ctx context.Context, record repair.PlanRecord, cmd *redis.Cmd) (repair.ClaimResult, error) {
	answer, err := cmd.StringSlice()
	if err != nil {
		return repair.ClaimResult{}, rdb.Classify(err)
	}
	if len(answer) != 3 {
		return repair.ClaimResult{}, fmt.Errorf("the script's answer has %d parts", len(answer))
	}
	result := repair.ClaimResult{Verdict: repair.ClaimVerdict(answer[0]), Plan: record}
	switch result.Verdict {
	case repair.Busy:
		result.Other, result.Doing = answer[1], store.JobState(answer[2])
		return result, nil
	case repair.NeedsSecondPress:
		result.Press = answer[2]
		return result, nil
	case repair.Unknown:
		return repair.ClaimResult{Verdict: repair.Unknown}, nil
	}
	d, err := parseDecision(answer[1])
	if result.By, result.At = d.By, d.At; err != nil || result.Verdict != repair.AlreadyClaimed {
		return result, err
	}
	result.Job, err = p.jobs.LoadJob(ctx, record.ID)
	return result, err
}
