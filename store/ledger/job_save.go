package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/repair"
)

// Lease acquires the lease of a job and reports whether it succeeded; see lease.Store. If there is no such job it removes it from the pending ones and
// returns ErrUnknownJob.
func (j *Jobs) Lease(ctx context.Context, jobID, owner string) (lease.Lease, bool, error) {
	held, ok, err := j.Leases.Acquire(ctx, jobKey(jobID), leaseKey(jobID), owner)
	if !errors.Is(err, lease.ErrNoRecord) {
		return held, ok, err
	}
	client, err := j.state.Client(ctx)
	if err == nil {
		err = client.ZRem(ctx, pendingKey, jobID).Err()
	}
	if err != nil {
		return held, false, fmt.Errorf("drop a job: %w", rdb.Classify(err))
	}
	return held, false, repair.ErrUnknownJob
}

// KEYS: job, job of the session, pending, unclear. ARGV: token, job, its id, its
// state for the session, whether it is pending, the time of its claim, its life
// in ms, its action, its outcome, the time of that or of the claim, a field to keep
// about the session (empty = none) and its value.
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

// ignoredDoubt is what a later plan says after a replay that the session does not show.
const ignoredDoubt = "The event was replayed before, and the session does not show what the site made of it: look in SuperDuperAI first."

// SaveJob stores how far the job got. It returns lease.ErrLost if another
// process has the lease: then nothing was stored, and the caller has to stop at once.
func (j *Jobs) SaveJob(ctx context.Context, held lease.Lease, job repair.Job) error {
	keys, args, err := saveArgs(held, job)
	if err != nil {
		return err
	}
	saved, err := j.state.Run(ctx, saveJob, keys, args...).Int()
	if err != nil {
		return fmt.Errorf("save a job: %w", rdb.Classify(err))
	}
	if saved == 0 {
		return lease.ErrLost
	}
	return nil
}

// saveArgs returns the keys and arguments of saveJob.
func saveArgs(held lease.Lease, job repair.Job) (keys []string, args []any, err error) {
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
	switch {
	case job.FileID != "" && repair.MakesVideo(job.Plan.Action):
		made, cost = madePrefix+job.FileID, fmt.Sprint(job.Sent.UnixMilli(), " ", job.Plan.Cents())
	case job.Cause == repair.CauseIgnored:
		made, cost = doubtField, ignoredDoubt
	}
	return []string{jobKey(job.ID), jobOfKey(subject(job.Plan)), pendingKey, unclearKey},
		[]any{held.Token, raw, job.ID, string(stateOf(job)), pending(job), job.Claimed.UnixMilli(),
			jobLife.Milliseconds(), string(job.Plan.Action), string(job.Outcome), at.UnixMilli(), made, cost}, nil
}

// AwaitReplicas saves a job and returns nil once every connected replica has it,
// and at least one if a replica could take over.
//
// It saves on the connection that waits: the master that answers may be another
// than the one that took the job before. It returns lease.ErrLost if that one does
// not know the lease.
func (j *Jobs) AwaitReplicas(ctx context.Context, held lease.Lease, job repair.Job) error {
	r, err := j.Replication(ctx)
	if err != nil || !r.Needed {
		return err
	}
	keys, args, err := saveArgs(held, job)
	if err != nil {
		return err
	}
	var saved *redis.Cmd
	err = j.state.Acknowledge(ctx, replicaKey, max(r.Connected, 1), func(pipe redis.Pipeliner) {
		if r.Connected > 0 {
			pipe.Set(ctx, replicaKey, "", rdb.ReplicaLife)
		}
		saved = saveJob.Eval(ctx, pipe, keys, args...)
	})
	if saved != nil && saved.Err() == nil && saved.Val() == int64(0) {
		return lease.ErrLost
	}
	return err
}

// Replication returns how the master of plans and jobs is replicated.
func (j *Jobs) Replication(ctx context.Context) (rdb.Replication, error) {
	return j.state.Replication(ctx, replicaKey)
}

// NoteReplicas records whether a replica is connected.
func (j *Jobs) NoteReplicas(ctx context.Context) error {
	return j.state.NoteReplicas(ctx, replicaKey)
}

// stateOf returns the state of a job for the diagnosis of its session.
func stateOf(j repair.Job) store.JobState {
	switch j.Outcome {
	case "":
		return store.JobRunning
	case store.OutcomeUnclear:
		return store.JobUnclear
	}
	return store.JobNone
}

// pending reports whether there is still something to do: a job whose end has not
// been shown is not over.
func pending(j repair.Job) bool { return j.Outcome == "" || !j.Notified }
