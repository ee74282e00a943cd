// Package presence keeps track of the bot's live processes, of shared requests, and of who
// opened the App Home.
package presence

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store/rdb"
)

// processesKey is a sorted set of process ids, by when they expire (ms).
const processesKey = "sessionbot:processes"

// ProcessLife is how long a process counts as live after it was announced.
const ProcessLife = 90 * time.Second

// Processes are the live processes of the bot.
type Processes struct{ redis *rdb.Redis }

// NewProcesses returns the processes in the bot's own Redis.
func NewProcesses(redis *rdb.Redis) *Processes { return &Processes{redis: redis} }

// Announce records that this process is live, and returns how many are, itself
// included. Clocks may differ by less than ProcessLife.
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

// Leave removes this process.
func (p *Processes) Leave(ctx context.Context, id string) error {
	client, err := p.redis.Client(ctx)
	if err != nil {
		return err
	}
	if err := client.ZRem(ctx, processesKey, id).Err(); err != nil {
		return fmt.Errorf("remove a process: %w", rdb.Classify(err))
	}
	return nil
}
