package stats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
)

const rollupKey = store.WatchPrefix + "rollup"

// Rollup is what the last sweep counted.
type Rollup struct {
	AsOf   time.Time
	Count  Count
	Server *rdb.Server // nil = not reported
	// LookupSuccessRate is of the last 24 h, nil without data. The series has it.
	LookupSuccessRate *float64 `json:"-"`
}

// KEYS: record of the lease, rollup, series. ARGV: token, rollup, its life and that of the
// series in ms, then fields of the series and their values.
var saveRollup = redis.NewScript(`
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
for i = 5, #ARGV, 2 do redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', KEYS[3], ARGV[4])
return 1`)

// Store keeps rollups and the series in Redis.
type Store struct{ state *rdb.Redis }

// NewStore returns the store in the bot's own Redis.
func NewStore(state *rdb.Redis) *Store { return &Store{state: state} }

// SaveRollup stores what a sweep counted for the life given, and adds it to the series;
// see Series.With. It returns lease.ErrLost if another process holds the lease.
func (s *Store) SaveRollup(ctx context.Context, l lease.Lease, r Rollup, life time.Duration) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("save a rollup: %w", err)
	}
	kept, err := s.Figures(ctx, r.AsOf)
	if err != nil {
		return err
	}
	args := []any{l.Token, raw, life.Milliseconds(), seriesLife.Milliseconds()}
	now, series := HourOf(r.AsOf), kept.Series.With(r)
	for hour := range r.Count.Hours {
		if hour > now-seriesHours { // the slot of an older one is taken
			o := series[hour]
			args = append(args, seriesField(hour, seriesOutcomes),
				fmt.Sprint(hour, o.Webhook.Good, o.Webhook.Bad, o.Generation.Good, o.Generation.Bad))
		}
	}
	if server := r.Server; server != nil && server.UsedMemoryBytes > 0 {
		args = append(args, seriesField(now, seriesServer), fmt.Sprint(now, server.UsedMemoryBytes, server.MaxMemoryBytes, server.EvictedKeys))
	}
	saved, err := s.state.Run(ctx, saveRollup, []string{l.Record, rollupKey, seriesKey}, args...).Int()
	if err != nil {
		return fmt.Errorf("save a rollup: %w", rdb.Classify(err))
	}
	if saved == 0 {
		return lease.ErrLost
	}
	return nil
}

// Figures are the stored statistics.
type Figures struct {
	Rollup *Rollup // nil = none, or expired
	Series Series
}

// Figures reads the statistics in one round trip.
func (s *Store) Figures(ctx context.Context, now time.Time) (Figures, error) {
	client, err := s.state.Client(ctx)
	if err != nil {
		return Figures{}, err
	}
	pipe := client.Pipeline()
	rollup, series := pipe.Get(ctx, rollupKey), pipe.HGetAll(ctx, seriesKey)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) { // Nil: no rollup
		return Figures{}, fmt.Errorf("read statistics: %w", rdb.Classify(err))
	}
	f := Figures{Series: parseSeries(series.Val(), now)}
	if raw := rollup.Val(); raw != "" {
		f.Rollup = &Rollup{}
		if err := json.Unmarshal([]byte(raw), f.Rollup); err != nil {
			return Figures{}, fmt.Errorf("read statistics: %w", err)
		}
	}
	return f, nil
}
