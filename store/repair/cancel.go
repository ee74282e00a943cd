package repair

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
)

// KEYS: plan. ARGV: now in ms, nonce, decision.
var cancel = redis.NewScript(`
local p = redis.call('HMGET', KEYS[1], 'state', 'decision', 'nonce', 'expires')
if not p[1] then return {'unknown', '', ''} end
if p[1] == 'cancelled' and p[3] == ARGV[2] then return {'cancelled', p[2], ''} end
if p[1] ~= 'open' then return {'already_' .. p[1], p[2], ''} end
if tonumber(ARGV[1]) > tonumber(p[4]) then return {'expired', '', ''} end
redis.call('HSET', KEYS[1], 'state', 'cancelled', 'decision', ARGV[3], 'nonce', ARGV[2])
return {'cancelled', ARGV[3], ''}`)

// Cancel ends an open plan, or the job of a claimed one while that waits for a
// replica. Any other plan stays as it is, and the answer says so.
func (l *Ledger) Cancel(ctx context.Context, planID string, by store.Actor, now time.Time) (ClaimResult, error) {
	record, err := l.LoadPlan(ctx, planID, now)
	if errors.Is(err, ErrUnknownPlan) {
		return ClaimResult{Verdict: Unknown}, nil
	}
	if err != nil {
		return ClaimResult{}, err
	}
	said := Decision{By: by, At: now.UTC().Truncate(time.Millisecond)}
	d, err := json.Marshal(said)
	if err != nil {
		return ClaimResult{}, fmt.Errorf("cancel a plan: %w", err)
	}
	answer, err := l.claimResult(ctx, record, l.state.Run(ctx, cancel, []string{planKey(planID)}, now.UnixMilli(), rand.Text(), d))
	if err == nil && answer.Verdict == AlreadyClaimed {
		answer, err = l.cancelJob(ctx, answer, said)
	}
	if err != nil {
		return ClaimResult{}, fmt.Errorf("cancel a plan: %w", err)
	}
	return answer, nil
}

// The empty token ends the lease of who waits: they can record nothing any more,
// and so send nothing.
//
// KEYS: job, lease. ARGV: the job as it was, as it is now.
var cancelJob = redis.NewScript(`
if redis.call('HGET', KEYS[1], 'job') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'job', ARGV[2], 'token', '')
redis.call('DEL', KEYS[2])
return 1`)

// cancelJob records that a waiting job is cancelled. It then runs on, to write
// that into the session and to end.
func (l *Ledger) cancelJob(ctx context.Context, answer ClaimResult, said Decision) (ClaimResult, error) {
	for range maxAttempts {
		job, before, err := l.job(ctx, answer.Plan.ID)
		if err != nil {
			return answer, err
		}
		answer.Job = job
		switch {
		case job.Cancelled != nil && *job.Cancelled == said: // done, and the answer got lost
			answer.Verdict, answer.By, answer.At = JobCancelled, said.By, said.At
			return answer, nil
		case !job.Cancellable():
			return answer, nil
		}
		job.Cancelled, job.ClaimAudited = &said, false
		after, err := json.Marshal(job)
		if err != nil {
			return answer, err
		}
		if err := l.state.Run(ctx, cancelJob, []string{jobKey(job.ID), leaseKey(job.ID)}, before, after).Err(); err != nil {
			return answer, rdb.Classify(err)
		}
		// The next look tells whether it was this one or somebody was quicker.
	}
	return answer, errConflict
}
