package redistest

import (
	"context"
	"errors"
	"net"
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
	if err := until(ctx, s.exited, func() error { return inStep(ctx, s) }); err != nil {
		t.Fatalf("the replica does not follow: %v", err)
	}
	return s
}

// inStep is nil once the replica follows its master.
func inStep(ctx context.Context, replica *Server) error {
	info, err := replica.client.Info(ctx, "replication").Result()
	if err == nil && !strings.Contains(info, "master_link_status:up") {
		err = errors.New("not in step yet")
	}
	return err
}
