package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/repair"
)

// Jobs are the claimed plans being carried out.
type Jobs struct {
	Leases lease.Store
	state  *rdb.Redis
}

// LoadJob returns a job, or ErrUnknownJob if there is none.
func (j *Jobs) LoadJob(ctx context.Context, id string) (repair.Job, error) {
	job, _, err := j.load(ctx, id)
	return job, err
}

// load returns a job and the JSON that is stored.
func (j *Jobs) load(ctx context.Context, id string) (job repair.Job, raw string, err error) {
	fields, err := readHash(ctx, j.state, jobKey(id))
	if err != nil {
		return repair.Job{}, "", fmt.Errorf("load a job: %w", err)
	}
	if raw = fields["job"]; raw == "" {
		return repair.Job{}, "", repair.ErrUnknownJob
	}
	if err := json.Unmarshal([]byte(raw), &job); err != nil {
		return repair.Job{}, "", fmt.Errorf("load a job: %w", err)
	}
	job.Plan.Message = store.Message{Channel: fields["channel"], TS: fields["ts"]}
	job.Note, err = parseNote(fields["note"])
	return job, raw, err
}

// maxPending is how many jobs are listed at a time.
const maxPending = 1000

// Pending returns the ids of the jobs that are not over, oldest first: those that
// run, and those whose end has not been shown yet.
func (j *Jobs) Pending(ctx context.Context) ([]string, error) {
	client, err := j.state.Client(ctx)
	if err != nil {
		return nil, err
	}
	ids, err := client.ZRange(ctx, pendingKey, 0, maxPending-1).Result()
	if err != nil {
		return nil, fmt.Errorf("list pending jobs: %w", rdb.Classify(err))
	}
	return ids, nil
}

// Unclear returns how many jobs wait for a person to settle them.
func (j *Jobs) Unclear(ctx context.Context) (int, error) {
	client, err := j.state.Client(ctx)
	if err != nil {
		return 0, err
	}
	n, err := client.ZCard(ctx, unclearKey).Result()
	if err != nil {
		return 0, fmt.Errorf("count unclear jobs: %w", rdb.Classify(err))
	}
	return int(n), nil
}

// maxUnclear is how many unclear jobs are loaded at a time.
const maxUnclear = 100

// UnclearJobs returns the jobs that wait for a person to settle them, oldest first.
func (j *Jobs) UnclearJobs(ctx context.Context) ([]repair.Job, error) {
	client, err := j.state.Client(ctx)
	if err != nil {
		return nil, err
	}
	ids, err := client.ZRange(ctx, unclearKey, 0, maxUnclear-1).Result()
	if err != nil {
		return nil, fmt.Errorf("list unclear jobs: %w", rdb.Classify(err))
	}
	var unclear []repair.Job
	for _, id := range ids {
		job, err := j.LoadJob(ctx, id)
		switch {
		case errors.Is(err, repair.ErrUnknownJob):
		case err != nil:
			return nil, err
		default:
			unclear = append(unclear, job)
		}
	}
	return unclear, nil
}

// JobOf returns the latest job of a session, and the files that all its jobs made.
func (j *Jobs) JobOf(ctx context.Context, session string) (diagnosis.SessionJob, error) {
	fields, err := readHash(ctx, j.state, jobOfKey(session))
	if err != nil {
		return diagnosis.SessionJob{}, fmt.Errorf("load a session's job: %w", err)
	}
	job := diagnosis.SessionJob{ID: fields["id"], State: store.JobState(fields["state"]),
		Action: store.Action(fields["action"]), Outcome: store.Outcome(fields["outcome"]), Doubt: fields[doubtField]}
	if at, err := strconv.ParseInt(fields["at"], 10, 64); err == nil {
		job.At = time.UnixMilli(at).UTC()
	}
	for name, value := range fields {
		if file, ok := strings.CutPrefix(name, replacedPrefix); ok {
			job.Replaced = append(job.Replaced, file)
		}
		file, isFile := strings.CutPrefix(name, madePrefix)
		var ms int64
		made := diagnosis.Generation{FileID: file}
		if _, err := fmt.Sscan(value, &ms, &made.Cents); isFile && err == nil {
			made.At = time.UnixMilli(ms).UTC()
			job.Made = append(job.Made, made)
		}
	}
	slices.Sort(job.Replaced)
	slices.SortFunc(job.Made, func(a, b diagnosis.Generation) int { return a.At.Compare(b.At) })
	return job, nil
}

// JobStates returns the state of the jobs of sessions that run or are unclear, by session.
func (j *Jobs) JobStates(ctx context.Context, sessions []string) (map[string]store.JobState, error) {
	if len(sessions) == 0 {
		return nil, nil
	}
	client, err := j.state.Client(ctx)
	if err != nil {
		return nil, fmt.Errorf("load sessions' jobs: %w", err)
	}
	pipe := client.Pipeline()
	answers := make([]*redis.StringCmd, len(sessions))
	for i, session := range sessions {
		answers[i] = pipe.HGet(ctx, jobOfKey(session), "state")
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) { // Nil: no job
		return nil, fmt.Errorf("load sessions' jobs: %w", rdb.Classify(err))
	}
	states := map[string]store.JobState{}
	for i, session := range sessions {
		if state := answers[i].Val(); state != "" {
			states[session] = store.JobState(state)
		}
	}
	return states, nil
}
