package rdb

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Server is what Redis tells about itself: in a cluster the sums over its
// masters. Zero also stands for what a server does not tell.
type Server struct {
	UsedMemoryBytes     int64   `json:"used_memory_bytes"`
	UsedMemoryPeakBytes int64   `json:"used_memory_peak_bytes"`
	MaxMemoryBytes      int64   `json:"maxmemory_bytes"` // 0 = no limit
	Keys                int64   `json:"keys"`
	PingMS              float64 `json:"ping_ms"` // of the slowest
	Version             string  `json:"version"`
	EvictedKeys         int64   `json:"evicted_keys"`
	ConnectedClients    int64   `json:"connected_clients"`
	MaxMemoryPolicy     string  `json:"maxmemory_policy,omitempty"`
	Nodes               int     `json:"nodes"` // masters
}

// Ping asks every master for a sign of life, and returns how long the slowest
// took.
func (r *Redis) Ping(ctx context.Context) (time.Duration, error) {
	var mu sync.Mutex
	var slowest time.Duration
	err := r.Masters(ctx, func(ctx context.Context, master *redis.Client) error {
		took, err := ping(ctx, master)
		mu.Lock()
		defer mu.Unlock()
		slowest = max(slowest, took)
		return err
	})
	return slowest, Classify(err)
}

func ping(ctx context.Context, master *redis.Client) (time.Duration, error) {
	start := time.Now()
	err := master.Ping(ctx).Err()
	return time.Since(start), err
}

// Server asks every master about itself.
func (r *Redis) Server(ctx context.Context) (Server, error) {
	var mu sync.Mutex
	var total Server
	limited := true
	err := r.Masters(ctx, func(ctx context.Context, master *redis.Client) error {
		one, err := server(ctx, master)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		limited = limited && one.MaxMemoryBytes > 0
		total.add(one)
		return nil
	})
	if err != nil {
		return Server{}, Classify(err)
	}
	if !limited { // a limit that one node has not is none of the whole
		total.MaxMemoryBytes = 0
	}
	return total, nil
}

func (s *Server) add(one Server) {
	s.UsedMemoryBytes += one.UsedMemoryBytes
	s.UsedMemoryPeakBytes += one.UsedMemoryPeakBytes
	s.MaxMemoryBytes += one.MaxMemoryBytes
	s.Keys += one.Keys
	s.PingMS = max(s.PingMS, one.PingMS)
	s.Version = one.Version
	s.EvictedKeys += one.EvictedKeys
	s.ConnectedClients += one.ConnectedClients
	s.MaxMemoryPolicy = one.MaxMemoryPolicy
	s.Nodes += one.Nodes
}

// server asks one. INFO may be refused, in whatever words, or know less than Redis' own.
func server(ctx context.Context, master *redis.Client) (Server, error) {
	took, err := ping(ctx, master)
	if err != nil {
		return Server{}, err
	}
	keys, err := master.DBSize(ctx).Result()
	if err != nil {
		return Server{}, err
	}
	text, err := master.Info(ctx).Result()
	if err != nil && !infoDenied(err) {
		return Server{}, err
	}
	s := parseInfo(text)
	s.Keys, s.PingMS, s.Nodes = keys, float64(took)/float64(time.Millisecond), 1
	return s, nil
}

// parseInfo reads the answer to INFO. What is not there, or not a number, is 0.
func parseInfo(text string) Server {
	var s Server
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			n = 0
		}
		switch name {
		case "used_memory":
			s.UsedMemoryBytes = n
		case "used_memory_peak":
			s.UsedMemoryPeakBytes = n
		case "maxmemory":
			s.MaxMemoryBytes = n
		case "evicted_keys":
			s.EvictedKeys = n
		case "connected_clients":
			s.ConnectedClients = n
		case "redis_version":
			s.Version = value
		case "maxmemory_policy":
			s.MaxMemoryPolicy = value
		}
	}
	return s
}

// Topology is how the servers of a Redis stand together.
type Topology string

// The topologies.
const (
	SingleServer   Topology = "a single server"
	BehindSentinel Topology = "a Sentinel's master"
	InCluster      Topology = "a cluster"
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
		return BehindSentinel, nil
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
	if err != nil && Permanent(Classify(err)) {
		return 0, ErrNotAllowed
	}
	return furthest, Classify(err)
}
