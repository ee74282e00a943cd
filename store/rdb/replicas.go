package rdb

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
	// ReplicaLife is how long a replica counts that was seen connected: who was
	// there a moment ago may be made the master.
	ReplicaLife = 24 * time.Hour
)

// Replication is how a master stands with its replicas.
type Replication struct {
	Connected int
	Reported  bool // the server tells how many are connected; else those that acknowledge count
	Needed    bool // a replica has to have a write before anybody may rely on it
}

// NoteReplicas remembers under a key that its master has a replica connected, if
// it has.
func (r *Redis) NoteReplicas(ctx context.Context, key string) error {
	master, err := r.master(ctx, key)
	if err != nil {
		return err
	}
	n, _, err := connectedReplicas(ctx, master)
	if err != nil || n == 0 {
		return err
	}
	if err := master.Set(ctx, key, "", ReplicaLife).Err(); err != nil {
		return fmt.Errorf("note that a replica is connected: %w", Classify(err))
	}
	return nil
}

// Acknowledge makes a write on the master of a key and returns nil once so many of
// its replicas have it. Redis replicates behind its answers: a replica that takes
// over may lack the last of them. WAIT waits for the writes of its own connection,
// and replicas take all writes in their order, so that one covers all before it.
func (r *Redis) Acknowledge(ctx context.Context, key string, replicas int, write func(redis.Pipeliner)) error {
	master, err := r.master(ctx, key)
	if err != nil {
		return err
	}
	var acked *redis.Cmd
	_, err = master.Pipelined(ctx, func(pipe redis.Pipeliner) error {
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

// Replication asks the master of a key under which NoteReplicas notes whether a
// replica has to follow: one is connected, or could take over although it is not,
// because a Sentinel or the cluster knows of it or it was seen a while ago.
func (r *Redis) Replication(ctx context.Context, key string) (Replication, error) {
	master, err := r.master(ctx, key)
	if err != nil {
		return Replication{}, err
	}
	connected, told, err := connectedReplicas(ctx, master)
	seen := Replication{Connected: connected, Reported: told, Needed: connected > 0 || r.sentinel}
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
	noted, err := master.Exists(ctx, key).Result()
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

// connectedReplicas counts the replicas that are connected. A server may not tell: its
// ACL forbids INFO, or it knows no such section. Then those are counted, one at
// least where there is one, that acknowledge what this connection wrote last.
func connectedReplicas(ctx context.Context, client redis.UniversalClient) (n int, told bool, err error) {
	info, err := client.Info(ctx, "replication").Result()
	if err != nil && !infoDenied(err) {
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
	if err != nil && !errors.Is(kindOf(err), ErrNoCommand) { // who knows no WAIT has none to be waited for
		return 0, false, fmt.Errorf("wait for a replica: %w", Classify(err))
	}
	return n, false, nil
}
