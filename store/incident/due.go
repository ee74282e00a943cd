package incident

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
)

// DueSession is a session to be looked at.
type DueSession struct {
	Session string
	At      time.Time // to the millisecond
}

// dueChunk is how many sessions one script or pipeline concerns, so that Redis
// is not held for long.
const dueChunk = 200

// KEYS: due. ARGV: life in ms, then times in ms and session ids.
var addDue = redis.NewScript(`
for i = 2, #ARGV, 2 do
	local at, new = redis.call('ZSCORE', KEYS[1], ARGV[i + 1]), tonumber(ARGV[i])
	if at then new = math.min(new, tonumber(at) + 1) end
	redis.call('ZADD', KEYS[1], string.format('%.0f', new), ARGV[i + 1])
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1`)

// AddDue puts sessions on the due list. One that stands there already keeps the
// earlier time, but for a millisecond: who is looking at it just then does not
// take it off.
func (w *Watch) AddDue(ctx context.Context, dues ...DueSession) error {
	for chunk := range slices.Chunk(dues, dueChunk) {
		args := []any{caseLife.Milliseconds()}
		for _, d := range chunk {
			args = append(args, d.At.UnixMilli(), d.Session)
		}
		if err := w.state.Run(ctx, addDue, []string{dueKey}, args...).Err(); err != nil {
			return fmt.Errorf("put sessions on the due list: %w", rdb.Classify(err))
		}
	}
	return nil
}

// Due lists the sessions that are due by now, those due first first, at most
// limit.
func (w *Watch) Due(ctx context.Context, now time.Time, limit int) ([]DueSession, error) {
	client, err := w.state.Client(ctx)
	if err != nil {
		return nil, err
	}
	found, err := client.ZRangeByScoreWithScores(ctx, dueKey, &redis.ZRangeBy{
		Min: "-inf", Max: strconv.FormatInt(now.UnixMilli(), 10), Count: int64(limit)}).Result()
	if err != nil {
		return nil, fmt.Errorf("read the due list: %w", rdb.Classify(err))
	}
	dues := make([]DueSession, 0, len(found))
	for _, z := range found {
		id, _ := z.Member.(string) // go-redis reads members as strings
		dues = append(dues, DueSession{Session: id, At: time.UnixMilli(int64(math.Round(z.Score)))})
	}
	return dues, nil
}

// KEYS: due. ARGV: times in ms and session ids.
var removeDue = redis.NewScript(`
for i = 1, #ARGV, 2 do
	local at = redis.call('ZSCORE', KEYS[1], ARGV[i + 1])
	if at and tonumber(at) == tonumber(ARGV[i]) then redis.call('ZREM', KEYS[1], ARGV[i + 1]) end
end
return 1`)

// RemoveDue takes sessions off the due list, but for those that were put on it
// anew in the meantime.
func (w *Watch) RemoveDue(ctx context.Context, dues []DueSession) error {
	for chunk := range slices.Chunk(dues, dueChunk) {
		var args []any
		for _, d := range chunk {
			args = append(args, d.At.UnixMilli(), d.Session)
		}
		if err := w.state.Run(ctx, removeDue, []string{dueKey}, args...).Err(); err != nil {
			return fmt.Errorf("take sessions off the due list: %w", rdb.Classify(err))
		}
	}
	return nil
}

// Paid is what Stripe's lists told of a session that was paid, or that had
// nothing to pay.
type Paid struct {
	Payment store.Payment
	EventID string    // evt_…, "" = no event was seen
	EventAt time.Time // when it was created
}

// SavePaid remembers payments until they are forgotten, for a month at most.
// What is known with its event is not replaced by what is known without.
func (w *Watch) SavePaid(ctx context.Context, paid ...Paid) error {
	client, err := w.state.Client(ctx)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(paid, dueChunk) {
		pipe := client.Pipeline()
		for _, p := range chunk {
			raw, err := json.Marshal(p)
			if err != nil {
				return fmt.Errorf("remember a payment: %w", err)
			}
			if p.EventID == "" {
				pipe.SetArgs(ctx, paidKey(p.Payment.SessionID), raw, redis.SetArgs{Mode: "NX", TTL: caseLife})
			} else {
				pipe.Set(ctx, paidKey(p.Payment.SessionID), raw, caseLife)
			}
		}
		if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) { // Nil: known already
			return fmt.Errorf("remember payments: %w", rdb.Classify(err))
		}
	}
	return nil
}

