package incident

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
)

const (
	archiveKey  = store.WatchPrefix + "archive" // sorted set of the ids of incidents that are over, by when that was
	archiveLife = 8 * 24 * time.Hour
)

// Archive records that an incident is over, for EverySince.
func (s *Incidents) Archive(ctx context.Context, id string, now time.Time) error {
	client, err := s.redis.Client(ctx)
	if err != nil {
		return err
	}
	pipe := client.Pipeline()
	pipe.ZAdd(ctx, archiveKey, redis.Z{Score: float64(now.UnixMilli()), Member: id})
	pipe.ZRemRangeByScore(ctx, archiveKey, "-inf", strconv.FormatInt(now.Add(-archiveLife).UnixMilli(), 10))
	pipe.PExpire(ctx, archiveKey, archiveLife)
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("archive an incident: %w", rdb.Classify(err))
	}
	return nil
}

// EverySince returns the open incidents, and those that were open since a time, at most
// archiveLife ago.
func (s *Incidents) EverySince(ctx context.Context, since time.Time) ([]Incident, error) {
	client, err := s.redis.Client(ctx)
	if err != nil {
		return nil, err
	}
	over, err := client.ZRangeByScore(ctx, archiveKey, &redis.ZRangeBy{Min: strconv.FormatInt(since.UnixMilli(), 10), Max: "+inf"}).Result()
	if err != nil {
		return nil, fmt.Errorf("list incidents that are over: %w", rdb.Classify(err))
	}
	incidents, err := s.OpenIncidents(ctx, nil)
	if err != nil {
		return nil, err
	}
	for _, id := range over {
		if slices.ContainsFunc(incidents, func(i Incident) bool { return i.ID == id }) { // it is retired just now
			continue
		}
		i, err := s.Incident(ctx, id)
		if errors.Is(err, ErrUnknownIncident) {
			continue
		}
		if err != nil {
			return nil, err
		}
		incidents = append(incidents, i)
	}
	return incidents, nil
}

// OpenOnce stores a new incident, and reports whether there was none with its id before.
// It returns lease.ErrLost if another process leads.
func (s *Incidents) OpenOnce(ctx context.Context, l lease.Lease, i Incident) (bool, error) {
	_, err := s.OpenIncident(ctx, l, i)
	if errors.Is(err, errConflict) {
		return false, nil
	}
	return err == nil, err
}
