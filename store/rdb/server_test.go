package rdb

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
)

// fill stores 22 keys, which a cluster spreads over its masters.
func fill(t *testing.T, client redis.UniversalClient) {
	t.Helper()
	for n := range 22 {
		testenv.Must(t, client.Set(t.Context(), fmt.Sprint("balance:", n), "7", 0).Err())
	}
}

func TestServer(t *testing.T) {
	t.Parallel()
	t.Run("a server", func(t *testing.T) {
		t.Parallel()
		server := redistest.Start(t)
		fill(t, server.Client())
		testenv.Must(t, server.Client().ConfigSet(t.Context(), "maxmemory", "100mb").Err())
		s, err := open(t, server.URL()).Server(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s.Version == "" || s.UsedMemoryBytes == 0 || s.UsedMemoryPeakBytes < s.UsedMemoryBytes || s.Keys != 22 ||
			s.MaxMemoryBytes != 100<<20 || s.PingMS <= 0 || s.ConnectedClients < 1 || s.Nodes != 1 || s.MaxMemoryPolicy != "noeviction" {
			t.Errorf("got %+v", s)
		}
	})
	t.Run("a cluster", func(t *testing.T) {
		t.Parallel()
		cluster := redistest.StartCluster(t)
		fill(t, cluster.Client())
		node := cluster.Nodes[0].Client()
		testenv.Must(t, node.ConfigSet(t.Context(), "maxmemory", "100mb").Err())
		r := open(t, cluster.URL())
		s, err := r.Server(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s.Keys != 22 || s.Nodes != 3 || s.MaxMemoryBytes != 0 || s.ConnectedClients < 3 {
			t.Errorf("got %+v", s)
		}
		cluster.Nodes[2].Freeze(t)
		defer cluster.Nodes[2].Thaw(t)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		if _, err := r.Ping(ctx); err == nil {
			t.Error("one of three masters is frozen, and all is said to be well")
		}
	})
	t.Run("miniredis, which reports little", func(t *testing.T) {
		t.Parallel()
		mini := miniredis.RunT(t)
		r := open(t, "redis://"+mini.Addr())
		s, err := r.Server(t.Context())
		if err != nil || s.UsedMemoryBytes != 0 || s.Nodes != 1 {
			t.Errorf("got %+v, %v", s, err)
		}
		if took, err := r.Ping(t.Context()); err != nil || took <= 0 {
			t.Errorf("ping %s, %v", took, err)
		}
	})
}
