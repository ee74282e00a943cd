package redistest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/testenv"
)

// slots is the number of hash slots of a Redis cluster.
const slots = 16384

// Cluster is a Redis cluster of three masters.
type Cluster struct {
	Nodes  []*Server
	client *redis.ClusterClient
}

// StartCluster runs a cluster of three masters, without replicas, until the test
// ends. The options are those of Start.
func StartCluster(t testing.TB, options ...string) *Cluster {
	t.Helper()
	c := &Cluster{}
	for range 3 {
		c.Nodes = append(c.Nodes, startNode(t, options...))
	}
	for i, node := range c.Nodes {
		last := (i+1)*(slots/3) - 1
		if i == 2 {
			last = slots - 1
		}
		err := node.client.Do(t.Context(), "CLUSTER", "SET-CONFIG-EPOCH", i+1).Err()
		if err == nil {
			err = node.client.ClusterAddSlotsRange(t.Context(), i*(slots/3), last).Err()
		}
		if err == nil && i > 0 {
			err = c.meet(t.Context(), node)
		}
		if err != nil {
			t.Fatalf("cluster node %s: %v", node.addr, err)
		}
	}
	c.awaitServing(t)
	c.client = redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs(c.Nodes), ClusterStateReloadInterval: time.Second})
	t.Cleanup(func() { _ = c.client.Close() }) // of no use any more
	return c
}

func startNode(t testing.TB, options ...string) *Server {
	t.Helper()
	return Start(t, append([]string{"--cluster-enabled", "yes", "--cluster-node-timeout", "2000",
		"--cluster-port", strconv.Itoa(testenv.FreePort(t))}, options...)...)
}

// meet introduces the node to the first one.
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

// awaitServing waits until all nodes know each other and all slots are served.
func (c *Cluster) awaitServing(t testing.TB) {
	t.Helper()
	for _, node := range c.Nodes {
		node.await(t, func(ctx context.Context) error {
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
		})
	}
}

// AddReplica runs a replica of one of the cluster's masters until the test ends.
// It has all that the master holds, and soon takes over when the master is gone.
func (c *Cluster) AddReplica(t testing.TB, master *Server) *Server {
	t.Helper()
	replica := startNode(t)
	id, err := master.client.Do(t.Context(), "CLUSTER", "MYID").Text()
	if err == nil {
		err = c.meet(t.Context(), replica)
	}
	if err != nil {
		t.Fatalf("add a replica: %v", err)
	}
	replica.await(t, func(ctx context.Context) error { return replica.client.Do(ctx, "CLUSTER", "REPLICATE", id).Err() })
	replica.await(t, func(ctx context.Context) error {
		return errors.Join(inSync(ctx, master, replica), c.know(ctx, replica, id))
	})
	return replica
}

// know returns nil once each node knows whose replica it is.
func (c *Cluster) know(ctx context.Context, replica *Server, master string) error {
	id, err := replica.client.Do(ctx, "CLUSTER", "MYID").Text()
	if err != nil {
		return err
	}
	listed := regexp.MustCompile("(?m)^" + id + " .*slave " + master + " ")
	for _, node := range c.Nodes {
		nodes, err := node.client.ClusterNodes(ctx).Result()
		if err != nil {
			return err
		}
		if !listed.MatchString(nodes) {
			return errors.New("not known to all nodes")
		}
	}
	return nil
}

// Client returns a client of the whole cluster, closed with the test.
func (c *Cluster) Client() *redis.ClusterClient { return c.client }

// URL names all masters, as configuration does.
func (c *Cluster) URL() string {
	nodes := addrs(c.Nodes)
	return "redis://" + nodes[0] + "?addr=" + nodes[1] + "&addr=" + nodes[2]
}

// NodeOf returns the master that holds the key.
func (c *Cluster) NodeOf(t testing.TB, key string) *Server {
	t.Helper()
	slot, err := c.client.ClusterKeySlot(t.Context(), key).Result()
	if err != nil {
		t.Fatalf("slot of a key: %v", err)
	}
	return c.Nodes[min(int(slot)/(slots/3), 2)]
}

func addrs(servers []*Server) []string {
	var list []string
	for _, s := range servers {
		list = append(list, s.addr)
	}
	return list
}
