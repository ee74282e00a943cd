package repair

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
)

// KEYS: job, job of the session, pending, unclear, lease. ARGV: the job as it
// was, as it is now, its id, the time of its claim. An empty token ends the lease
// of who may be telling the outcome just now, and could not give it free any more.
// Where another job of the session came later, that one counts: -1.
var settle = redis.NewScript(`
if redis.call('HGET', KEYS[1], 'job') ~= ARGV[1] then return 0 end
if redis.call('HGET', KEYS[2], 'id') ~= ARGV[3] then return -1 end
redis.call('HSET', KEYS[1], 'job', ARGV[2])
redis.call('HSET', KEYS[1], 'token', '')
redis.call('HSET', KEYS[2], 'id', ARGV[3], 'state', 'running', 'outcome', '')
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[3])
redis.call('ZREM', KEYS[4], ARGV[3])
redis.call('DEL', KEYS[5])
return 1`)

// Settle records what a person found out about an unclear job: the file that
// was made, or "" for none. The job then runs again, to write that into the
// session and to end: with a file from StepSent on, without one from
// StepSending, which with a Settlement never sends; and it puts on record what
// was said. A job that was given up is settled with its own file, and then
// followed to its end once more.
//
// ErrUnknownJob where there is no such job; ErrOtherFile where one that was
// given up has another file; ErrNotUnclear where there is nothing to settle
// about it, or somebody else was quicker. With the last two the job is returned.
func (l *Ledger) Settle(ctx context.Context, id string, said Settlement) (Job, error) {
	said.At = said.At.UTC().Truncate(time.Millisecond)
	for range maxAttempts {
		job, done, err := l.settle(ctx, id, said)
		if err != nil || done {
			return job, err
		}
		// Who told its end saved it in between, so that it may still be unclear; or
		// the answer got lost, and this was the second attempt.
	}
	return Job{}, errConflict
}

// settle is false where the job was saved since it was read.
func (l *Ledger) settle(ctx context.Context, id string, said Settlement) (Job, bool, error) {
	job, before, err := l.job(ctx, id)
	switch {
	case err != nil:
		return Job{}, false, err
	case job.Settled != nil && *job.Settled == said:
		return job, true, nil
	case job.Outcome == store.OutcomeGaveUp && said.FileID != "" && !strings.EqualFold(said.FileID, job.FileID):
		return job, false, ErrOtherFile
	case job.Outcome != store.OutcomeUnclear && (job.Outcome != store.OutcomeGaveUp || said.FileID == ""):
		return job, false, ErrNotUnclear
	}
	job.Settled, job.ClaimAudited = &said, false
	job.Outcome, job.Cause, job.Detail, job.Finished = "", "", nil, time.Time{}
	job.OutcomeAudited, job.Notified = false, false
	if said.FileID != "" {
		job.Step, job.FileID, job.Sent = StepSent, said.FileID, said.At
	}
	after, err := json.Marshal(job)
	if err != nil {
		return Job{}, false, fmt.Errorf("settle a job: %w", err)
	}
	keys := []string{jobKey(id), jobOfKey(job.Plan.Session), pendingKey, unclearKey, leaseKey(id)}
	done, err := l.state.Run(ctx, settle, keys, before, after, id, job.Claimed.UnixMilli()).Int()
	if err != nil {
		return Job{}, false, fmt.Errorf("settle a job: %w", rdb.Classify(err))
	}
	if done < 0 {
		return job, false, ErrNotUnclear
	}
	return job, done == 1, nil
}
