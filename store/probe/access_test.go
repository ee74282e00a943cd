package probe_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/store/keyspace"
	"github.com/superduperai/sessionbot/store/probe"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
)

// TestAccessNamesWhatIsMissing takes one command after the other away from a
// user who may do what is needed.
func TestAccessNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	const all = "~* &* +@all"
	for use, commands := range map[probe.Use]string{
		probe.ForProduct: "dbsize get getrange info multi exec ping pttl scan strlen watch eval_ro memory|usage",
		probe.ForState: "del eval evalsha exec exists expire get hget hgetall hmget hset hsetnx incr info mget multi " +
			"pexpire ping wait xadd xrevrange zadd zcard zrange zrangebyscore zrem zremrangebyscore zscore",
	} {
		whole, err := probe.TryAccess(t.Context(), rdbtest.As(t, server, all), use)
		if err != nil || len(whole.Denied) > 0 || whole.ReadOnly != "" {
			t.Errorf("who may do all: %+v, %v", whole, err)
		}
		for command := range strings.FieldsSeq(commands) {
			access, err := probe.TryAccess(t.Context(), rdbtest.As(t, server, all+" -"+command), use)
			named := slices.ContainsFunc(access.Denied, func(label string) bool {
				return slices.Contains(strings.FieldsFunc(strings.ToLower(strings.Replace(label, "MEMORY", "MEMORY|USAGE", 1)), func(r rune) bool { return r == ' ' || r == ',' }), command)
			})
			if !named {
				t.Errorf("without %s: %+v, %v", command, access, err)
			}
		}
	}
	if keys := server.Client().Keys(t.Context(), "*").Val(); len(keys) > 0 {
		t.Errorf("it left %q", keys)
	}
}

// TestAccessHasNoEffect: neither sessions nor foreign keys are changed by a user
// who might.
func TestAccessHasNoEffect(t *testing.T) {
	t.Parallel()
	server := redistest.NewDatabase(t)
	for _, key := range []string{"prompt:cs_live_1", "webhook:cs_live_1", "session:cs_live_1", "balance:1"} {
		if err := server.Client().Set(t.Context(), key, "{}", 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	r, err := rdb.Open(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close() //nolint:errcheck // a test's own client
	if access, err := probe.TryAccess(t.Context(), r, probe.ForProduct|probe.ForState); err != nil || len(access.Denied) > 0 {
		t.Errorf("%+v, %v", access, err)
	}
	beyond, err := probe.ExcessAccess(t.Context(), r, probe.ForState)
	want := []string{"CONFIG", "SLOWLOG", "GET of foreign keys", "SET of foreign keys", "GET of sessions"}
	if err != nil || !slices.Equal(beyond, want) {
		t.Errorf("%q, %v", beyond, err)
	}
	if _, err := keyspace.Settings(t.Context(), r); err != nil {
		t.Error(err)
	}
	if n := server.Client().DBSize(t.Context()).Val(); n != 4 {
		t.Errorf("there are %d keys, want the four of before", n)
	}
	if ttl := server.Client().PTTL(t.Context(), "session:cs_live_1").Val(); ttl != -1*time.Nanosecond {
		t.Errorf("the TTL of a session is %v now", ttl)
	}
}
