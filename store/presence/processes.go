// Package presence knows which processes of the bot live, and who shared an answer.
package presence

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store/rdb"
)

// processesKey is a sorted set of process ids, by when their word runs out (ms).
const processesKey = "sessionbot:processes"

// ProcessLife is how long a process counts as living after its last word: one
// that was killed is forgotten then.
const ProcessLife = 90 * time.Second

// Processes knows which processes of the bot live.
type Processes struct{ redis *rdb.Redis }

// NewProcesses keeps them in the bot's own Redis.
func NewProcesses(redis *rdb.Redis) *Processes { return &Processes{redis: redis} }

// Announce says that this process lives, and returns how many do, itself
// included. Clocks that differ by less than ProcessLife do no harm.
func (p *Processes) Announce(ctx context.Context, id string, now time.Time) (living int, err error) {
	client, err := p.redis.Client(ctx)
	if err != nil {
		return 0, err
	}
	pipe := client.TxPipeline()
	pipe.ZAdd(ctx, processesKey, redis.Z{Score: float64(now.Add(ProcessLife).UnixMilli()), Member: id})
	pipe.ZRemRangeByScore(ctx, processesKey, "-inf", strconv.FormatInt(now.UnixMilli(), 10))
	count := pipe.ZCard(ctx, processesKey)
	pipe.PExpire(ctx, processesKey, ProcessLife)
	if cmds, err := pipe.Exec(ctx); err != nil {
		return 0, fmt.Errorf("announce a process: %w", rdb.Classify(rdb.ExecError(cmds, err)))
	}
	return int(count.Val()), nil
}

// Leave says that this process ends.
func (p *Processes) Leave(ctx context.Context, id string) error {
	client, err := p.redis.Client(ctx)
	if err != nil {
		return err
	}
	if err := client.ZRem(ctx, processesKey, id).Err(); err != nil {
		return fmt.Errorf("take leave of the other processes: %w", rdb.Classify(err))
	}
	return nil
}
