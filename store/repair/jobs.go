package repair

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/rdb"
)

// maxPending is how many jobs are looked at in one go.
const maxPending = 1000

// Pending are the ids of the jobs that are not over, the oldest first: those
// that run, and those whose end was not told yet.
func (l *Ledger) Pending(ctx context.Context) ([]string, error) {
	client, err := l.state.Client(ctx)
	if err != nil {
		return nil, err
	}
	ids, err := client.ZRange(ctx, pendingKey, 0, maxPending-1).Result()
	if err != nil {
		return nil, fmt.Errorf("list pending jobs: %w", rdb.Classify(err))
	}
	return ids, nil
}

// Unclear counts the jobs that wait for a person to settle them.
func (l *Ledger) Unclear(ctx context.Context) (int, error) {
	client, err := l.state.Client(ctx)
	if err != nil {
		return 0, err
	}
	n, err := client.ZCard(ctx, unclearKey).Result()
	if err != nil {
		return 0, fmt.Errorf("count unclear jobs: %w", rdb.Classify(err))
	}
	return int(n), nil
}

// JobOf tells what a job of ours does for the session, or did last.
func (l *Ledger) JobOf(ctx context.Context, session string) (diagnosis.SessionJob, error) {
	client, err := l.state.Client(ctx)
	if err != nil {
		return diagnosis.SessionJob{}, fmt.Errorf("look for a session's job: %w", err)
	}
	return sessionJob(client.HGetAll(ctx, jobOfKey(session)))
}

// JobStates tells which of the sessions have a job of ours that runs or is unclear.
func (l *Ledger) JobStates(ctx context.Context, sessions []string) (map[string]store.JobState, error) {
	if len(sessions) == 0 {
		return nil, nil
	}
	client, err := l.state.Client(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for sessions' jobs: %w", err)
	}
	pipe := client.Pipeline()
	answers := make([]*redis.StringCmd, len(sessions))
	for i, session := range sessions {
		answers[i] = pipe.HGet(ctx, jobOfKey(session), "state")
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) { // Nil: there is none
		return nil, fmt.Errorf("look for sessions' jobs: %w", rdb.Classify(err))
	}
	states := map[string]store.JobState{}
	for i, session := range sessions {
		if state := answers[i].Val(); state != "" {
			states[session] = store.JobState(state)
		}
	}
	return states, nil
}

func sessionJob(answered *redis.MapStringStringCmd) (diagnosis.SessionJob, error) {
	fields, err := answered.Result()
	if err != nil {
		return diagnosis.SessionJob{}, fmt.Errorf("look for a session's job: %w", rdb.Classify(err))
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
