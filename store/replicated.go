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
// have the latest writes, or that none is there which would have to.
var ErrNotReplicated = errors.New("a replica of Redis is missing or behind")

const (
	// replicaWithin is how long the replicas are waited for.
	replicaWithin = 500 * time.Millisecond
	// replicaLife is how long a replica counts that was seen connected: who was
	// there a moment ago may be made the master.
	replicaLife = 24 * time.Hour
)

// Replication is how the master of plans and jobs stands with its replicas.
type Replication struct {
	Connected int
	Told      bool // the server tells how many are connected; else those that acknowledge count
	Needed    bool // a replica has to have a job's record before its request is sent
}

// Replication asks the master of plans and jobs.
func (l *Ledger) Replication(ctx context.Context) (Replication, error) {
	master, err := l.state.master(ctx, replicaKey)
	if err != nil {
		return Replication{}, err
	}
	return l.state.replication(ctx, master)
}

// NoteReplicas remembers that a replica is connected, if one is.
func (l *Ledger) NoteReplicas(ctx context.Context) error {
	master, err := l.state.master(ctx, replicaKey)
	if err != nil {
		return err
	}
	n, _, err := replicasOf(ctx, master)
	if err != nil || n == 0 {
		return err
	}
	if err := master.Set(ctx, replicaKey, "", replicaLife).Err(); err != nil {
		return fmt.Errorf("note that a replica is connected: %w", Classify(err))
	}
	return nil
}

// Replicated returns nil once the record of a job, as it is given, is on every
// connected replica, and on at least one where one could take over.
//
// The record is saved once more on the connection that waits: the master that
// answers may be another than the one that took it before. ErrLeaseLost where
// that one knows nothing of the lease.
func (l *Ledger) Replicated(ctx context.Context, lease Lease, job Job) error {
	master, err := l.state.master(ctx, replicaKey)
	if err != nil {
		return err
	}
	r, err := l.state.replication(ctx, master)
	if err != nil || !r.Needed {
		return err
	}
	keys, args, err := savedJob(lease, job)
	if err != nil {
		return err
	}
	var held *redis.Cmd
	err = acknowledged(ctx, master, max(r.Connected, 1), func(pipe redis.Pipeliner) {
		if r.Connected > 0 {
			pipe.Set(ctx, replicaKey, "", replicaLife)
		}
		held = saveJob.Eval(ctx, pipe, keys, args...)
	})
	if held != nil && held.Err() == nil && held.Val() == int64(0) {
		return ErrLeaseLost
	}
	return err
}

// Replicated returns nil once every connected replica has all that the watch
// has written so far.
func (w *Watch) Replicated(ctx context.Context) error {
	master, err := w.state.master(ctx, watchSyncKey)
	if err != nil {
		return err
	}
	n, _, err := replicasOf(ctx, master)
	if err != nil || n == 0 {
		return err
	}
	return acknowledged(ctx, master, n, func(pipe redis.Pipeliner) { pipe.Set(ctx, watchSyncKey, "", jobLife) })
}

// acknowledged makes a write and waits for so many replicas. Redis replicates
// behind its answers: a replica that takes over may lack the last of them. WAIT
// waits for the writes of its own connection, and replicas take all writes in
// their order, so that one covers all before it.
func acknowledged(ctx context.Context, master redis.UniversalClient, replicas int, write func(redis.Pipeliner)) error {
	var acked *redis.Cmd
	_, err := master.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		write(pipe)
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

// master is the client of the server that holds the key.
func (r *Redis) master(ctx context.Context, key string) (redis.UniversalClient, error) {
	client, err := r.Client(ctx)
	if err != nil {
		return nil, err
	}
	cluster, ok := client.(*redis.ClusterClient)
	if !ok {
		return client, nil
	}
	master, err := cluster.MasterForKey(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("find the records' master: %w", Classify(err))
	}
	return master, nil
}

// replication tells whether a replica has to follow: one is connected, or could
// take over although it is not, because a Sentinel or the cluster knows of it or
// it was seen a while ago.
func (r *Redis) replication(ctx context.Context, master redis.UniversalClient) (Replication, error) {
	connected, told, err := replicasOf(ctx, master)
	seen := Replication{Connected: connected, Told: told, Needed: connected > 0 || r.sentinel}
	if err != nil || seen.Needed {
		return seen, err
	}
	if !r.alone() {
		nodes, err := master.ClusterNodes(ctx).Result()
		if err != nil {
			return seen, fmt.Errorf("ask the cluster for replicas: %w", Classify(err))
		}
		if seen.Needed = listsReplica(nodes); seen.Needed {
			return seen, nil
		}
	}
	noted, err := master.Exists(ctx, replicaKey).Result()
	if err != nil {
		return seen, fmt.Errorf("ask for an earlier replica: %w", Classify(err))
	}
	seen.Needed = noted > 0
	return seen, nil
}

// listsReplica tells whether a master's list of its cluster's nodes has a
// replica of itself, one that failed included. The fields of a line are the
// node's id, its address, its flags and its master's id.
func listsReplica(nodes string) bool {
	masters, self := map[string]bool{}, ""
	for line := range strings.Lines(nodes) {
		fields := strings.Fields(line)
		if len(fields) < 4 {
			continue
		}
		if strings.Contains(fields[2], "myself") {
			self = fields[0]
		}
		masters[fields[3]] = true
	}
	return masters[self]
}

// replicasOf counts the replicas that are connected. A server may not tell: its
// ACL forbids INFO, or it knows no such section. Then those are counted, one at
// least where there is one, that acknowledge what this connection wrote last.
func replicasOf(ctx context.Context, client redis.UniversalClient) (n int, told bool, err error) {
	info, err := client.Info(ctx, "replication").Result()
	if err != nil && !untold(err) {
		return 0, false, fmt.Errorf("ask for replicas: %w", Classify(err))
	}
	for line := range strings.Lines(info) {
		if count, found := strings.CutPrefix(strings.TrimSpace(line), "connected_slaves:"); found {
			n, err := strconv.Atoi(count)
			if err != nil {
				return 0, false, fmt.Errorf("ask for replicas: %w", err)
			}
			return n, true, nil
		}
	}
	n, err = client.Do(ctx, "WAIT", 1, replicaWithin.Milliseconds()).Int()
	if err != nil && !errors.Is(troubleOf(err), ErrNoCommand) { // who knows no WAIT has none to be waited for
		return 0, false, fmt.Errorf("wait for a replica: %w", Classify(err))
	}
	return n, false, nil
}
