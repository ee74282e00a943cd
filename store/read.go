package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"
)

// The prefixes of a session's keys.
const (
	prefixPrompt  = "prompt:"
	prefixWebhook = "webhook:"
	prefixLookup  = "session:"
)

// maxValue is the size in bytes above which a value is not read: far more than
// a session with an inlined picture takes, and little enough to hold.
const maxValue = 32 << 20

// readSize is how many sessions one round trip reads.
const readSize = 100

// Session reads all that Redis holds of a session in one round trip; of a
// cluster's nodes each is asked once, all at the same time. What is missing is
// no error: the keys say so.
func (r *Redis) Session(ctx context.Context, id string) (Session, error) {
	sessions, err := r.Sessions(ctx, []string{id})
	if err != nil {
		return Session{}, err
	}
	return sessions[0], nil
}

// Sessions reads several sessions, a hundred in a round trip, in the order of
// the ids.
func (r *Redis) Sessions(ctx context.Context, ids []string) ([]Session, error) {
	client, err := r.Client(ctx)
	if err != nil {
		return nil, err
	}
	sessions := make([]Session, 0, len(ids))
	for chunk := range slices.Chunk(ids, readSize) {
		replies := make([][3]reply, len(chunk))
		pipe := client.Pipeline()
		for i, id := range chunk {
			replies[i] = question(ctx, pipe, id)
		}
		// Exec returns the first error of any command; each is looked at below.
		_, _ = pipe.Exec(ctx)
		for i, id := range chunk {
			session, err := readSession(id, replies[i])
			if err != nil {
				return nil, err
			}
			sessions = append(sessions, session)
		}
	}
	return sessions, nil
}

// question asks for a session's keys.
func question(ctx context.Context, pipe redis.Pipeliner, id string) (asked [3]reply) {
	for k, prefix := range keyOrder {
		// One byte more than is accepted shows that there is more.
		asked[k] = reply{value: pipe.GetRange(ctx, prefix+id, 0, maxValue), ttl: pipe.PTTL(ctx, prefix+id)}
	}
	return asked
}

// readSession makes a session of the answers.
func readSession(id string, replies [3]reply) (Session, error) {
	s := Session{ID: id}
	for k, key := range s.places() {
		kind := keyOrder[k][:len(keyOrder[k])-1]
		var err error
		if *key, err = replies[k].key(kind); err != nil {
			return Session{}, fmt.Errorf("read a session's %s key: %w", kind, Classify(err))
		}
	}
	return s, nil
}

// keyOrder is the order in which a session's keys are read.
var keyOrder = [3]string{prefixPrompt, prefixWebhook, prefixLookup}

// places are the session's keys in that order, to be filled.
func (s *Session) places() [3]*Key { return [3]*Key{&s.Prompt, &s.Webhook, &s.Lookup} }

// reply is what Redis answers of one key.
type reply struct {
	value *redis.StringCmd
	ttl   *redis.DurationCmd
}

func (r reply) key(kind string) (Key, error) {
	key := Key{Kind: kind}
	ttl, err := r.ttl.Result()
	if err != nil {
		return key, err
	}
	if ttl == -2 { // PTTL's way to say that the key is missing
		return key, nil
	}
	key.Exists, key.TTL = true, max(ttl, 0)
	raw, err := r.value.Bytes()
	switch {
	case redis.HasErrorPrefix(err, "WRONGTYPE"):
		key.Other, key.Fault = true, FaultOtherType
	case err != nil:
		return key, err
	case len(raw) > maxValue:
		key.Size, key.Fault = len(raw), FaultTooLarge
	default:
		key.Size, key.Digest = len(raw), digest(raw)
		key.Value, key.Full, key.Fault = ParseValue(raw)
	}
	return key, nil
}

// digest names bytes without showing them.
func digest(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}
