package presence

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
)

func TestViewers(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		ctx, v, now := t.Context(), NewViewers(r), time.Now()
		recent := func(at time.Time, want map[string]string) {
			t.Helper()
			got, err := v.Recent(ctx, at)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%v %s", err, diff)
			}
		}
		recent(now, map[string]string{})
		testenv.Must(t, v.Opened(ctx, "U1", now.Add(-40*time.Minute)))
		testenv.Must(t, v.Opened(ctx, "U2", now))
		testenv.Must(t, v.SetShown(ctx, "U1", "digest hash"))
		recent(now, map[string]string{"U1": "digest hash", "U2": ""})
		recent(now.Add(30*time.Minute), map[string]string{"U2": ""})

		testenv.Must(t, v.Opened(ctx, "U1", now)) // again
		recent(now.Add(30*time.Minute), map[string]string{"U1": "digest hash", "U2": ""})
		testenv.Must(t, v.Forget(ctx, "U1"))
		recent(now, map[string]string{"U2": ""})

		testenv.Must(t, v.Opened(ctx, "U3", now.Add(2*time.Hour)))
		if n := client.ZCard(ctx, viewersKey).Val(); n != 1 {
			t.Errorf("%d viewers are kept, want the one of the last hour", n)
		}
		for _, key := range []string{viewersKey, shownKey("U1")} {
			if ttl := client.PTTL(ctx, key).Val(); ttl <= 0 || ttl > ViewerLife {
				t.Errorf("%s lives for %v", key, ttl)
			}
		}
	})
}
