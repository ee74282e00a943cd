package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

const rollupKey = watchPrefix + "rollup"

// Rollup is what the last sweep counted.
type Rollup struct {
	AsOf   time.Time
	Count  Count
	Server *Server // nil = it did not tell
}

// KEYS: token, rollup, series. ARGV: token, rollup, its life and that of the
// series in ms, then fields of the series and their values.
var saveRollup = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
for i = 5, #ARGV, 2 do redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', KEYS[3], ARGV[4])
return 1`)

// SaveRollup keeps what a sweep counted for the time given, and adds it to the
// series; see Series.With. ErrLeadLost where somebody else leads.
func (w *Watch) SaveRollup(ctx context.Context, l Lead, r Rollup, life time.Duration) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("keep what a sweep counted: %w", err)
	}
	kept, err := w.Figures(ctx, r.AsOf)
	if err != nil {
		return err
	}
	args := []any{l.token, raw, life.Milliseconds(), seriesLife.Milliseconds()}
	now, series := HourOf(r.AsOf), kept.Series.With(r)
	for hour := range r.Count.Hours {
		if hour > now-seriesHours { // an older one has given its place away
			o := series[hour]
			args = append(args, seriesField(hour, seriesOutcomes),
				fmt.Sprint(hour, o.Webhook.Good, o.Webhook.Bad, o.Generation.Good, o.Generation.Bad))
		}
	}
	if s := r.Server; s != nil && s.UsedMemoryBytes > 0 {
		args = append(args, seriesField(now, seriesServer), fmt.Sprint(now, s.UsedMemoryBytes, s.MaxMemoryBytes, s.EvictedKeys))
	}
	saved, err := w.run(ctx, saveRollup, []string{tokenKey, rollupKey, seriesKey}, args...).Int()
	if err != nil {
		return fmt.Errorf("keep what a sweep counted: %w", Classify(err))
	}
	if saved == 0 {
		return ErrLeadLost
	}
	return nil
}

// Figures is all that is kept for statistics.
type Figures struct {
	Rollup *Rollup // nil = there is none, or none that is fresh
	Series Series
	State  WatchState
}

// Figures reads them in one round trip.
func (w *Watch) Figures(ctx context.Context, now time.Time) (Figures, error) {
	client, err := w.state.Client(ctx)
	if err != nil {
		return Figures{}, err
	}
	pipe := client.Pipeline()
	rollup, series, state := pipe.Get(ctx, rollupKey), pipe.HGetAll(ctx, seriesKey), pipe.HGetAll(ctx, stateKey)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) { // Nil: no rollup
		return Figures{}, fmt.Errorf("read what sweeps counted: %w", Classify(err))
	}
	f := Figures{Series: parseSeries(series.Val(), now), State: stateOf(state.Val())}
	if raw := rollup.Val(); raw != "" {
		f.Rollup = &Rollup{}
		if err := json.Unmarshal([]byte(raw), f.Rollup); err != nil {
			return Figures{}, fmt.Errorf("read what sweeps counted: %w", err)
		}
	}
	return f, nil
}

// listedWithin is how long ago Stripe has to have listed all that was paid for
// a session that is not listed to count as unpaid.
const listedWithin = 5 * time.Minute

// Payments is what the watch knows of sessions' payments. Those that Stripe did
// not list are unpaid, where it listed all lately; else nothing is said of them.
func (w *Watch) Payments(ctx context.Context, now time.Time, ids []string) (map[string]Payment, error) {
	known, err := w.Known(ctx, ids)
	if err != nil {
		return nil, err
	}
	state, err := w.State(ctx)
	if err != nil {
		return nil, err
	}
	listed := now.Sub(state.Passed) < listedWithin
	payments := make(map[string]Payment, len(ids))
	for _, id := range ids {
		switch paid := known[id].Paid; {
		case paid != nil:
			payments[id] = paid.Payment
		case listed:
			payments[id] = Payment{SessionID: id, State: PaymentUnpaid}
		}
	}
	return payments, nil
}