// KeepPaid remembers a payment instead of what is known of it.
func (w *Watch) KeepPaid(ctx context.Context, p Paid) error {
	client, err := w.state.Client(ctx)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(p)
	if err == nil {
		err = client.Set(ctx, paidKey(p.Payment.SessionID), raw, caseLife).Err()
	}
	if err != nil {
		return fmt.Errorf("remember a payment: %w", rdb.Classify(err))
	}
	return nil
}

// ForgetPaid forgets payments of sessions that need nobody.
func (w *Watch) ForgetPaid(ctx context.Context, sessions []string) error {
	client, err := w.state.Client(ctx)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(sessions, dueChunk) {
		keys := make([]string, len(chunk))
		for i, id := range chunk {
			keys[i] = paidKey(id)
		}
		if err := client.Unlink(ctx, keys...).Err(); err != nil {
			return fmt.Errorf("forget payments: %w", rdb.Classify(err))
		}
	}
	return nil
}

// Known is what the watch remembers of a session.
type Known struct {
	Paid      *Paid  // nil = nothing
	Dismissed string // what Dismiss was told, "" = nothing
}

// Known tells what is remembered of each session, in one round trip.
func (w *Watch) Known(ctx context.Context, sessions []string) (map[string]Known, error) {
	if len(sessions) == 0 {
		return nil, nil
	}
	client, err := w.state.Client(ctx)
	if err != nil {
		return nil, err
	}
	keys := make([]string, 0, 2*len(sessions))
	for _, id := range sessions {
		keys = append(keys, paidKey(id), dismissedKey(id))
	}
	values, err := client.MGet(ctx, keys...).Result()
	if err != nil {
		return nil, fmt.Errorf("read what is known of sessions: %w", rdb.Classify(err))
	}
	known := make(map[string]Known, len(sessions))
	for i, id := range sessions {
		var k Known
		if raw, ok := values[2*i].(string); ok {
			k.Paid = &Paid{}
			if err := json.Unmarshal([]byte(raw), k.Paid); err != nil {
				return nil, fmt.Errorf("read a payment: %w", err)
			}
		}
		k.Dismissed, _ = values[2*i+1].(string) // nil where there is none
		known[id] = k
	}
	return known, nil
}

// Dismiss remembers for a while that the session was looked at, stood so, and
// needs nobody.
func (w *Watch) Dismiss(ctx context.Context, session, standing string, ttl time.Duration) error {
	client, err := w.state.Client(ctx)
	if err != nil {
		return err
	}
	if err := client.Set(ctx, dismissedKey(session), standing, ttl).Err(); err != nil {
		return fmt.Errorf("dismiss a session: %w", rdb.Classify(err))
	}
	return nil
}

// listedWithin is how long ago Stripe has to have listed all that was paid for
// a session that is not listed to count as unpaid.
const listedWithin = 5 * time.Minute

// Payments is what the watch knows of sessions' payments. Those that Stripe did
// not list are unpaid, where it listed all lately; else nothing is said of them.
func (w *Watch) Payments(ctx context.Context, now time.Time, ids []string) (map[string]store.Payment, error) {
	known, err := w.Known(ctx, ids)
	if err != nil {
		return nil, err
	}
	state, err := w.State(ctx)
	if err != nil {
		return nil, err
	}
	listed := now.Sub(state.Passed) < listedWithin
	payments := make(map[string]store.Payment, len(ids))
	for _, id := range ids {
		switch paid := known[id].Paid; {
		case paid != nil:
			payments[id] = paid.Payment
		case listed:
			payments[id] = store.Payment{SessionID: id, State: store.PaymentUnpaid}
		}
	}
	return payments, nil
}
