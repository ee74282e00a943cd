package presence

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store/rdb"
)

const (
	sharePrefix = "sessionbot:share:"
	claimPrefix = "sessionbot:share-claim:"
)

// SharedRequests keeps the requests behind Share buttons, so that any replica can run
// them again.
type SharedRequests struct{ redis *rdb.Redis }

// NewSharedRequests returns the requests in the bot's own Redis.
func NewSharedRequests(redis *rdb.Redis) *SharedRequests { return &SharedRequests{redis: redis} }

// Save stores a request under an opaque id for the ttl.
func (s *SharedRequests) Save(ctx context.Context, id, request string, ttl time.Duration) error {
	client, err := s.redis.Client(ctx)
	if err != nil {
		return err
	}
	if err := client.Set(ctx, sharePrefix+id, request, ttl).Err(); err != nil {
		return fmt.Errorf("save a shared request: %w", rdb.Classify(err))
	}
	return nil
}

// Load returns the request, "" if it has expired.
func (s *SharedRequests) Load(ctx context.Context, id string) (string, error) {
	client, err := s.redis.Client(ctx)
	if err != nil {
		return "", err
	}
	request, err := client.Get(ctx, sharePrefix+id).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return "", fmt.Errorf("load a shared request: %w", rdb.Classify(err))
	}
	return request, nil
}

// Unclaim releases a claim.
func (s *SharedRequests) Unclaim(ctx context.Context, id string) error {
	client, err := s.redis.Client(ctx)
	if err != nil {
		return err
	}
	if err := client.Del(ctx, claimPrefix+id).Err(); err != nil {
		return fmt.Errorf("release a share: %w", rdb.Classify(err))
	}
	return nil
}

// Claim reports whether the caller is the first with this id within the ttl.
func (s *SharedRequests) Claim(ctx context.Context, id string, ttl time.Duration) (bool, error) {
	client, err := s.redis.Client(ctx)
	if err != nil {
		return false, err
	}
	err = client.SetArgs(ctx, claimPrefix+id, "", redis.SetArgs{Mode: "NX", TTL: ttl}).Err()
	if errors.Is(err, redis.Nil) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("claim a share: %w", rdb.Classify(err))
	}
	return true, nil
}
