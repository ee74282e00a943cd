package redistest

import (
	"context"
	"errors"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/internal/testenv"
)

// StartReplica runs a replica of a server until the test ends. It has all that
// the server holds when this returns.
func StartReplica(t testing.TB, of *Server) *Server {
	t.Helper()
	host, port, err := net.SplitHostPort(of.addr)
	if err != nil {
		t.Fatalf("address of the master: %v", err)
	}
	s := start(t, "--replicaof", host+" "+port)
	ctx, cancel := context.WithTimeout(t.Context(), readyWithin)
	defer cancel()
	if err := until(ctx, s.exited, func() error { return inStep(ctx, of, s) }); err != nil {
		t.Fatalf("the replica does not follow: %v", err)
	}
	return s
}

// inStep is nil once the replica has all that its master holds, and the master
// counts it among those that acknowledge.
func inStep(ctx context.Context, master, replica *Server) error {
	_, port, err := net.SplitHostPort(replica.addr)
	if err != nil {
		return err
	}
	for server, line := range map[*Server]string{replica: "master_link_status:up", master: ",port=" + port + ",state=online"} {
		info, err := server.client.Info(ctx, "replication").Result()
		if err != nil {
			return err
		}
		if !strings.Contains(info, line) {
			return errors.New("not in step yet")
		}
	}
	return nil
}

// AddReplica runs a replica of one of the cluster's masters until the test ends.
// It has all that the master holds when this returns, and soon takes its place
// when the master is gone.
func (c *Cluster) AddReplica(t testing.TB, of *Server) *Server {
	t.Helper()
	s := start(t, "--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-port", strconv.Itoa(testenv.FreePort(t)))
	ctx, cancel := context.WithTimeout(t.Context(), readyWithin)
	defer cancel()
	id, err := of.client.Do(ctx, "CLUSTER", "MYID").Text()
	if err == nil {
		err = c.meet(ctx, s)
	}
	if err == nil {
		err = until(ctx, s.exited, func() error { return s.client.Do(ctx, "CLUSTER", "REPLICATE", id).Err() })
	}
	if err == nil {
		err = until(ctx, s.exited, func() error { return errors.Join(inStep(ctx, of, s), c.knows(ctx, s, id)) })
	}
	if err != nil {
		t.Fatalf("the replica does not follow: %v", err)
	}
	return s
}

// knows is nil once each master knows whose replica it is.
func (c *Cluster) knows(ctx context.Context, replica *Server, master string) error {
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
			return errors.New("not known to all")
		}
	}
	return nil
}
