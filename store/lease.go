package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// LeaseLife is how long a lease holds without being renewed.
const LeaseLife = 15 * time.Second

// Lease is the right to carry a job out. Its token fences: once somebody else
// has got the lease, nothing can be saved by the old one.
type Lease struct {
	Job   string
	owner string
	token int64
}

// KEYS: job, lease. ARGV: owner, life in ms.
var take = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
if holder then return tonumber(redis.call('HGET', KEYS[1], 'token')) end
return redis.call('HINCRBY', KEYS[1], 'token', 1)`)

// Lease takes a job for LeaseLife; false where somebody else has it. Who asks
// again under the same owner gets the same lease, so an owner is one worker:
// its name has to be unique. ErrUnknownJob where there is no such job.
func (l *Ledger) Lease(ctx context.Context, jobID, owner string) (Lease, bool, error) {
	token, err := l.run(ctx, take, []string{jobKey(jobID), leaseKey(jobID)}, owner, LeaseLife.Milliseconds()).Int64()
	switch {
	case err != nil:
		return Lease{}, false, fmt.Errorf("lease a job: %w", silence(err))
	case token < 0:
		return Lease{}, false, ErrUnknownJob
	}
	return Lease{Job: jobID, owner: owner, token: token}, token > 0, nil
}

// KEYS: job, lease. ARGV: owner, token, life in ms, 0 = release it.
var renew = redis.NewScript(`
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[2] then return 0 end
if ARGV[3] ~= '0' then
	redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[3])
elseif redis.call('GET', KEYS[2]) == ARGV[1] then
	redis.call('DEL', KEYS[2])
end
return 1`)

// Renew makes the lease hold for LeaseLife from now on. ErrLeaseLost where
// somebody else has got the job.
func (l *Ledger) Renew(ctx context.Context, lease Lease) error {
	return l.hold(ctx, lease, LeaseLife)
}

// Release gives the job free. ErrLeaseLost where somebody else has got it.
func (l *Ledger) Release(ctx context.Context, lease Lease) error { return l.hold(ctx, lease, 0) }

func (l *Ledger) hold(ctx context.Context, lease Lease, life time.Duration) error {
	keys := []string{jobKey(lease.Job), leaseKey(lease.Job)}
	held, err := l.run(ctx, renew, keys, lease.owner, lease.token, life.Milliseconds()).Int()
	if err != nil {
		return fmt.Errorf("hold a lease: %w", silence(err))
	}
	if held == 0 {
		return ErrLeaseLost
	}
	return nil
}

// KEYS: job, job of the session, pending. ARGV: token, job, its id, its state
// for the session, whether it is pending, the time of its claim, its life in ms.
var saveJob = redis.NewScript(`
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'job', ARGV[2])
if ARGV[4] ~= '' then
	redis.call('HSET', KEYS[2], 'id', ARGV[3], 'state', ARGV[4])
elseif redis.call('HGET', KEYS[2], 'id') == ARGV[3] then
	redis.call('DEL', KEYS[2])
end
if ARGV[5] == '1' then redis.call('ZADD', KEYS[3], ARGV[6], ARGV[3]) else redis.call('ZREM', KEYS[3], ARGV[3]) end
for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], ARGV[7]) end
return 1`)

// SaveJob stores how far the job got. ErrLeaseLost where somebody else has got
// it: then nothing was stored, and the holder has to stop at once.
func (l *Ledger) SaveJob(ctx context.Context, lease Lease, job Job) error {
	if lease.Job != job.ID {
		return ErrLeaseLost
	}
	raw, err := json.Marshal(job)
	if err != nil {
		return fmt.Errorf("save a job: %w", err)
	}
	keys := []string{jobKey(job.ID), jobOfKey(job.Plan.Session), pendingKey}
	held, err := l.run(ctx, saveJob, keys, lease.token, raw, job.ID, string(job.state()), job.pending(),
		job.Claimed.UnixMilli(), jobLife.Milliseconds()).Int()
	if err != nil {
		return fmt.Errorf("save a job: %w", silence(err))
	}
	if held == 0 {
		return ErrLeaseLost
	}
	return nil
}

// maxPending is how many jobs are looked at in one go.
const maxPending = 1000

// Pending are the ids of the jobs that are not over, the oldest first: those
// that run, and those whose end was not told yet.
func (l *Ledger) Pending(ctx context.Context) ([]string, error) {
	client, err := l.state.client(ctx)
	if err != nil {
		return nil, err
	}
	ids, err := client.ZRange(ctx, pendingKey, 0, maxPending-1).Result()
	if err != nil {
		return nil, fmt.Errorf("list pending jobs: %w", silence(err))
	}
	return ids, nil
}

// JobOf tells what a job of ours does for the session, and its id.
func (l *Ledger) JobOf(ctx context.Context, session string) (JobState, string, error) {
	fields, err := l.fields(ctx, jobOfKey(session))
	if err != nil {
		return JobNone, "", fmt.Errorf("look for a session's job: %w", err)
	}
	return JobState(fields["state"]), fields["id"], nil
}

// KEYS: job, job of the session, pending. ARGV: the job as it was, as it is
// now, its id, the time of its claim. A new token ends every lease.
var settle = redis.NewScript(`
if redis.call('HGET', KEYS[1], 'job') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'job', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'token', 1)
redis.call('HSET', KEYS[2], 'id', ARGV[3], 'state', 'running')
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[3])
return 1`)

// Settle records what a person found out about the session's unclear job: the
// file that was made, or "" for none. The job then runs again, to write that
// into the session and to end: with a file from StepSent on, without one from
// StepSending, which with a Settlement never sends. ErrNotUnclear where there
// is nothing to settle, or somebody else was quicker.
func (l *Ledger) Settle(ctx context.Context, session string, by Actor, fileID string, now time.Time) (Job, error) {
	state, id, err := l.JobOf(ctx, session)
	if err != nil {
		return Job{}, err
	}
	if state != JobUnclear {
		return Job{}, ErrNotUnclear
	}
	job, before, err := l.job(ctx, id)
	if err != nil {
		return Job{}, err
	}
	at := now.UTC().Truncate(time.Millisecond)
	job.Settled = &Settlement{By: by, At: at, FileID: fileID}
	job.Outcome, job.Cause, job.Detail, job.Told, job.Finished = "", "", nil, false, time.Time{}
	if fileID != "" {
		job.Step, job.FileID, job.Sent = StepSent, fileID, at
	}
	after, err := json.Marshal(job)
	if err != nil {
		return Job{}, fmt.Errorf("settle a job: %w", err)
	}
	keys := []string{jobKey(id), jobOfKey(session), pendingKey}
	done, err := l.run(ctx, settle, keys, before, after, id, job.Claimed.UnixMilli()).Int()
	if err != nil {
		return Job{}, fmt.Errorf("settle a job: %w", silence(err))
	}
	if done == 0 {
		return Job{}, ErrNotUnclear
	}
	return job, nil
}
