package redistest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// StartReplica runs a replica of a server until the test ends. It has all that
// the server holds.
func StartReplica(t testing.TB, master *Server) *Server {
	t.Helper()
	host, port, _ := net.SplitHostPort(master.addr) // joined by run
	replica := Start(t, "--replicaof", host+" "+port)
	replica.await(t, func(ctx context.Context) error { return inSync(ctx, master, replica) })
	return replica
}

// inSync returns nil once the replica has all that its master holds, and the
// master counts it among those that acknowledge.
func inSync(ctx context.Context, master, replica *Server) error {
	_, port, _ := net.SplitHostPort(replica.addr) // joined by run
	for server, line := range map[*Server]string{replica: "master_link_status:up", master: ",port=" + port + ",state=online"} {
		info, err := server.client.Info(ctx, "replication").Result()
		if err != nil {
			return err
		}
		if !strings.Contains(info, line) {
			return errors.New("not in sync yet")
		}
	}
	return nil
}

// Sentinel is a master that one Sentinel watches.
type Sentinel struct {
	Master *Server
	Watch  *Server
}

// StartSentinel runs a master named "main", with the options given, and a Sentinel
// over it until the test ends.
func StartSentinel(t testing.TB, options ...string) *Sentinel {
	t.Helper()
	master := Start(t, options...)
	watch := watch(t, master, 1)
	watch.await(t, func(ctx context.Context) error {
		return watch.client.Do(ctx, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main").Err()
	})
	return &Sentinel{Master: master, Watch: watch}
}

// watch runs a Sentinel over the master named "main".
func watch(t testing.TB, master *Server, quorum int, options ...string) *Server {
	t.Helper()
	host, port, _ := net.SplitHostPort(master.addr) // joined by run
	lines := append([]string{fmt.Sprintf("sentinel monitor main %s %s %d", host, port, quorum)}, options...)
	// The Sentinel rewrites its own configuration.
	config := filepath.Join(t.TempDir(), "sentinel.conf")
	if err := os.WriteFile(config, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatalf("configuration of a Sentinel: %v", err)
	}
	return Start(t, config, "--sentinel")
}

// URL names the Sentinel and the master's name, as configuration does.
func (s *Sentinel) URL() string { return s.Watch.URL() + "?master_name=main" }

// Failover is a master, its replica, and three Sentinels, two of which promote
// the replica soon after the master is gone.
type Failover struct {
	Master, Replica *Server
	Watch           []*Server
	client          *redis.Client
}

// StartFailover runs all of them until the test ends.
func StartFailover(t testing.TB) *Failover {
	t.Helper()
	master := Start(t)
	f := &Failover{Master: master, Replica: StartReplica(t, master)}
	for range 3 {
		f.Watch = append(f.Watch, watch(t, master, 2, "sentinel down-after-milliseconds main 1000", "sentinel failover-timeout main 3000"))
	}
	for _, sentinel := range f.Watch {
		sentinel.await(t, func(ctx context.Context) error {
			replicas, err := sentinel.client.Do(ctx, "SENTINEL", "REPLICAS", "main").Slice()
			if err != nil {
				return err
			}
			others, err := sentinel.client.Do(ctx, "SENTINEL", "SENTINELS", "main").Slice()
			if err == nil && (len(replicas) == 0 || len(others) < 2) {
				err = fmt.Errorf("%d replicas and %d other sentinels are known", len(replicas), len(others))
			}
			return err
		})
	}
	f.client = redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "main", SentinelAddrs: addrs(f.Watch)})
	t.Cleanup(func() { _ = f.client.Close() }) // of no use any more
	return f
}

// URL names the Sentinels and the master's name, as configuration does.
func (f *Failover) URL() string {
	sentinels := addrs(f.Watch)
	return "redis://" + sentinels[0] + "?master_name=main&addr=" + sentinels[1] + "&addr=" + sentinels[2]
}

// Client returns a client of whichever is the master, closed with the test.
func (f *Failover) Client() *redis.Client { return f.client }
