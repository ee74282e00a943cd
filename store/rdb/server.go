package rdb

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Server is what Redis reports about itself: of a cluster the sums over its masters.
// Zero also means that it is not reported.
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

// Ping pings every master and returns how long the slowest took.
func (r *Redis) Ping(ctx context.Context) (time.Duration, error) {
	times, err := EachMaster(ctx, r, ping)
	if err != nil {
		return 0, err
	}
	return slices.Max(times), nil
}

func ping(ctx context.Context, master *redis.Client) (time.Duration, error) {
	start := time.Now()
	err := master.Ping(ctx).Err()
	return time.Since(start), err
}

// Server returns what the masters report about themselves.
func (r *Redis) Server(ctx context.Context) (Server, error) {
	servers, err := EachMaster(ctx, r, server)
	var total Server
	for _, s := range servers {
		total.UsedMemoryBytes += s.UsedMemoryBytes
		total.UsedMemoryPeakBytes += s.UsedMemoryPeakBytes
		total.MaxMemoryBytes += s.MaxMemoryBytes
		total.Keys += s.Keys
		total.PingMS = max(total.PingMS, s.PingMS)
		total.Version, total.MaxMemoryPolicy = s.Version, s.MaxMemoryPolicy
		total.EvictedKeys += s.EvictedKeys
		total.ConnectedClients += s.ConnectedClients
		total.Nodes++
	}
	if slices.ContainsFunc(servers, func(s Server) bool { return s.MaxMemoryBytes == 0 }) {
		total.MaxMemoryBytes = 0 // one node without a limit: the whole has none
	}
	return total, err
}

// server asks one master. INFO may be refused, in whatever words, or have fewer
// fields than Redis' own.
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
	if err != nil && !declined(err) {
		return Server{}, err
	}
	s := parseInfo(text)
	s.Keys, s.PingMS = keys, float64(took)/float64(time.Millisecond)
	return s, nil
}

// parseInfo parses the answer to INFO. A missing or malformed field is 0.
func parseInfo(text string) Server {
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		fields[name] = value
	}
	number := func(name string) int64 {
		n, err := strconv.ParseInt(fields[name], 10, 64)
		if err != nil {
			return 0
		}
		return n
	}
	return Server{UsedMemoryBytes: number("used_memory"), UsedMemoryPeakBytes: number("used_memory_peak"), MaxMemoryBytes: number("maxmemory"),
		EvictedKeys: number("evicted_keys"), ConnectedClients: number("connected_clients"),
		Version: fields["redis_version"], MaxMemoryPolicy: fields["maxmemory_policy"]}
}

// Topology is how the servers of a Redis are deployed.
type Topology string

// The topologies.
const (
	SingleServer   Topology = "a single server"
	BehindSentinel Topology = "a Sentinel's master"
	InCluster      Topology = "a cluster"
)

// Topology returns how the servers are deployed.
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

// Clock returns how far Redis' clock is ahead of ours; of a cluster's masters that
// of the one furthest off. It returns ErrNotAllowed if TIME is not permitted.
func (r *Redis) Clock(ctx context.Context, now func() time.Time) (time.Duration, error) {
	offsets, err := EachMaster(ctx, r, func(ctx context.Context, master *redis.Client) (time.Duration, error) {
		sent := now()
		at, err := master.Time(ctx).Result()
		return at.Sub(sent.Add(now().Sub(sent) / 2)), err
	})
	if Permanent(err) {
		return 0, ErrNotAllowed
	}
	if err != nil {
		return 0, err
	}
	return slices.MaxFunc(offsets, func(a, b time.Duration) int { return cmp.Compare(a.Abs(), b.Abs()) }), nil
}
