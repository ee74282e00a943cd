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
	replicaWithin = 500 * time.Millisecond
	// ReplicaLife is how long a replica counts after it was seen connected: one that
	// was there a moment ago may become the master.
	ReplicaLife = 24 * time.Hour
)

// Replication is the state of a master's replicas.
type Replication struct {
	Connected int
	Reported  bool // by the server; else those that acknowledged were counted
	Needed    bool // a write counts only once a replica has it
}

// NoteReplicas records under a key whether its master has a replica connected.
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

// Acknowledge writes on the master of a key and returns nil once so many of its
// replicas have the write, else ErrNotReplicated. Redis replicates asynchronously: a
// replica that takes over may lack the last writes. WAIT waits for the writes of its
// own connection, and replicas apply all writes in order, so one covers all before it.
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

// master returns the client of the server that holds the key.
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

// Replication returns the state of the master of a key that NoteReplicas uses. A
// write needs a replica if one is connected, or could take over although it is not:
// because a Sentinel or the cluster knows it, or it was seen within ReplicaLife.
func (r *Redis) Replication(ctx context.Context, key string) (Replication, error) {
	master, err := r.master(ctx, key)
	if err != nil {
		return Replication{}, err
	}
	connected, reported, err := connectedReplicas(ctx, master)
	result := Replication{Connected: connected, Reported: reported, Needed: connected > 0 || r.sentinel}
	if err != nil || result.Needed {
		return result, err
	}
	topology, err := r.Topology(ctx)
	if err != nil {
		return result, err
	}
	if topology == InCluster {
		nodes, err := master.ClusterNodes(ctx).Result()
		if err != nil {
			return result, fmt.Errorf("list the cluster's nodes: %w", Classify(err))
		}
		if result.Needed = listsReplica(nodes); result.Needed {
			return result, nil
		}
	}
	noted, err := master.Exists(ctx, key).Result()
	if err != nil {
		return result, fmt.Errorf("look for an earlier replica: %w", Classify(err))
	}
	result.Needed = noted > 0
	return result, nil
}

// listsReplica reports whether the answer to CLUSTER NODES lists a replica of the
// node that answered, one that failed included. The fields of a line are the node's
// id, its address, its flags and its master's id.
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

// connectedReplicas returns how many replicas are connected. If the server does not
// report it, because its ACL forbids INFO or it has no such section, those are
// counted, at least one if there is one, that acknowledge this connection's last write.
func connectedReplicas(ctx context.Context, client redis.UniversalClient) (n int, reported bool, err error) {
	info, err := client.Info(ctx, "replication").Result()
	if err != nil && !declined(err) {
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
	if err != nil && !errors.Is(kindOf(err), ErrNoCommand) { // without WAIT it has no replicas
		return 0, false, fmt.Errorf("wait for a replica: %w", Classify(err))
	}
	return n, false, nil
}
