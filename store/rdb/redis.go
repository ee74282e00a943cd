// Package rdb connects to Redis, be it one server, a Sentinel's master or a cluster, and
// names what goes wrong there.
package rdb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"github.com/superduperai/sessionbot/internal/breaker"
)

// The library logs addresses and server texts on a logger of its own. All of it
// reaches us as errors, too.
func init() { logging.Disable() }

// Redis is one Redis server, a Sentinel's master or a cluster. It connects when it
// is used, and is safe for concurrent use.
type Redis struct {
	single   *redis.Options   // set while it is not known whether it is a cluster
	asking   *breaker.Breaker // for the request that finds out
	sentinel bool             // a Sentinel knows which server is the master

	mu    sync.Mutex
	known redis.UniversalClient // nil until the topology is known
}

// openWithin bounds how long Open waits for a Redis.
const openWithin = time.Second

// Open returns the Redis that the URL names: redis:// or rediss://, several addr=
// parameters for a cluster, master_name= for a Sentinel. It returns a *URLError for
// a URL that cannot be used, and ErrClusterDatabase for a database number on a
// cluster.
//
// It detects whether a single address is a cluster. If there is no answer that is no
// error: each use tries again until there is one.
func Open(ctx context.Context, rawURL string) (*Redis, error) {
	r, err := parse(rawURL)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	if _, err := r.Client(ctx); errors.Is(err, ErrClusterDatabase) {
		return nil, err
	}
	return r, nil
}

// Close closes all connections.
func (r *Redis) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil {
		return nil
	}
	return r.known.Close()
}

// Client returns the client for the topology, and finds that out if it is not known.
func (r *Redis) Client(ctx context.Context) (redis.UniversalClient, error) {
	r.mu.Lock()
	known := r.known
	r.mu.Unlock()
	if known != nil {
		return known, nil
	}
	// Without the lock: a frozen server must not block callers with a nearer deadline.
	var cluster bool
	err := r.asking.Do(func() (err error) {
		cluster, err = detectCluster(ctx, *r.single)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ask Redis what it is: %w", Classify(err))
	}
	if cluster && r.single.DB != 0 {
		return nil, ErrClusterDatabase
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.known != nil: // another goroutine was quicker
	case cluster:
		r.known = newCluster(clusterOf(r.single))
	default:
		r.known = guarded(redis.NewClient(r.single))
	}
	return r.known, nil
}

// Run runs a script, whose keys all lie in one slot.
func (r *Redis) Run(ctx context.Context, script *redis.Script, keys []string, args ...any) *redis.Cmd {
	client, err := r.Client(ctx)
	if err != nil {
		cmd := redis.NewCmd(ctx)
		cmd.SetErr(err)
		return cmd
	}
	return script.Run(ctx, client, keys, args...)
}

// detectCluster reports whether the server is a cluster's. It asks in database 0, the
// only one that every server has. If INFO is forbidden, by the ACL or the service, it
// is a cluster if it has slots. A Sentinel, which holds no keys, is ErrSentinel.
func detectCluster(ctx context.Context, options redis.Options) (bool, error) {
	options.DB = 0
	probe := redis.NewClient(&options)
	defer func() { _ = probe.Close() }() // it only answered INFO
	info, err := probe.Info(ctx).Result()
	switch {
	case declined(err):
		slots, err := probe.Do(ctx, "CLUSTER", "SLOTS").Slice()
		if err != nil && !declined(err) {
			return false, err
		}
		return len(slots) > 0, nil
	case err != nil:
		return false, err
	case strings.Contains(info, "redis_mode:sentinel"):
		return false, ErrSentinel
	}
	return strings.Contains(info, "cluster_enabled:1"), nil
}

// declined reports whether Redis answered that it does not carry out a command, which is
// for commands that are not required: it lacks the permission or the command, or the answer
// is of no kind, since services refuse in words of their own.
func declined(err error) bool {
	var answered redis.Error
	kind := kindOf(err)
	return errors.As(err, &answered) && (kind == nil || Permanent(kind))
}

// Masters calls fn for every server that holds keys, in a cluster concurrently,
// and returns the first error, as the library gave it. EachMaster collects answers.
func (r *Redis) Masters(ctx context.Context, fn func(context.Context, *redis.Client) error) error {
	client, err := r.Client(ctx)
	if err != nil {
		return err
	}
	if cluster, ok := client.(*redis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, fn)
	}
	single, _ := client.(*redis.Client) // there is no third kind
	return fn(ctx, single)
}

// EachMaster is Masters for a function with an answer: it returns the answers of all, in
// no order, or the first error, classified.
func EachMaster[T any](ctx context.Context, r *Redis, ask func(context.Context, *redis.Client) (T, error)) ([]T, error) {
	var mu sync.Mutex
	var answers []T
	err := r.Masters(ctx, func(ctx context.Context, master *redis.Client) error {
		answer, err := ask(ctx, master)
		mu.Lock()
		defer mu.Unlock()
		answers = append(answers, answer)
		return err
	})
	if err != nil {
		return nil, Classify(err)
	}
	return answers, nil
}
