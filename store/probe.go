package store

import (
	"context"
	"slices"
	"strings"
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
	client, err := r.client(ctx)
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
	err := r.masters(ctx, func(ctx context.Context, master *redis.Client) error {
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
	if err != nil && refusedTo(err) {
		return 0, ErrNotAllowed
	}
	return furthest, silence(err)
}

// sampleScans bounds a sample: so many SCANs of each master.
const sampleScans = 3

// Sample is a look at some of the sessions. What it does not show may be there
// all the same.
type Sample struct {
	Keys     int // looked at, but for those of our own
	Sessions int
	Layouts  map[Layout]int
	Live     int // by their ids
	Test     int
}

// Sample looks at the first few thousand keys of each master, and reads up to a
// few hundred sessions that it meets there.
func (r *Redis) Sample(ctx context.Context) (Sample, error) {
	var mu sync.Mutex
	s, known := Sample{Layouts: map[Layout]int{}}, map[string]bool{}
	err := r.masters(ctx, func(ctx context.Context, master *redis.Client) error {
		var cursor uint64
		for range sampleScans {
			keys, next, err := master.Scan(ctx, cursor, "", scanCount).Result()
			if err != nil {
				return err
			}
			keys = slices.DeleteFunc(keys, isOurs)
			mu.Lock()
			sessions, err := r.some(ctx, keys, known)
			s.add(len(keys), sessions)
			mu.Unlock()
			if err != nil {
				return err
			}
			if cursor = next; cursor == 0 {
				return nil
			}
		}
		return nil
	})
	return s, silence(err)
}

// some reads some of the sessions that are met at the keys, but for those that
// are known.
func (r *Redis) some(ctx context.Context, keys []string, known map[string]bool) ([]Session, error) {
	var ids []string
	for _, key := range keys {
		if id := string(sessionOf([]byte(key))); id != "" && !known[id] && len(ids) < readSize {
			known[id] = true
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	return r.look(ctx, ids, "")
}

func (s *Sample) add(keys int, sessions []Session) {
	s.Keys += keys
	s.Sessions += len(sessions)
	for _, one := range sessions {
		s.Layouts[one.Layout()]++
		switch {
		case strings.HasPrefix(one.ID, "cs_live_"):
			s.Live++
		case strings.HasPrefix(one.ID, "cs_test_"):
			s.Test++
		}
	}
}
