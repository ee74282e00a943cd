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

	"github.com/superduperai/sessionbot/internal/testenv"
)

// slots is the number of hash slots of a Redis cluster.
const slots = 16384

// Cluster is a Redis cluster of masters without replicas.
type Cluster struct {
	Nodes  []*Server
	client *redis.ClusterClient
}

// StartCluster runs a cluster of three masters until the test ends. Each holds
// a third of the slots. The options are those of Start.
func StartCluster(t testing.TB, options ...string) *Cluster {
	t.Helper()
	return startCluster(t, 2*time.Second, options...)
}

// startCluster is StartCluster where a node may be silent for so long until the
// others give it up.
func startCluster(t testing.TB, silent time.Duration, options ...string) *Cluster {
	t.Helper()
	c := &Cluster{}
	for range 3 {
		c.Nodes = append(c.Nodes, start(t, append([]string{"--cluster-enabled", "yes",
			"--cluster-node-timeout", strconv.FormatInt(silent.Milliseconds(), 10), "--cluster-port", strconv.Itoa(testenv.FreePort(t))}, options...)...))
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

// join gives the node its share of the slots, and makes all but the first known
// to it.
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

// Flush waits until the whole cluster serves again, such as after a node stood
// still, and empties it: for tests that share one.
func (c *Cluster) Flush(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), readyWithin)
	defer cancel()
	for _, node := range c.Nodes {
		if err := until(ctx, node.exited, func() error { return c.settled(ctx, node) }); err != nil {
			t.Fatalf("cluster node %s: %v", node.addr, err)
		}
		if err := node.client.FlushAll(ctx).Err(); err != nil {
			t.Fatalf("empty cluster node %s: %v", node.addr, err)
		}
	}
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
