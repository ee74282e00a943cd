package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrNotReplicated means that a replica which could become the master does not
// have the latest writes yet.
var ErrNotReplicated = errors.New("a replica of Redis is behind")

// replicaWithin is how long the replicas are waited for.
const replicaWithin = 500 * time.Millisecond

// Replicated returns nil once every connected replica has all that the ledger
// has written so far.
func (l *Ledger) Replicated(ctx context.Context) error { return l.state.replicated(ctx, syncKey) }

// Replicated returns nil once every connected replica has all that the watch
// has written so far.
func (w *Watch) Replicated(ctx context.Context) error { return w.state.replicated(ctx, watchSyncKey) }

// replicated waits for the replicas of the master that holds the key. Redis
// replicates behind its answers: a replica that takes over may lack the last of
// them.
func (r *Redis) replicated(ctx context.Context, key string) error {
	client, err := r.Client(ctx)
	if err != nil {
		return err
	}
	if cluster, ok := client.(*redis.ClusterClient); ok {
		if client, err = cluster.MasterForKey(ctx, key); err != nil {
			return fmt.Errorf("find the records' master: %w", Classify(err))
		}
	}
	replicas, err := replicasOf(ctx, client)
	if err != nil || replicas == 0 {
		return err
	}
	var acked *redis.Cmd
	// WAIT waits for the writes of its own connection, and replicas take all
	// writes in their order: so one more is made on the same connection.
	_, err = client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.Set(ctx, key, "", jobLife)
		acked = pipe.Do(ctx, "WAIT", replicas, replicaWithin.Milliseconds())
		return nil
	})
	if err != nil {
		return fmt.Errorf("wait for the replicas: %w", Classify(err))
	}
	if n, err := acked.Int(); err != nil || n < replicas {
		return ErrNotReplicated
	}
	return nil
}

// replicasOf counts the replicas that are connected. A server that does not tell
// (its ACL forbids INFO, or it knows no such section) is taken for one without.
func replicasOf(ctx context.Context, client redis.UniversalClient) (int, error) {
	info, err := client.Info(ctx, "replication").Result()
	var answered redis.Error
	switch {
	case errors.As(err, &answered):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("ask for replicas: %w", Classify(err))
	}
	for line := range strings.Lines(info) {
		if count, found := strings.CutPrefix(strings.TrimSpace(line), "connected_slaves:"); found {
			n, err := strconv.Atoi(count)
			if err != nil {
				return 0, fmt.Errorf("ask for replicas: %w", err)
			}
			return n, nil
		}
	}
	return 0, nil
}
