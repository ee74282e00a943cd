package redistest

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// slots is the number of hash slots of a Redis cluster.
const slots = 16384

// Cluster is a Redis cluster of masters without replicas.
type Cluster struct {
	Nodes  []*Server
	client *redis.ClusterClient
}

// StartCluster runs a cluster of three masters until the test ends. Each holds
// a third of the slots.
func StartCluster(t testing.TB) *Cluster {
	t.Helper()
	c := &Cluster{}
	for range 3 {
		c.Nodes = append(c.Nodes, startNode(t))
	}
	ctx, cancel := context.WithTimeout(t.Context(), readyWithin)
	defer cancel()
	for i, node := range c.Nodes {
		if err := c.join(ctx, i, node); err != nil {
			t.Fatalf("cluster node %s: %v", node.addr, err)
		}
	}
	for _, node := range c.Nodes {
		if err := until(ctx, node.exited, func() error { return c.settled(ctx, node) }); err != nil {
			t.Fatalf("cluster node %s: %v", node.addr, err)
		}
	}
	c.client = redis.NewClusterClient(&redis.ClusterOptions{Addrs: c.addrs(), ClusterStateReloadInterval: time.Second})
	t.Cleanup(func() { _ = c.client.Close() }) // nothing hangs on it any more
	return c
}

// join gives the node its share of the slots and makes it known to the first.
func (c *Cluster) join(ctx context.Context, i int, node *Server) error {
	share := slots / 3
	first, last := i*share, (i+1)*share-1
	if i == 2 {
		last = slots - 1
	}
	if err := node.client.Do(ctx, "CLUSTER", "SET-CONFIG-EPOCH", i+1).Err(); err != nil {
		return err
	}
	if err := node.client.ClusterAddSlotsRange(ctx, first, last).Err(); err != nil {
		return err
	}
	if i == 0 {
		return nil
	}
	return c.meet(ctx, node)
}

// meet makes the node known to the first.
func (c *Cluster) meet(ctx context.Context, node *Server) error {
	host, port, err := net.SplitHostPort(c.Nodes[0].addr)
	if err != nil {
		return err
	}
	bus, err := c.Nodes[0].client.ConfigGet(ctx, "cluster-port").Result()
	if err != nil {
		return err
	}
	return node.client.Do(ctx, "CLUSTER", "MEET", host, port, bus["cluster-port"]).Err()
}

// startNode runs a server that is to join a cluster.
func startNode(t testing.TB) *Server {
	t.Helper()
	return start(t, "--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-port", strconv.Itoa(freePort(t)),
		"--cluster-replica-validity-factor", "0", "--repl-diskless-sync-delay", "0")
}

// AddReplica runs a replica of one of the masters until the test ends: it takes
// over when the master is gone.
func (c *Cluster) AddReplica(t testing.TB, master *Server) *Server {
	t.Helper()
	node := startNode(t)
	ctx, cancel := context.WithTimeout(t.Context(), readyWithin)
	defer cancel()
	if err := c.meet(ctx, node); err != nil {
		t.Fatalf("replica of %s: %v", master.addr, err)
	}
	id, err := master.client.Do(ctx, "CLUSTER", "MYID").Text()
	if err != nil {
		t.Fatalf("replica of %s: %v", master.addr, err)
	}
	err = until(ctx, node.exited, func() error { return node.client.Do(ctx, "CLUSTER", "REPLICATE", id).Err() })
	if err == nil {
		err = until(ctx, node.exited, func() error { return inStep(ctx, node) })
	}
	for _, other := range c.Nodes { // all have to know it before they may elect it
		if err == nil {
			err = until(ctx, node.exited, func() error { return knowsReplica(ctx, other, node) })
		}
	}
	if err != nil {
		t.Fatalf("replica of %s: %v", master.addr, err)
	}
	return node
}

func knowsReplica(ctx context.Context, other, node *Server) error {
	nodes, err := other.client.ClusterNodes(ctx).Result()
	if err != nil {
		return err
	}
	for line := range strings.Lines(nodes) {
		if strings.Contains(line, node.addr+"@") && strings.Contains(line, "slave") {
			return nil
		}
	}
	return fmt.Errorf("%s does not know the replica yet", other.addr)
}

// settled is nil once the node knows of the others and all slots are served.
func (c *Cluster) settled(ctx context.Context, node *Server) error {
	info, err := node.client.ClusterInfo(ctx).Result()
	if err != nil {
		return err
	}
	for _, line := range []string{"cluster_state:ok", "cluster_slots_ok:16384", "cluster_known_nodes:3"} {
		if !strings.Contains(info, line+"\r\n") {
			return fmt.Errorf("not %s yet", line)
		}
	}
	return nil
}

// Client is a client of the whole cluster, closed with the test.
func (c *Cluster) Client() *redis.ClusterClient { return c.client }

// URL names all nodes, as configuration does.
func (c *Cluster) URL() string {
	addrs := c.addrs()
	return "redis://" + addrs[0] + "?addr=" + addrs[1] + "&addr=" + addrs[2]
}

// NodeOf is the master that holds the key.
func (c *Cluster) NodeOf(t testing.TB, key string) *Server {
	t.Helper()
	slot, err := c.client.ClusterKeySlot(t.Context(), key).Result()
	if err != nil {
		t.Fatalf("slot of a key: %v", err)
	}
	return c.Nodes[min(int(slot)/(slots/3), 2)]
}

func (c *Cluster) addrs() []string {
	var addrs []string
	for _, node := range c.Nodes {
		addrs = append(addrs, node.addr)
	}
	return addrs
}
