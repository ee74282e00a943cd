// Package sessions reads and writes the product's keys.
package sessions

import (
	"context"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
)

// readSize is how many sessions one round trip reads.
const readSize = 100

// Reader reads the product's keys.
type Reader struct{ Redis *rdb.Redis }

// Session reads a session in one round trip, in a cluster one per node, concurrently.
// That a key is missing is no error.
func (r Reader) Session(ctx context.Context, id string) (store.Session, error) {
	sessions, err := r.Sessions(ctx, []string{id})
	if err != nil {
		return store.Session{}, err
	}
	return sessions[0], nil
}

// Sessions reads several sessions, a hundred in a round trip, in the order of
// the ids.
func (r Reader) Sessions(ctx context.Context, ids []string) ([]store.Session, error) {
	client, err := r.Redis.Client(ctx)
	if err != nil {
		return nil, err
	}
	sessions := make([]store.Session, 0, len(ids))
	for chunk := range slices.Chunk(ids, readSize) {
		replies := make([][3]reply, len(chunk))
		pipe := client.Pipeline()
		for i, id := range chunk {
			replies[i] = request(ctx, pipe, id)
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

// request queues the commands that read a session's keys.
func request(ctx context.Context, pipe redis.Pipeliner, id string) (replies [3]reply) {
	for k, prefix := range store.KeyPrefixes {
		// One byte more than is accepted shows that there is more.
		replies[k] = reply{value: pipe.GetRange(ctx, prefix+id, 0, rdb.MaxValue), ttl: pipe.PTTL(ctx, prefix+id)}
	}
	return replies
}

// readSession returns the session of the answers.
func readSession(id string, replies [3]reply) (store.Session, error) {
	s := store.Session{ID: id}
	for k, key := range []*store.Key{&s.Prompt, &s.Webhook, &s.SessionKey} { // as in KeyPrefixes
		kind := store.KeyPrefixes[k][:len(store.KeyPrefixes[k])-1]
		var err error
		if *key, err = replies[k].key(kind); err != nil {
			return store.Session{}, fmt.Errorf("read a session's %s key: %w", kind, rdb.Classify(err))
		}
	}
	return s, nil
}

// reply is the answers about one key.
type reply struct {
	value *redis.StringCmd
	ttl   *redis.DurationCmd
}

func (r reply) key(kind string) (store.Key, error) {
	key := store.Key{Kind: kind}
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
		key.WrongType, key.Fault = true, store.FaultOtherType
	case err != nil:
		return key, err
	case len(raw) > rdb.MaxValue:
		key.Size, key.Fault = len(raw), store.FaultTooLarge
	default:
		key.Size, key.Digest = len(raw), store.Digest(raw)
		key.Value, key.Full, key.Fault = store.ParseValue(raw)
	}
	return key, nil
}
