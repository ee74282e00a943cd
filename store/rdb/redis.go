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

// ErrClusterDatabase means that the URL names a database number and the server
// is a cluster, which has but one database.
var ErrClusterDatabase = errors.New("a Redis cluster has no numbered databases: take the number out of the URL")

// The library logs addresses and server texts by itself, on a logger of its
// own. All that it has to say reaches us as errors.
func init() { logging.Disable() }

// Redis is one Redis server, a Sentinel's master or a cluster. It connects by
// itself whenever it is used, and is safe for use by several goroutines.
type Redis struct {
	now      func() time.Time
	single   *redis.Options   // set where INFO has yet to tell a server from a cluster
	asking   *breaker.Breaker // for that request
	sentinel bool             // a Sentinel says which server is the master

	mu    sync.Mutex
	known redis.UniversalClient // nil until the topology is known
}

// openWithin is how long a Redis is asked what it is before it counts as away.
const openWithin = time.Second

// Open prepares the way to the Redis that the URL names: redis:// or rediss://,
// several addr= parameters for a cluster, master_name= for a Sentinel. A URL
// that cannot be used is a *URLError, a database number on a cluster
// ErrClusterDatabase.
//
// Whether a single address is a cluster is asked now. A Redis that is away is
// no error: it is asked again at each use until it answers.
func Open(ctx context.Context, rawURL string) (*Redis, error) {
	r, err := parse(rawURL)
	if err != nil {
		return nil, err
	}
	r.now = time.Now
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	if _, err := r.Client(ctx); errors.Is(err, ErrClusterDatabase) {
		return nil, err
	}
	return r, nil
}

// Close ends all connections.
func (r *Redis) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil {
		return nil
	}
	return r.known.Close()
}

// Client is the client that fits the topology, which is asked for where it is
// not known yet.
func (r *Redis) Client(ctx context.Context) (redis.UniversalClient, error) {
	r.mu.Lock()
	known := r.known
	r.mu.Unlock()
	if known != nil {
		return known, nil
	}
	// Asked without the lock: a silent server must not hold up those whose
	// deadline is nearer.
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
	case r.known != nil: // somebody else was quicker
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

// alone tells whether one server is known to hold all keys.
func (r *Redis) alone() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, alone := r.known.(*redis.Client)
	return alone
}

// detectCluster asks the server in database 0, the only one that every server has.
// One that does not tell of itself (its ACL, or who runs it, forbids INFO) is a
// cluster if it has a cluster's slots. ErrSentinel where it holds no keys at all.
func detectCluster(ctx context.Context, options redis.Options) (bool, error) {
	options.DB = 0
	probe := redis.NewClient(&options)
	defer func() { _ = probe.Close() }() // nothing hangs on it any more
	info, err := probe.Info(ctx).Result()
	switch {
	case infoDenied(err):
		slots, err := probe.Do(ctx, "CLUSTER", "SLOTS").Slice()
		if err != nil && !infoDenied(err) {
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

// infoDenied tells whether Redis answered, and merely does not tell this: it serves
// what else it is asked.
func infoDenied(err error) bool {
	var answered redis.Error
	kind := kindOf(err)
	return errors.As(err, &answered) && (kind == nil || Permanent(kind))
}

// Masters calls fn for every server that holds keys, in a cluster at the same
// time, and returns the first error.
func (r *Redis) Masters(ctx context.Context, fn func(context.Context, *redis.Client) error) error {
	client, err := r.Client(ctx)
	if err != nil {
		return err
	}
	switch client := client.(type) {
	case *redis.ClusterClient:
		return client.ForEachMaster(ctx, fn)
	case *redis.Client:
		return fn(ctx, client)
	}
	return fmt.Errorf("no way to the masters of a %T", client)
}
