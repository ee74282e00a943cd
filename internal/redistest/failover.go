package redistest

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// Failover is a master, its replica, and a Sentinel that makes the replica the
// master soon after the master is gone.
type Failover struct {
	Master, Replica, Watch *Server
	client                 *redis.Client
}

// StartFailover runs all three until the test ends.
func StartFailover(t testing.TB) *Failover {
	t.Helper()
	f := &Failover{Master: start(t)}
	host, port, err := net.SplitHostPort(f.Master.addr)
	if err != nil {
		t.Fatalf("address of the master: %v", err)
	}
	f.Replica = start(t, "--replicaof", host+" "+port, "--repl-diskless-sync-delay", "0")
	config := filepath.Join(t.TempDir(), "sentinel.conf")
	lines := []string{
		"sentinel monitor main " + host + " " + port + " 1", "sentinel down-after-milliseconds main 1000",
		"sentinel failover-timeout main 3000", "",
	}
	if err := os.WriteFile(config, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatalf("configuration of the sentinel: %v", err)
	}
	f.Watch = start(t, config, "--sentinel")
	err = until(t.Context(), f.Watch.exited, func() error { return f.settled(t) })
	if err != nil {
		t.Fatalf("the sentinel does not know master and replica: %v", err)
	}
	f.client = redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "main", SentinelAddrs: []string{f.Watch.addr}})
	t.Cleanup(func() { _ = f.client.Close() }) // nothing hangs on it any more
	return f
}

// settled is nil once the replica follows and the Sentinel knows of it.
func (f *Failover) settled(t testing.TB) error {
	info, err := f.Replica.client.Info(t.Context(), "replication").Result()
	if err != nil {
		return err
	}
	replicas, err := f.Watch.client.Do(t.Context(), "SENTINEL", "REPLICAS", "main").Slice()
	if err != nil {
		return err
	}
	if !strings.Contains(info, "master_link_status:up") || len(replicas) == 0 {
		return fmt.Errorf("%d replicas are known", len(replicas))
	}
	return nil
}

// URL names the Sentinel and the master's name, as configuration does.
func (f *Failover) URL() string { return f.Watch.URL() + "?master_name=main" }

// Client is a client of whichever is the master, closed with the test.
func (f *Failover) Client() *redis.Client { return f.client }
