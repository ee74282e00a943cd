package incident

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/watchstate"
)

// Sessions records the payments of sessions, and which of them were dismissed or handled.
type Sessions struct {
	redis    *rdb.Redis
	progress *watchstate.Progress
}

// SavePaid saves payments for a month, unless ForgetPaid comes first. A payment
// without its event does not replace what is known.
func (s *Sessions) SavePaid(ctx context.Context, paid ...store.Paid) error {
	return s.save(ctx, paid, func(p store.Paid) bool { return p.EventID != "" })
}

// KeepPaid saves a payment in place of what is known of it.
func (s *Sessions) KeepPaid(ctx context.Context, p store.Paid) error {
	return s.save(ctx, []store.Paid{p}, func(store.Paid) bool { return true })
}

func (s *Sessions) save(ctx context.Context, paid []store.Paid, replaces func(store.Paid) bool) error {
	client, err := s.redis.Client(ctx)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(paid, chunkSize) {
		pipe := client.Pipeline()
		for _, p := range chunk {
			raw, err := json.Marshal(p)
			if err != nil {
				return fmt.Errorf("remember a payment: %w", err)
			}
			args := redis.SetArgs{TTL: watchstate.RecordLife}
			if !replaces(p) {
				args.Mode = "NX"
			}
			pipe.SetArgs(ctx, paidKey(p.Payment.SessionID), raw, args)
		}
		if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) { // Nil: known already
			return fmt.Errorf("remember payments: %w", rdb.Classify(err))
		}
	}
	return nil
}

// ForgetPaid deletes the payments of sessions.
func (s *Sessions) ForgetPaid(ctx context.Context, sessions []string) error {
	client, err := s.redis.Client(ctx)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(sessions, chunkSize) {
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

// Known is what is known of a session.
type Known struct {
	Paid      *store.Paid // nil = nothing
	Dismissed string      // the trouble given to Dismiss, "" = it was not dismissed
	Handled   *Handled    // nil = no one
}

// Known returns what is known of each session, in one round trip.
func (s *Sessions) Known(ctx context.Context, sessions []string) (map[string]Known, error) {
	if len(sessions) == 0 {
		return nil, nil
	}
	client, err := s.redis.Client(ctx)
	if err != nil {
		return nil, err
	}
	const kinds = 3
	keys := make([]string, 0, kinds*len(sessions))
	for _, id := range sessions {
		keys = append(keys, paidKey(id), dismissedKey(id), handledKey(id))
	}
	values, err := client.MGet(ctx, keys...).Result()
	if err != nil {
		return nil, fmt.Errorf("read what is known of sessions: %w", rdb.Classify(err))
	}
	known := make(map[string]Known, len(sessions))
	for i, id := range sessions {
		var k Known
		if raw, ok := values[kinds*i].(string); ok {
			if err := json.Unmarshal([]byte(raw), &k.Paid); err != nil {
				return nil, fmt.Errorf("read a payment: %w", err)
			}
		}
		k.Dismissed, _ = values[kinds*i+1].(string) // nil where there is none
		if raw, ok := values[kinds*i+2].(string); ok {
			if err := json.Unmarshal([]byte(raw), &k.Handled); err != nil {
				return nil, fmt.Errorf("read who handled a session: %w", err)
			}
		}
		known[id] = k
	}
	return known, nil
}

// Dismiss records for ttl that the session was examined in this trouble, and is
// not to be alerted.
func (s *Sessions) Dismiss(ctx context.Context, session, trouble string, ttl time.Duration) error {
	client, err := s.redis.Client(ctx)
	if err != nil {
		return err
	}
	if err := client.Set(ctx, dismissedKey(session), trouble, ttl).Err(); err != nil {
		return fmt.Errorf("dismiss a session: %w", rdb.Classify(err))
	}
	return nil
}

// listedWithin is how recently Stripe's lists must have been read whole for a
// session that they do not name to count as unpaid.
const listedWithin = 5 * time.Minute

// Payments returns the payments that are known. A session that Stripe's lists do
// not name is unpaid if they were read lately, else it is left out.
func (s *Sessions) Payments(ctx context.Context, now time.Time, ids []string) (map[string]store.Payment, error) {
	known, err := s.Known(ctx, ids)
	if err != nil {
		return nil, err
	}
	state, err := s.progress.State(ctx)
	if err != nil {
		return nil, err
	}
	listed := now.Sub(state.StripeReadAt) < listedWithin
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
