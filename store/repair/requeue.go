package repair

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store/rdb"
)

// KEYS: job, pending, lease. ARGV: the job as it was, as it is now, its id, the
// time of its claim. An empty token ends the lease of who may be telling the end
// just now.
var requeueNotification = redis.NewScript(`
if redis.call('HGET', KEYS[1], 'job') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'job', ARGV[2])
redis.call('HSET', KEYS[1], 'token', '')
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[3])
redis.call('DEL', KEYS[3])
return 1`)

// RequeueNotification has the end of a job told anew, because something older may stand in
// its message. A job that still runs is left alone: false.
func (l *Ledger) RequeueNotification(ctx context.Context, id string) (bool, error) {
	for {
		job, before, err := l.job(ctx, id)
		if err != nil || job.Outcome == "" {
			return false, err
		}
		job.Notified = false
		after, err := json.Marshal(job)
		if err != nil {
			return false, fmt.Errorf("have a job told: %w", err)
		}
		keys := []string{jobKey(id), pendingKey, leaseKey(id)}
		done, err := l.state.Run(ctx, requeueNotification, keys, before, after, id, job.Claimed.UnixMilli()).Int()
		if err != nil {
			return false, fmt.Errorf("have a job told: %w", rdb.Classify(err))
		}
		if done == 1 {
			return true, nil
		}
	}
}
