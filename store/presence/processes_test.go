package presence

import (
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
)

func TestProcessesAreCountedWhileTheyLive(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		p := NewProcesses(r)
		now := time.Now()
		announce := func(id string, at time.Time, want int) {
			t.Helper()
			if living, err := p.Announce(t.Context(), id, at); living != want || err != nil {
				t.Errorf("%s: %d processes live, %v, want %d", id, living, err, want)
			}
		}
		announce("a", now, 1)
		announce("a", now.Add(30*time.Second), 1) // once more, not one more
		announce("b", now.Add(40*time.Second), 2)
		if ttl := client.PTTL(t.Context(), processesKey).Val(); ttl <= 0 || ttl > ProcessLife {
			t.Errorf("the key lives for %v", ttl)
		}
		announce("b", now.Add(119*time.Second), 2)
		announce("b", now.Add(120*time.Second), 1) // a was killed
		announce("a", now.Add(121*time.Second), 2)
		if err := p.Leave(t.Context(), "a"); err != nil {
			t.Error(err)
		}
		announce("b", now.Add(122*time.Second), 1)
	})
}

func TestProcessesWithoutRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	p := NewProcesses(rdbtest.Open(t, server.URL()))
	server.Kill(t)
	if _, err := p.Announce(t.Context(), "a", time.Now()); !errors.Is(err, rdb.ErrNoAnswer) {
		t.Errorf("Announce: %v", err)
	}
	if err := p.Leave(t.Context(), "a"); !errors.Is(err, rdb.ErrNoAnswer) {
		t.Errorf("Leave: %v", err)
	}
}
