package watchstate

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store/rdb"
)

// Queue holds the sessions that are due for an inspection.
type Queue struct{ redis *rdb.Redis }

// DueSession is a session to be inspected.
type DueSession struct {
	Session string
	At      time.Time // to the millisecond
}

// chunkSize is how many sessions one script or pipeline concerns, so as not to
// block Redis for long.
const chunkSize = 200

// KEYS: due. ARGV: life in ms, then times in ms and session ids.
var addDue = redis.NewScript(`
for i = 2, #ARGV, 2 do
	local at, new = redis.call('ZSCORE', KEYS[1], ARGV[i + 1]), tonumber(ARGV[i])
	if at then new = math.min(new, tonumber(at) + 1) end
	redis.call('ZADD', KEYS[1], string.format('%.0f', new), ARGV[i + 1])
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1`)

// AddDue adds sessions to the queue. One that is in it already keeps the earlier
// time, plus a millisecond: so an inspection that is under way does not remove it.
func (q *Queue) AddDue(ctx context.Context, dues ...DueSession) error {
	err := q.run(ctx, addDue, dues, func(d DueSession) []any { return []any{d.At.UnixMilli(), d.Session} })
	if err != nil {
		return fmt.Errorf("put sessions in the due queue: %w", err)
	}
	return nil
}

// Due returns the sessions that are due by now, at most limit, those due first
// first.
func (q *Queue) Due(ctx context.Context, now time.Time, limit int) ([]DueSession, error) {
	client, err := q.redis.Client(ctx)
	if err != nil {
		return nil, err
	}
	found, err := client.ZRangeByScoreWithScores(ctx, dueKey, &redis.ZRangeBy{
		Min: "-inf", Max: strconv.FormatInt(now.UnixMilli(), 10), Count: int64(limit)}).Result()
	if err != nil {
		return nil, fmt.Errorf("read the due queue: %w", rdb.Classify(err))
	}
	dues := make([]DueSession, 0, len(found))
	for _, z := range found {
		id, _ := z.Member.(string) // go-redis reads members as strings
		dues = append(dues, DueSession{Session: id, At: time.UnixMilli(int64(math.Round(z.Score)))})
	}
	return dues, nil
}

// KEYS: due. ARGV: life in ms, then times in ms and session ids, each followed by the
// time at which it is due again, "" = it is not.
var removeDue = redis.NewScript(`
for i = 2, #ARGV, 3 do
	local at = redis.call('ZSCORE', KEYS[1], ARGV[i + 1])
	if at and tonumber(at) == tonumber(ARGV[i]) then
		if ARGV[i + 2] == '' then
			redis.call('ZREM', KEYS[1], ARGV[i + 1])
		else
			redis.call('ZADD', KEYS[1], ARGV[i + 2], ARGV[i + 1])
		end
	end
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1`)

// RemoveDue removes sessions from the queue, except those that were added again
// in the meantime. Those of them that are due again stay in it, until then: nothing else
// may lead to them.
func (q *Queue) RemoveDue(ctx context.Context, dues []DueSession, again ...DueSession) error {
	next := map[string]string{}
	for _, d := range again {
		next[d.Session] = strconv.FormatInt(d.At.UnixMilli(), 10)
	}
	err := q.run(ctx, removeDue, dues, func(d DueSession) []any { return []any{d.At.UnixMilli(), d.Session, next[d.Session]} })
	if err != nil {
		return fmt.Errorf("remove sessions from the due queue: %w", err)
	}
	return nil
}

// run runs a script with the arguments of each session.
func (q *Queue) run(ctx context.Context, script *redis.Script, dues []DueSession, argsOf func(DueSession) []any) error {
	for chunk := range slices.Chunk(dues, chunkSize) {
		args := []any{RecordLife.Milliseconds()}
		for _, d := range chunk {
			args = append(args, argsOf(d)...)
		}
		if err := q.redis.Run(ctx, script, []string{dueKey}, args...).Err(); err != nil {
			return rdb.Classify(err)
		}
	}
	return nil
}
