package store

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Topology is how the servers of a Redis stand together.
type Topology string

// The topologies.
const (
	SingleServer Topology = "a single server"
	BehindWatch  Topology = "a Sentinel's master"
	InCluster    Topology = "a cluster"
)

// Topology tells how the servers stand together.
func (r *Redis) Topology(ctx context.Context) (Topology, error) {
	client, err := r.Client(ctx)
	if err != nil {
		return "", err
	}
	if _, ok := client.(*redis.ClusterClient); ok {
		return InCluster, nil
	}
	if r.sentinel {
		return BehindWatch, nil
	}
	return SingleServer, nil
}

// Clock is how far Redis' clock is ahead of ours, in a cluster that of the
// master which is furthest off. ErrNotAllowed where it may not be asked.
func (r *Redis) Clock(ctx context.Context, now func() time.Time) (time.Duration, error) {
	var mu sync.Mutex
	var furthest time.Duration
	err := r.Masters(ctx, func(ctx context.Context, master *redis.Client) error {
		asked := now()
		at, err := master.Time(ctx).Result()
		if err != nil {
			return err
		}
		ahead := at.Sub(asked.Add(now().Sub(asked) / 2))
		mu.Lock()
		defer mu.Unlock()
		if ahead.Abs() > furthest.Abs() {
			furthest = ahead
		}
		return nil
	})
	if err != nil && Impossible(Classify(err)) {
		return 0, ErrNotAllowed
	}
	return furthest, Classify(err)
}
