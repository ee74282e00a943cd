package redistest

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/testenv"
)

func TestStart(t *testing.T) {
	t.Parallel()
	s := Start(t)
	if err := s.Client().Set(t.Context(), "key", "value", 0).Err(); err != nil {
		t.Fatal(err)
	}
	options, err := redis.ParseURL(s.URL())
	if err != nil || options.Addr != s.Addr() {
		t.Fatalf("URL %s names %+v, %v", s.URL(), options, err)
	}
}

func TestFreezeAndThaw(t *testing.T) {
	t.Parallel()
	s := Start(t)
	s.Freeze(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := impatient(t, s).Ping(ctx).Err(); err == nil {
		t.Fatal("a frozen server answered")
	}
	s.Thaw(t)
	if err := s.Client().Ping(t.Context()).Err(); err != nil {
		t.Fatalf("a thawed server: %v", err)
	}
}

func TestKill(t *testing.T) {
	t.Parallel()
	s := Start(t)
	s.Kill(t)
	if err := impatient(t, s).Ping(t.Context()).Err(); err == nil {
		t.Fatal("a killed server answered")
	}
}

// impatient returns a client that does not retry.
func impatient(t *testing.T, s *Server) *redis.Client {
	client := redis.NewClient(&redis.Options{Addr: s.Addr(), ContextTimeoutEnabled: true, MaxRetries: -1, DialerRetries: 1})
	t.Cleanup(func() { _ = client.Close() }) // nothing hangs on it any more
	return client
}

func TestClusterSpreadsKeys(t *testing.T) {
	t.Parallel()
	c := LockCluster(t)
	holders := map[*Server]bool{}
	for _, key := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		if err := c.Client().Set(t.Context(), key, "value", 0).Err(); err != nil {
			t.Fatal(err)
		}
		holder := c.NodeOf(t, key)
		if n, err := holder.Client().Exists(t.Context(), key).Result(); err != nil || n != 1 {
			t.Fatalf("%s is not where NodeOf says: %v", key, err)
		}
		holders[holder] = true
	}
	if len(holders) != 3 {
		t.Fatalf("eight keys lie on %d nodes", len(holders))
	}
}

func TestStartSentinelKnowsItsMaster(t *testing.T) {
	t.Parallel()
	s := StartSentinel(t)
	options, err := redis.ParseFailoverURL(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewFailoverClient(options)
	defer client.Close() //nolint:errcheck // a test's own client
	if err := client.Set(t.Context(), "key", "value", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Master.Client().Get(t.Context(), "key").Result(); err != nil || got != "value" {
		t.Fatalf("the master holds %q, %v", got, err)
	}
}

func TestFailover(t *testing.T) {
	t.Parallel()
	f := StartFailover(t)
	if err := f.Client().Set(t.Context(), "key", "value", 0).Err(); err != nil {
		t.Fatal(err)
	}
	f.Master.Kill(t)
	f.Replica.await(t, func(ctx context.Context) error { return f.Client().Set(ctx, "key", "later", 0).Err() })
	if got, err := f.Replica.Client().Get(t.Context(), "key").Result(); err != nil || got != "later" {
		t.Errorf("the replica holds %q, %v", got, err)
	}
}

func TestRestartBringsBackWhatWasSaved(t *testing.T) {
	t.Parallel()
	s := Start(t)
	for _, do := range []error{s.Client().Set(t.Context(), "key", "value", 0).Err(), s.Client().Save(t.Context()).Err()} {
		if do != nil {
			t.Fatal(do)
		}
	}
	s.Kill(t)
	s.Restart(t)
	s.await(t, func(ctx context.Context) error { return s.Client().Ping(ctx).Err() })
	if got, err := s.Client().Get(t.Context(), "key").Result(); err != nil || got != "value" {
		t.Errorf("it holds %q, %v", got, err)
	}
}

func TestClusterFailsOver(t *testing.T) {
	t.Parallel()
	c := StartCluster(t)
	master := c.NodeOf(t, "key")
	replica := c.AddReplica(t, master)
	if err := c.Client().Set(t.Context(), "key", "value", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if n, err := master.Client().Wait(t.Context(), 1, testenv.Patience).Result(); err != nil || n != 1 {
		t.Fatalf("%d replicas follow, %v", n, err)
	}
	master.Kill(t)
	replica.await(t, func(ctx context.Context) error { return c.Client().Set(ctx, "key", "later", 0).Err() })
}

func TestMain(m *testing.M) { os.Exit(Main(m)) }

func TestDatabasesAreApart(t *testing.T) {
	t.Parallel()
	one, other, behind := NewDatabase(t), NewDatabase(t), NewSentinelDatabase(t)
	for _, d := range []*Database{one, other, behind} {
		if n, err := d.Client().DBSize(t.Context()).Result(); err != nil || n != 0 {
			t.Errorf("%s holds %d keys, %v", d.URL(), n, err)
		}
		if err := d.Client().Set(t.Context(), d.URL(), "value", 0).Err(); err != nil {
			t.Error(err)
		}
		if n := d.Client().DBSize(t.Context()).Val(); n != 1 {
			t.Errorf("%s holds %d keys", d.URL(), n)
		}
	}
	for _, url := range []string{one.URL(), other.URL()} {
		options, err := redis.ParseURL(url)
		if err != nil {
			t.Fatal(err)
		}
		client := redis.NewClient(options)
		if n := client.Exists(t.Context(), url).Val(); n != 1 {
			t.Errorf("%s does not name its database", url)
		}
		_ = client.Close() // a test's own client
	}
	options, err := redis.ParseFailoverURL(behind.URL())
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewFailoverClient(options)
	defer client.Close() //nolint:errcheck // a test's own client
	if n := client.Exists(t.Context(), behind.URL()).Val(); n != 1 {
		t.Error("the Sentinel's URL does not name the database")
	}
}

func TestLockCluster(t *testing.T) {
	t.Parallel()
	t.Run("one", func(t *testing.T) {
		if err := LockCluster(t).Client().Set(t.Context(), "key", "value", 0).Err(); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("the next", func(t *testing.T) {
		if n := LockCluster(t).Client().Exists(t.Context(), "key").Val(); n != 0 {
			t.Error("it is not empty")
		}
	})
}

func TestPatient(t *testing.T) {
	t.Parallel()
	options, err := redis.ParseURL(Patient(t, "redis://127.0.0.1:1/3?read_timeout=1s"))
	if err != nil {
		t.Fatal(err)
	}
	if options.DB != 3 || options.ReadTimeout != time.Second || options.WriteTimeout != testenv.Patience || options.DialTimeout != testenv.Patience {
		t.Errorf("got %+v", options)
	}
}
