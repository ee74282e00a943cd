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

// Session reads all that Redis holds of a session in one round trip; of a
// cluster's nodes each is asked once, all at the same time. What is missing is
// no error: the keys say so.
func (r *Redis) Session(ctx context.Context, id string) (Session, error) {
	sessions, err := r.sessions(ctx, []string{id})
	if err != nil {
		return Session{}, err
	}
	return sessions[0], nil
}

// sessions reads several sessions in one round trip, in the order of the ids.
func (r *Redis) sessions(ctx context.Context, ids []string) ([]Session, error) {
	sessions, _, err := r.heads(ctx, ids, maxValue, keyOrder[:])
	return sessions, err
}

// heads is sessions for values of at most so many bytes of the keys with these
// prefixes; others count as missing. Of longer ones nothing can be told; long
// names the sessions that have one.
func (r *Redis) heads(ctx context.Context, ids []string, most int, keys []string) (sessions []Session, long []int, err error) {
	client, err := r.client(ctx)
	if err != nil {
		return nil, nil, err
	}
	replies := make([][3]reply, len(ids))
	pipe := client.Pipeline()
	for i, id := range ids {
		replies[i] = question(ctx, pipe, id, most, keys)
	}
	// Exec returns the first error of any command; each is looked at below.
	_, _ = pipe.Exec(ctx)
	sessions = make([]Session, len(ids))
	for i, id := range ids {
		if sessions[i], err = readSession(id, replies[i], most); err != nil {
			return nil, nil, err
		}
		if slices.ContainsFunc(sessions[i].Keys(), func(k Key) bool { return k.Fault == faultTooLarge }) {
			long = append(long, i)
		}
	}
	return sessions, long, nil
}

// question asks for a session's keys with these prefixes.
func question(ctx context.Context, pipe redis.Pipeliner, id string, most int, keys []string) (asked [3]reply) {
	for k, prefix := range keyOrder {
		if slices.Contains(keys, prefix) {
			// One byte more than is accepted shows that there is more.
			asked[k] = reply{value: pipe.GetRange(ctx, prefix+id, 0, int64(most)), ttl: pipe.PTTL(ctx, prefix+id)}
		}
	}
	return asked
}

// readSession makes a session of the answers. What was not asked for counts as
// missing.
func readSession(id string, replies [3]reply, most int) (Session, error) {
	s := Session{ID: id}
	for k, key := range s.places() {
		kind := keyOrder[k][:len(keyOrder[k])-1]
		if replies[k].ttl == nil {
			*key = Key{Kind: kind}
			continue
		}
		var err error
		if *key, err = replies[k].key(kind, most); err != nil {
			return Session{}, fmt.Errorf("read a session's %s key: %w", kind, silence(err))
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

func (r reply) key(kind string, most int) (Key, error) {
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
		key.Other, key.Fault = true, faultOtherType
	case err != nil:
		return key, err
	case len(raw) > most:
		key.Size, key.Fault = len(raw), faultTooLarge
	default:
		key.Size = len(raw)
		if most == maxValue { // nobody compares what a sweep read
			key.Digest = digest(raw)
		}
		key.Value, key.Full, key.Fault = ParseValue(raw)
	}
	return key, nil
}

// digest names bytes without showing them.
func digest(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}
