package lease

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
)

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }

const record, key = "{x}record", "{x}lease"

func newStore(t *testing.T, client redis.UniversalClient, r *rdb.Redis, timings Timings) *Store {
	t.Helper()
	testenv.Must(t, client.HSet(t.Context(), record, "field", "value").Err())
	return &Store{Redis: r, Timings: timings}
}

func acquired(t *testing.T, s *Store, owner string) Lease {
	t.Helper()
	l, ok, err := s.Acquire(t.Context(), record, key, owner)
	if err != nil || !ok {
		t.Fatalf("%s gets no lease: %v", owner, err)
	}
	return l
}

// TestOneOwnerHolds the lease, and a former owner can neither renew nor release it.
func TestOneOwnerHolds(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		s := newStore(t, client, r, Timings{Life: time.Hour})
		if _, _, err := s.Acquire(t.Context(), "{x}none", key, "one"); !errors.Is(err, ErrNoRecord) {
			t.Errorf("without a record: %v", err)
		}
		first := acquired(t, s, "one")
		if again := acquired(t, s, "one"); again != first {
			t.Errorf("acquired again: %+v, before %+v", again, first)
		}
		if _, ok, err := s.Acquire(t.Context(), record, key, "two"); ok || err != nil {
			t.Fatalf("two hold it: %v", err)
		}
		if ttl := client.PTTL(t.Context(), key).Val(); ttl <= 0 || ttl > time.Hour {
			t.Errorf("it lives for %s", ttl)
		}
		testenv.Must(t, client.Del(t.Context(), key).Err()) // as if it ran out
		second := acquired(t, s, "one")
		if second == first {
			t.Error("a lease that ended in between is the same")
		}
		for name, err := range map[string]error{"renew": s.Renew(t.Context(), first), "release": s.Release(t.Context(), first)} {
			if !errors.Is(err, ErrLost) {
				t.Errorf("%s of a lost lease: %v", name, err)
			}
		}
		testenv.Must(t, s.Renew(t.Context(), second))
		testenv.Must(t, s.Release(t.Context(), second))
		third := acquired(t, s, "two")
		testenv.Must(t, client.Set(t.Context(), key, "of another version", 0).Err())
		if err := s.Renew(t.Context(), third); !errors.Is(err, ErrLost) {
			t.Errorf("renew with another holder, without a token: %v", err)
		}
	})
}

// TestHold: it is renewed until it is lost or released.
func TestHold(t *testing.T) {
	t.Parallel()
	server := redistest.NewDatabase(t)
	client := server.Client()
	s := newStore(t, client, rdbtest.Open(t, server.URL()), Timings{Life: time.Hour, Renew: 10 * time.Millisecond})
	held, release := s.Hold(t.Context(), acquired(t, s, "one"))
	testenv.Must(t, client.Persist(t.Context(), key).Err())
	testenv.Until(t, "it is renewed", func() bool { return client.PTTL(t.Context(), key).Val() > 0 })
	if held.Err() != nil {
		t.Error("it ended")
	}
	testenv.Must(t, client.HSet(t.Context(), record, "token", "another").Err())
	testenv.Returns(t, "a lost lease", func() { <-held.Done() })
	testenv.Must(t, release())
	testenv.Must(t, client.Del(t.Context(), key).Err())

	held, release = s.Hold(t.Context(), acquired(t, s, "two"))
	testenv.Must(t, release())
	if n := client.Exists(t.Context(), key).Val(); n != 0 || held.Err() == nil {
		t.Error("a released lease is held")
	}
}

// TestHoldWhileRedisIsSilent ends before the lease may.
func TestHoldWhileRedisIsSilent(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := newStore(t, server.Client(), rdbtest.Open(t, server.URL()), Timings{Life: 400 * time.Millisecond, Renew: 100 * time.Millisecond})
	held, release := s.Hold(t.Context(), acquired(t, s, "one"))
	server.Freeze(t)
	testenv.Returns(t, "a lease that cannot be renewed", func() { <-held.Done() })
	server.Thaw(t)
	testenv.Must(t, release())
}
