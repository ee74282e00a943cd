package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/repair"
)

// changeJob replaces a job and makes it pending again. The empty token ends the
// lease of the process that executes it: it can save nothing any more, and so send nothing.
// A job that is settled has to be the latest of its session, else -1.
//
// KEYS: job, lease, pending, job of the session, unclear. ARGV: the job as it was,
// as it is now, its id, the time of its claim, whether it is settled.
var changeJob = redis.NewScript(`
if redis.call('HGET', KEYS[1], 'job') ~= ARGV[1] then return 0 end
if ARGV[5] == '1' then
	if redis.call('HGET', KEYS[4], 'id') ~= ARGV[3] then return -1 end
	redis.call('HSET', KEYS[4], 'state', 'running', 'outcome', '')
	redis.call('ZREM', KEYS[5], ARGV[3])
end
redis.call('HSET', KEYS[1], 'job', ARGV[2], 'token', '')
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[3])
redis.call('DEL', KEYS[2])
return 1`)

// change stores what edit makes of a job, and tries again if others save the job
// meanwhile. Nothing is stored if edit returns false.
func (j *Jobs) change(ctx context.Context, id string, settle bool, edit func(*repair.Job) (bool, error)) (repair.Job, error) {
	for range maxAttempts {
		job, before, err := j.load(ctx, id)
		if err != nil {
			return repair.Job{}, err
		}
		if changed, err := edit(&job); err != nil || !changed {
			return job, err
		}
		after, err := json.Marshal(job)
		if err != nil {
			return repair.Job{}, fmt.Errorf("change a job: %w", err)
		}
		keys := []string{jobKey(id), leaseKey(id), pendingKey, jobOfKey(subject(job.Plan)), unclearKey}
		stored, err := j.state.Run(ctx, changeJob, keys, before, after, id, job.Claimed.UnixMilli(), settle).Int()
		switch {
		case err != nil:
			return repair.Job{}, fmt.Errorf("change a job: %w", rdb.Classify(err))
		case stored < 0:
			return job, repair.ErrNotUnclear
		case stored > 0:
			return job, nil
		}
	}
	return repair.Job{}, errConflict
}

// cancel cancels a job that waits for a replica. It then runs on, to write that
// into the session and to end. Any other job is returned as it is.
func (j *Jobs) cancel(ctx context.Context, id string, d repair.Decision) (repair.Job, error) {
	return j.change(ctx, id, false, func(job *repair.Job) (bool, error) {
		if !job.Cancellable() { // or the answer to an earlier attempt was lost
			return false, nil
		}
		job.Cancelled, job.ClaimAudited = &d, false
		return true, nil
	})
}

// Settle records the outcome of an unclear job as a person found it: the file that was
// made, or "" for none. The job then runs again, to write that into the session and
// to end: with a file from StepSent on, without one from StepSending, which with a
// Settlement never sends. A replay writes nothing, and only ends. A job that is no longer tracked is settled with its own file, and
// then followed to its end once more.
//
// It returns ErrUnknownJob if there is no such job, ErrOtherFile if a job that was
// no longer tracked has another file, and ErrNotUnclear if there is nothing to settle, or
// it was settled meanwhile; with the last two also the job.
func (j *Jobs) Settle(ctx context.Context, id string, said repair.Settlement) (repair.Job, error) {
	said.At = said.At.UTC().Truncate(time.Millisecond)
	return j.change(ctx, id, true, func(job *repair.Job) (bool, error) {
		switch {
		case job.Settled != nil && *job.Settled == said: // the answer to an earlier attempt was lost
			return false, nil
		case job.Outcome == store.OutcomeGaveUp && said.FileID != "" && !strings.EqualFold(said.FileID, job.FileID):
			return false, repair.ErrOtherFile
		case job.Outcome != store.OutcomeUnclear && (job.Outcome != store.OutcomeGaveUp || said.FileID == ""):
			return false, repair.ErrNotUnclear
		}
		job.Settled, job.ClaimAudited, job.OutcomeAudited, job.Notified = &said, false, false, false
		job.Outcome, job.Cause, job.Detail, job.Finished = "", "", nil, time.Time{}
		if said.FileID != "" {
			job.Step, job.FileID, job.Sent = repair.StepSent, said.FileID, said.At
		}
		return true, nil
	})
}
