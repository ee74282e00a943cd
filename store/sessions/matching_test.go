package sessions

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
)

func parseShort(t *testing.T, text string) store.ShortID {
	t.Helper()
	_, err := store.FindID(text)
	short, ok := err.(store.ShortID) //nolint:errorlint // FindID does not wrap it
	if !ok {
		t.Fatalf("%q is no shortened id: %v", text, err)
	}
	return short
}

// TestMatching finds shortened ids among thousands of keys, on whatever master and
// under whichever of a session's keys they lie.
func TestMatching(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		pipe := client.Pipeline()
		for _, key := range []string{
			"prompt:cs_live_a1B2c3D40001", "webhook:cs_live_a1B2c3D40001", "session:cs_live_a1B2c3D40001", "webhook:cs_live_a1B2xxxx0002", "session:cs_live_a1B2yyyy0002",
			"session:cs_test_a1B2c3D40001", "session:cs_live_A1B2c3D40001", "prompt:cs_live_a1B2_0003", "foreign:cs_live_a1B20003", "session:x:cs_live_a1B20003",
		} {
			pipe.Set(t.Context(), key, "{}", 0)
		}
		for n := range 3000 {
			pipe.Set(t.Context(), fmt.Sprintf("session:cs_live_b%04dtail", n), "{}", 0)
		}
		_, err := pipe.Exec(t.Context())
		testenv.Must(t, err)
		reader := Reader{Redis: r}
		for text, want := range map[string][]string{
			"cs_live_a1B2…0001": {"cs_live_a1B2c3D40001"},
			"cs_live_…0001":     {"cs_live_A1B2c3D40001", "cs_live_a1B2c3D40001"},
			"cs_live_a1B2…0002": {"cs_live_a1B2xxxx0002", "cs_live_a1B2yyyy0002"},
			"cs_test_a1…":       {"cs_test_a1B2c3D40001"},
			"cs_live_a1B2…0003": {}, "cs_live_a1B2c3D40001…0001": {},
		} {
			got, err := reader.Matching(t.Context(), parseShort(t, text))
			if diff := cmp.Diff(want, append([]string{}, got...)); diff != "" || err != nil {
				t.Errorf("%s: %v %s", text, err, diff)
			}
		}
		got, err := reader.Matching(t.Context(), parseShort(t, "cs_live_b…tail"))
		if len(got) < maxMatches || len(got) > 3*maxMatches || err != nil {
			t.Errorf("of 3000 sessions with one short form it found %d, %v", len(got), err)
		}
	})
}
