package repair

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
)

// Lease takes the lease of a job and reports whether nobody else has it; see
// lease.Store. ErrUnknownJob where there is no such job, which is not pending then
// either.
func (l *Ledger) Lease(ctx context.Context, jobID, owner string) (lease.Lease, bool, error) {
	held, ok, err := l.Leases.Acquire(ctx, jobKey(jobID), leaseKey(jobID), owner)
	if !errors.Is(err, lease.ErrNoRecord) {
		return held, ok, err
	}
	client, err := l.state.Client(ctx)
	if err == nil {
		err = client.ZRem(ctx, pendingKey, jobID).Err()
	}
	if err != nil {
		return held, false, fmt.Errorf("drop a job: %w", rdb.Classify(err))
	}
	return held, false, ErrUnknownJob
}

// KEYS: job, job of the session, pending, unclear. ARGV: token, job, its id, its
// state for the session, whether it is pending, the time of its claim, its life
// in ms, its action, its outcome, the time of that or of the claim, the field of
// what was made (empty = nothing) and its value.
var saveJob = redis.NewScript(`
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'job', ARGV[2])
local latest = redis.call('HGET', KEYS[2], 'id')
if ARGV[4] ~= '' or not latest or latest == ARGV[3] then
	redis.call('HSET', KEYS[2], 'id', ARGV[3], 'state', ARGV[4], 'action', ARGV[8], 'outcome', ARGV[9], 'at', ARGV[10])
end
if ARGV[11] ~= '' then redis.call('HSET', KEYS[2], ARGV[11], ARGV[12]) end
if ARGV[5] == '1' then redis.call('ZADD', KEYS[3], ARGV[6], ARGV[3]) else redis.call('ZREM', KEYS[3], ARGV[3]) end
if ARGV[4] == 'unclear' then redis.call('ZADD', KEYS[4], ARGV[6], ARGV[3]) else redis.call('ZREM', KEYS[4], ARGV[3]) end
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', ARGV[6] - ARGV[7])
for i = 1, 4 do redis.call('PEXPIRE', KEYS[i], ARGV[7]) end
return 1`)

// SaveJob stores how far the job got. lease.ErrLost where somebody else has got
// it: then nothing was stored, and the holder has to stop at once.
func (l *Ledger) SaveJob(ctx context.Context, held lease.Lease, job Job) error {
	keys, args, err := savedJob(held, job)
	if err != nil {
		return err
	}
	saved, err := l.state.Run(ctx, saveJob, keys, args...).Int()
	if err != nil {
		return fmt.Errorf("save a job: %w", rdb.Classify(err))
	}
	if saved == 0 {
		return lease.ErrLost
	}
	return nil
}

// savedJob are the keys and arguments of saveJob.
func savedJob(held lease.Lease, job Job) (keys []string, args []any, err error) {
	if held.Record != jobKey(job.ID) {
		return nil, nil, lease.ErrLost
	}
	raw, err := json.Marshal(job)
	if err != nil {
		return nil, nil, fmt.Errorf("save a job: %w", err)
	}
	at := job.Claimed
	if job.Outcome != "" {
		at = job.Finished
	}
	made, cost := "", ""
	if job.FileID != "" && job.Plan.Action != store.ActionFix {
		cents := 0
		if job.Plan.Order != nil {
			cents = job.Plan.Order.Cents
		}
		made, cost = madePrefix+job.FileID, fmt.Sprint(job.Sent.UnixMilli(), " ", cents)
	}
	return []string{jobKey(job.ID), jobOfKey(job.Plan.Session), pendingKey, unclearKey},
		[]any{held.Token, raw, job.ID, string(job.state()), job.pending(), job.Claimed.UnixMilli(),
			jobLife.Milliseconds(), string(job.Plan.Action), string(job.Outcome), at.UnixMilli(), made, cost}, nil
}
