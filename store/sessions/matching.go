package sessions

import (
	"context"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
)

const (
	scanCount  = 500 // keys that one SCAN looks at: Redis is held for a millisecond or less
	maxMatches = 10  // per master; more would not help
)

// Matching returns the sessions in Redis that a shortened id may mean, at most
// maxMatches of each master.
func (r Reader) Matching(ctx context.Context, short store.ShortID) ([]string, error) {
	found, err := rdb.EachMaster(ctx, r.Redis, func(ctx context.Context, master *redis.Client) ([]string, error) {
		return scanMatching(ctx, master, short)
	})
	if err != nil {
		return nil, fmt.Errorf("find a shortened id: %w", err)
	}
	ids := slices.Concat(found...)
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

func scanMatching(ctx context.Context, master *redis.Client, short store.ShortID) ([]string, error) {
	var ids []string
	for cursor := uint64(0); ; {
		keys, next, err := master.Scan(ctx, cursor, short.KeyPattern(), scanCount).Result()
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			if id, ok := store.SessionOf(key); ok && short.Matches(id) && !slices.Contains(ids, id) {
				if ids = append(ids, id); len(ids) == maxMatches {
					return ids, nil
				}
			}
		}
		if cursor = next; cursor == 0 {
			return ids, nil
		}
	}
}
