package redistest

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"
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
	err = until(ctx, s.exited, func() error {
		info, err := s.client.Info(ctx, "replication").Result()
		if err == nil && !strings.Contains(info, "master_link_status:up") {
			err = errors.New("not in step yet")
		}
		return err
	})
	if err != nil {
		t.Fatalf("the replica does not follow: %v", err)
	}
	return s
}

// AddReplica runs a replica of one of the cluster's masters until the test ends.
// It has all that the master holds when this returns, and soon takes its place
// when the master is gone.
func (c *Cluster) AddReplica(t testing.TB, of *Server) *Server {
	t.Helper()
	s := start(t, "--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-port", strconv.Itoa(freePort(t)),
		"--repl-diskless-sync-delay", "0")
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
		err = until(ctx, s.exited, func() error { return c.follows(ctx, s) })
	}
	if err != nil {
		t.Fatalf("the replica does not follow: %v", err)
	}
	return s
}

// follows is nil once the replica is in step and each master knows of it.
func (c *Cluster) follows(ctx context.Context, replica *Server) error {
	info, err := replica.client.Info(ctx, "replication").Result()
	if err == nil && !strings.Contains(info, "master_link_status:up") {
		err = errors.New("not in step yet")
	}
	for _, node := range c.Nodes {
		known, askErr := node.client.ClusterNodes(ctx).Result()
		err = errors.Join(err, askErr)
		if !strings.Contains(known, "slave") {
			err = errors.Join(err, errors.New("not known to all"))
		}
	}
	return err
}
