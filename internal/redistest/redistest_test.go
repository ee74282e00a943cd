package redistest

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func TestStart(t *testing.T) {
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
	s := Start(t)
	s.Freeze(t)
	impatient := redis.NewClient(&redis.Options{Addr: s.Addr(), ContextTimeoutEnabled: true, MaxRetries: -1})
	defer impatient.Close() //nolint:errcheck // a test's own client
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := impatient.Ping(ctx).Err(); err == nil {
		t.Fatal("a frozen server answered")
	}
	s.Thaw(t)
	if err := s.Client().Ping(t.Context()).Err(); err != nil {
		t.Fatalf("a thawed server: %v", err)
	}
}

func TestKill(t *testing.T) {
	s := Start(t)
	s.Kill(t)
	if err := s.Client().Ping(t.Context()).Err(); err == nil {
		t.Fatal("a killed server answered")
	}
}

func TestStartClusterSpreadsKeys(t *testing.T) {
	c := StartCluster(t)
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
	f := StartFailover(t)
	if err := f.Client().Set(t.Context(), "key", "value", 0).Err(); err != nil {
		t.Fatal(err)
	}
	f.Master.Kill(t)
	ctx, cancel := context.WithTimeout(t.Context(), readyWithin)
	defer cancel()
	err := until(ctx, f.Replica.exited, func() error { return f.Client().Set(ctx, "key", "later", 0).Err() })
	if got, readErr := f.Replica.Client().Get(t.Context(), "key").Result(); err != nil || readErr != nil || got != "later" {
		t.Errorf("the replica holds %q, %v, %v", got, err, readErr)
	}
}

func TestRestartBringsBackWhatWasSaved(t *testing.T) {
	s := Start(t)
	for _, do := range []error{s.Client().Set(t.Context(), "key", "value", 0).Err(), s.Client().Save(t.Context()).Err()} {
		if do != nil {
			t.Fatal(do)
		}
	}
	s.Kill(t)
	s.Restart(t)
	err := until(t.Context(), s.exited, func() error { return s.Client().Ping(t.Context()).Err() })
	if got, readErr := s.Client().Get(t.Context(), "key").Result(); err != nil || readErr != nil || got != "value" {
		t.Errorf("it holds %q, %v, %v", got, err, readErr)
	}
}

func TestStartTLS(t *testing.T) {
	s, _ := StartTLS(t)
	if err := s.Client().Ping(t.Context()).Err(); err != nil {
		t.Errorf("with its CA: %v", err)
	}
	stranger := redis.NewClient(&redis.Options{Addr: s.Addr(), MaxRetries: -1, DialerRetries: 1})
	defer stranger.Close() //nolint:errcheck // a test's own client
	if err := stranger.Ping(t.Context()).Err(); err == nil {
		t.Error("it answers without TLS")
	}
}

func TestClusterFailsOver(t *testing.T) {
	c := StartCluster(t)
	master := c.NodeOf(t, "key")
	replica := c.AddReplica(t, master)
	if err := c.Client().Set(t.Context(), "key", "value", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if n, err := master.Client().Wait(t.Context(), 1, readyWithin).Result(); err != nil || n != 1 {
		t.Fatalf("%d replicas follow, %v", n, err)
	}
	master.Kill(t)
	ctx, cancel := context.WithTimeout(t.Context(), readyWithin)
	defer cancel()
	if err := until(ctx, replica.exited, func() error { return c.Client().Set(ctx, "key", "later", 0).Err() }); err != nil {
		t.Errorf("the replica does not take over: %v", err)
	}
}
