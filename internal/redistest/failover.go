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

// Failover is a master, its replica, and three Sentinels, two of which make the
// replica the master soon after the master is gone.
type Failover struct {
	Master, Replica *Server
	Watch           []*Server
	client          *redis.Client
}

// StartFailover runs all of them until the test ends.
func StartFailover(t testing.TB) *Failover {
	t.Helper()
	f := &Failover{Master: start(t)}
	host, port, err := net.SplitHostPort(f.Master.addr)
	if err != nil {
		t.Fatalf("address of the master: %v", err)
	}
	f.Replica = start(t, "--replicaof", host+" "+port)
	lines := []string{
		"sentinel monitor main " + host + " " + port + " 2", "sentinel down-after-milliseconds main 1000",
		"sentinel failover-timeout main 3000", "",
	}
	for range 3 {
		config := filepath.Join(t.TempDir(), "sentinel.conf")
		if err := os.WriteFile(config, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
			t.Fatalf("configuration of a sentinel: %v", err)
		}
		f.Watch = append(f.Watch, start(t, config, "--sentinel"))
	}
	for _, watch := range f.Watch {
		if err = until(t.Context(), watch.exited, func() error { return f.settled(t, watch) }); err != nil {
			t.Fatalf("a sentinel does not know the others: %v", err)
		}
	}
	f.client = redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "main", SentinelAddrs: f.addrs()})
	t.Cleanup(func() { _ = f.client.Close() }) // nothing hangs on it any more
	return f
}

// settled is nil once the replica follows, and the Sentinel knows of it and of
// the other Sentinels.
func (f *Failover) settled(t testing.TB, watch *Server) error {
	info, err := f.Replica.client.Info(t.Context(), "replication").Result()
	if err != nil {
		return err
	}
	replicas, err := watch.client.Do(t.Context(), "SENTINEL", "REPLICAS", "main").Slice()
	if err != nil {
		return err
	}
	others, err := watch.client.Do(t.Context(), "SENTINEL", "SENTINELS", "main").Slice()
	if err != nil {
		return err
	}
	if !strings.Contains(info, "master_link_status:up") || len(replicas) == 0 || len(others) < 2 {
		return fmt.Errorf("%d replicas and %d other sentinels are known", len(replicas), len(others))
	}
	return nil
}

// URL names the Sentinels and the master's name, as configuration does.
func (f *Failover) URL() string {
	addrs := f.addrs()
	return "redis://" + addrs[0] + "?master_name=main&addr=" + addrs[1] + "&addr=" + addrs[2]
}

func (f *Failover) addrs() []string {
	var addrs []string
	for _, watch := range f.Watch {
		addrs = append(addrs, watch.addr)
	}
	return addrs
}

// Client is a client of whichever is the master, closed with the test.
func (f *Failover) Client() *redis.Client { return f.client }
