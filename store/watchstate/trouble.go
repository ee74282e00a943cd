package watchstate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
)

// MaxTroubled is how many sessions in trouble are recorded.
const MaxTroubled = 10_000

// Trouble records which sessions the sweeps found in trouble. Their state is read
// again before they are shown.
type Trouble struct{ redis *rdb.Redis }

// KEYS: state, troubled. ARGV: token, life in ms, the most that are recorded, time of
// the sweep in ms, then session ids.
var addTroubled = redis.NewScript(`
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
local room = ARGV[3] - redis.call('ZCARD', KEYS[2])
for i = 5, #ARGV do
	local known = redis.call('ZSCORE', KEYS[2], ARGV[i])
	if known or room > 0 then redis.call('ZADD', KEYS[2], ARGV[4], ARGV[i]) end
	if not known then room = room - 1 end
end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1`)

// AddTroubled records sessions that the sweep of this time found in trouble.
// It returns lease.ErrLost if another process leads.
func (t *Trouble) AddTroubled(ctx context.Context, l lease.Lease, swept time.Time, sessions ...string) error {
	for chunk := range slices.Chunk(sessions, chunkSize) {
		args := []any{l.Token, RecordLife.Milliseconds(), MaxTroubled, swept.UnixMilli()}
		for _, id := range chunk {
			args = append(args, id)
		}
		added, err := t.redis.Run(ctx, addTroubled, []string{StateKey, troubledKey}, args...).Int()
		if err != nil {
			return fmt.Errorf("record sessions in trouble: %w", rdb.Classify(err))
		}
		if added == 0 {
			return lease.ErrLost
		}
	}
	return nil
}

// KEYS: state, troubled, the record of the sweep. ARGV: token, time of the sweep in ms,
// how many it found, life of its record in ms, the most that are removed at a time.
var keepTroubled = redis.NewScript(`
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return -1 end
local old = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[2], 'LIMIT', 0, ARGV[5])
if #old > 0 then redis.call('ZREM', KEYS[2], unpack(old)) end
if #old == tonumber(ARGV[5]) then return 0 end
local whole = redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[3]) and 'whole' or 'part'
redis.call('SET', KEYS[3], ARGV[2] .. ' ' .. whole, 'PX', ARGV[4])
return 1`)

// KeepTroubled makes the sessions that the sweep of this time found the record, for the
// life given, and forgets those of earlier sweeps. It returns lease.ErrLost
// if another process leads.
func (t *Trouble) KeepTroubled(ctx context.Context, l lease.Lease, swept time.Time, found int, life time.Duration) error {
	args := []any{l.Token, swept.UnixMilli(), found, life.Milliseconds(), chunkSize}
	for {
		done, err := t.redis.Run(ctx, keepTroubled, []string{StateKey, troubledKey, troubledAtKey}, args...).Int()
		switch {
		case err != nil:
			return fmt.Errorf("record sessions in trouble: %w", rdb.Classify(err))
		case done < 0:
			return lease.ErrLost
		case done > 0:
			return nil
		}
	}
}

// TroubledRecord is what the last sweep found in trouble.
type TroubledRecord struct {
	Sessions []string
	Swept    time.Time // zero = no sweep succeeded lately
	Whole    bool      // false: more sessions are in trouble than are recorded
}

// Troubled returns what the last sweep found in trouble, in one round trip.
func (t *Trouble) Troubled(ctx context.Context) (TroubledRecord, error) {
	client, err := t.redis.Client(ctx)
	if err != nil {
		return TroubledRecord{}, err
	}
	pipe := client.Pipeline()
	at, sessions := pipe.Get(ctx, troubledAtKey), pipe.ZRange(ctx, troubledKey, 0, -1)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) { // Nil: no sweep
		return TroubledRecord{}, fmt.Errorf("read sessions in trouble: %w", rdb.Classify(err))
	}
	ms, whole, _ := strings.Cut(at.Val(), " ")
	if _, err := strconv.ParseInt(ms, 10, 64); err != nil { // there is none
		return TroubledRecord{}, nil
	}
	return TroubledRecord{Sessions: sessions.Val(), Swept: parseMillis(ms), Whole: whole == "whole"}, nil
}
