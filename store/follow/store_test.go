package follow

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
)

// TestFollow: a followed session is read back unchanged, until it expires.
func TestFollow(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		s := NewStore(r)
		if all, err := s.Sessions(t.Context()); err != nil || len(all) > 0 {
			t.Fatalf("of nothing: %+v, %v", all, err)
		}
		first, second := threadOf("1.5", nil), threadOf("2.5", nil)
		first.Before = Handled
		testenv.Must(t, s.Follow(t.Context(), "cs_live_1", first))
		testenv.Must(t, s.Follow(t.Context(), "cs_live_1", second))
		testenv.Must(t, s.Follow(t.Context(), "cs_live_1", second))
		answer := &Answer{End: Ready, Kind: store.KindVideo, File: "f1", Mark: "m", Claimed: noon, Posted: noon, Message: store.Message{Channel: "C1", TS: "3.5"}, Permalink: "https://x"}
		changed, err := s.ChangeThread(t.Context(), "cs_live_1", second.Message, noon, func(t *Thread) bool { t.Answer = answer; return true })
		if !changed || err != nil {
			t.Fatalf("changed: %v, %v", changed, err)
		}
		second.Answer = answer
		all, err := s.Sessions(t.Context())
		if diff := cmp.Diff([]Session{{ID: "cs_live_1", Threads: []Thread{first, second}}}, all); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
		for _, key := range []string{recordKey("cs_live_1"), sessionsKey} {
			if ttl, err := client.PTTL(t.Context(), key).Result(); err != nil || ttl <= store.KeyLife || ttl > life {
				t.Errorf("%s lives for %s, %v", key, ttl, err)
			}
		}
		testenv.Must(t, client.Del(t.Context(), recordKey("cs_live_1")).Err())
		if all, err := s.Sessions(t.Context()); err != nil || len(all) > 0 {
			t.Errorf("after it expired: %+v, %v", all, err)
		}
		if changed, err := s.ChangeThread(t.Context(), "cs_live_1", second.Message, noon, func(*Thread) bool { return true }); changed || err != nil {
			t.Errorf("after it expired, changed: %v, %v", changed, err)
		}
	})
}

// TestOneProcessClaims: of many processes that claim an answer one does, and no change is lost.
func TestOneProcessClaims(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		s, thread := NewStore(r), threadOf("1.5", nil)
		testenv.Must(t, s.Follow(t.Context(), "cs_live_1", thread))
		const processes = 8
		var claims, follows sync.WaitGroup
		won := make(chan string, processes)
		for n := range processes {
			mark := fmt.Sprint(n)
			claims.Go(func() {
				claimed, err := s.ChangeThread(t.Context(), "cs_live_1", thread.Message, noon, func(t *Thread) bool {
					if t.Answer != nil {
						return false
					}
					t.Answer = &Answer{Mark: mark, Claimed: noon}
					return true
				})
				if err != nil {
					t.Error(err)
				}
				if claimed {
					won <- mark
				}
			})
		}
		follows.Go(func() {
			if err := s.Follow(t.Context(), "cs_live_1", threadOf("2.5", nil)); err != nil {
				t.Error(err)
			}
		})
		claims.Wait()
		follows.Wait()
		all, err := s.Sessions(t.Context())
		if err != nil || len(won) != 1 || len(all) != 1 || len(all[0].Threads) != 2 || all[0].Threads[0].Answer.Mark != <-won {
			t.Errorf("%d claimed it: %+v, %v", len(won), all, err)
		}
	})
}

// TestBounds: the sessions asked about last are followed, up to a number of threads each.
func TestBounds(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		s := NewStore(r)
		pipe := client.Pipeline()
		for n := range maxSessions {
			id := fmt.Sprint("cs_live_", n)
			pipe.ZAdd(t.Context(), sessionsKey, redis.Z{Score: float64(noon.Add(time.Duration(n) * time.Millisecond).UnixMilli()), Member: id})
			pipe.Set(t.Context(), recordKey(id), `{"session":"`+id+`","threads":[]}`, time.Hour)
		}
		_, err := pipe.Exec(t.Context())
		testenv.Must(t, err)
		late := threadOf("1.5", nil)
		late.At = noon.Add(time.Hour)
		testenv.Must(t, s.Follow(t.Context(), "cs_live_new", late))
		ids := func() (ids []string) {
			all, err := s.Sessions(t.Context())
			testenv.Must(t, err)
			for _, f := range all {
				ids = append(ids, f.ID)
			}
			return ids
		}
		if got := ids(); len(got) != maxSessions || slices.Contains(got, "cs_live_0") || !slices.Contains(got, "cs_live_1") || !slices.Contains(got, "cs_live_new") {
			t.Errorf("followed are %d, from %s to %s", len(got), got[0], got[len(got)-1])
		}
		late.At = noon.Add(life + 30*time.Minute)
		testenv.Must(t, s.Follow(t.Context(), "cs_live_later", late))
		if got := ids(); !slices.Equal(got, []string{"cs_live_new", "cs_live_later"}) {
			t.Errorf("a month later followed are %d", len(got))
		}
		for n := range maxThreads - 1 {
			testenv.Must(t, s.Follow(t.Context(), "cs_live_later", threadOf(fmt.Sprint(n+2, ".5"), nil)))
		}
		if err := s.Follow(t.Context(), "cs_live_later", threadOf("99.5", nil)); !errors.Is(err, ErrFull) {
			t.Errorf("one too many: %v", err)
		}
	})
}
