package repair

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
)

// Lease is the right to carry a job out. Its owner's name, kept with the job as
// its token, fences: once somebody else has got the lease, nothing can be saved by
// the old one. A count would not do: a replica that takes over may lack the last
// ones, and then give them out again.
type Lease struct{ Job, owner string }

// A job that is no more is not pending either.
//
// KEYS: job, lease, pending. ARGV: owner, life in ms, job's id.
var take = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then
	redis.call('ZREM', KEYS[3], ARGV[3])
	return -1
end
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
redis.call('HSET', KEYS[1], 'token', ARGV[1])
return 1`)

// Lease takes a job for the life of a lease; false where somebody else has it. Who asks
// again under the same owner gets the same lease, so an owner is one worker:
// its name has to be unique. ErrUnknownJob where there is no such job.
func (l *Ledger) Lease(ctx context.Context, jobID, owner string) (Lease, bool, error) {
	got, err := l.state.Run(ctx, take, []string{jobKey(jobID), leaseKey(jobID), pendingKey}, owner, l.LeaseTimings.Life.Milliseconds(), jobID).Int()
	switch {
	case err != nil:
		return Lease{}, false, fmt.Errorf("lease a job: %w", rdb.Classify(err))
	case got < 0:
		return Lease{}, false, ErrUnknownJob
	}
	return Lease{Job: jobID, owner: owner}, got > 0, nil
}

// KEYS: job, lease. ARGV: owner, life in ms, 0 = release it.
var renew = redis.NewScript(`
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
if ARGV[2] ~= '0' then
	redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
elseif redis.call('GET', KEYS[2]) == ARGV[1] then
	redis.call('DEL', KEYS[2])
end
return 1`)

// Renew makes the lease hold for its life from now on. ErrLeaseLost where
// somebody else has got the job.
func (l *Ledger) Renew(ctx context.Context, lease Lease) error {
	return l.hold(ctx, lease, l.LeaseTimings.Life)
}

// Release gives the job free. ErrLeaseLost where somebody else has got it.
func (l *Ledger) Release(ctx context.Context, lease Lease) error { return l.hold(ctx, lease, 0) }

func (l *Ledger) hold(ctx context.Context, lease Lease, life time.Duration) error {
	keys := []string{jobKey(lease.Job), leaseKey(lease.Job)}
	held, err := l.state.Run(ctx, renew, keys, lease.owner, life.Milliseconds()).Int()
	if err != nil {
		return fmt.Errorf("hold a lease: %w", rdb.Classify(err))
	}
	if held == 0 {
		return ErrLeaseLost
	}
	return nil
}

// KEYS: job, job of the session, pending, unclear. ARGV: owner, job, its id, its
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

// SaveJob stores how far the job got. ErrLeaseLost where somebody else has got
// it: then nothing was stored, and the holder has to stop at once.
func (l *Ledger) SaveJob(ctx context.Context, lease Lease, job Job) error {
	keys, args, err := savedJob(lease, job)
	if err != nil {
		return err
	}
	held, err := l.state.Run(ctx, saveJob, keys, args...).Int()
	if err != nil {
		return fmt.Errorf("save a job: %w", rdb.Classify(err))
	}
	if held == 0 {
		return ErrLeaseLost
	}
	return nil
}

// savedJob are the keys and arguments of saveJob.
func savedJob(lease Lease, job Job) (keys []string, args []any, err error) {
	if lease.Job != job.ID {
		return nil, nil, ErrLeaseLost
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
		[]any{lease.owner, raw, job.ID, string(job.state()), job.pending(), job.Claimed.UnixMilli(),
			jobLife.Milliseconds(), string(job.Plan.Action), string(job.Outcome), at.UnixMilli(), made, cost}, nil
}
