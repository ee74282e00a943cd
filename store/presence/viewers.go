package presence

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store/rdb"
)

const (
	viewersPrefix = "sessionbot:{home}:"
	viewersKey    = viewersPrefix + "viewers" // sorted set of user ids, by when they last opened it (ms)
)

func shownKey(user string) string { return viewersPrefix + "shown:" + user }

const (
	// ViewerLife is how long an App Home is kept current after it was opened.
	ViewerLife = time.Hour
	// maxViewers is how many are kept current: those who opened theirs last.
	maxViewers = 100
)

// Viewers stores who opened their App Home lately, and what each was shown last.
type Viewers struct{ redis *rdb.Redis }

// NewViewers returns the viewers in the bot's own Redis.
func NewViewers(redis *rdb.Redis) *Viewers { return &Viewers{redis: redis} }

// Opened records that a user opened their App Home.
func (v *Viewers) Opened(ctx context.Context, user string, now time.Time) error {
	client, err := v.redis.Client(ctx)
	if err != nil {
		return err
	}
	pipe := client.TxPipeline()
	pipe.ZAdd(ctx, viewersKey, redis.Z{Score: float64(now.UnixMilli()), Member: user})
	pipe.ZRemRangeByScore(ctx, viewersKey, "-inf", strconv.FormatInt(now.Add(-ViewerLife).UnixMilli(), 10))
	pipe.PExpire(ctx, viewersKey, ViewerLife)
	if cmds, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("record who opened the App Home: %w", rdb.Classify(rdb.ExecError(cmds, err)))
	}
	return nil
}

// Recent returns what those who opened their App Home within ViewerLife were shown last,
// by user; "" = nothing yet.
func (v *Viewers) Recent(ctx context.Context, now time.Time) (map[string]string, error) {
	client, err := v.redis.Client(ctx)
	if err != nil {
		return nil, err
	}
	latest, err := client.ZRangeWithScores(ctx, viewersKey, -maxViewers, -1).Result()
	if err != nil {
		return nil, fmt.Errorf("list who opened the App Home: %w", rdb.Classify(err))
	}
	since := float64(now.Add(-ViewerLife).UnixMilli())
	shown := map[string]string{}
	for _, z := range latest {
		user, _ := z.Member.(string) // go-redis reads members as strings
		if z.Score <= since {
			continue
		}
		if shown[user], err = client.Get(ctx, shownKey(user)).Result(); err != nil && !errors.Is(err, redis.Nil) {
			return nil, fmt.Errorf("read what the App Home shows: %w", rdb.Classify(err))
		}
	}
	return shown, nil
}

// SetShown records what a user is shown.
func (v *Viewers) SetShown(ctx context.Context, user, shown string) error {
	client, err := v.redis.Client(ctx)
	if err != nil {
		return err
	}
	if err := client.Set(ctx, shownKey(user), shown, ViewerLife).Err(); err != nil {
		return fmt.Errorf("record what the App Home shows: %w", rdb.Classify(err))
	}
	return nil
}

// Forget stops keeping a user's App Home current, until they open it again.
func (v *Viewers) Forget(ctx context.Context, user string) error {
	client, err := v.redis.Client(ctx)
	if err != nil {
		return err
	}
	if err := client.ZRem(ctx, viewersKey, user).Err(); err != nil {
		return fmt.Errorf("forget who opened the App Home: %w", rdb.Classify(err))
	}
	return nil
}
