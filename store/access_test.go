package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/redistest"
)

// as opens the server as a user with a rule.
func as(t *testing.T, server *redistest.Server, rule string) *Redis {
	t.Helper()
	args := []any{"ACL", "SETUSER", "least", "reset", "on", ">secret"}
	for word := range strings.FieldsSeq(rule) {
		args = append(args, word)
	}
	if err := server.Client().Do(t.Context(), args...).Err(); err != nil {
		t.Fatal(err)
	}
	r, err := Open(t.Context(), "redis://least:secret@"+server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// TestAccessNamesWhatIsMissing takes one command after the other away from a
// user who may do what is needed.
func TestAccessNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	const all = "~* &* +@all"
	for use, commands := range map[Use]string{
		ForProduct: "dbsize get getrange info multi exec ping pttl scan strlen watch eval_ro memory|usage",
		ForState: "del eval evalsha exec exists expire get hget hgetall hmget hset hsetnx incr info mget multi " +
			"pexpire ping wait xadd xrevrange zadd zcard zrange zrangebyscore zrem zremrangebyscore zscore",
	} {
		whole, err := as(t, server, all).Access(t.Context(), use)
		if err != nil || len(whole.Denied) > 0 || whole.ReadOnly != "" {
			t.Errorf("who may do all: %+v, %v", whole, err)
		}
		for command := range strings.FieldsSeq(commands) {
			access, err := as(t, server, all+" -"+command).Access(t.Context(), use)
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
	r, err := Open(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close() //nolint:errcheck // a test's own client
	if access, err := r.Access(t.Context(), ForProduct|ForState); err != nil || len(access.Denied) > 0 {
		t.Errorf("%+v, %v", access, err)
	}
	beyond, err := r.Beyond(t.Context(), ForState)
	want := []string{"CONFIG", "SLOWLOG", "GET of foreign keys", "SET of foreign keys", "GET of sessions"}
	if err != nil || !slices.Equal(beyond, want) {
		t.Errorf("%q, %v", beyond, err)
	}
	if _, err := r.Notifications(t.Context()); err != nil {
		t.Error(err)
	}
	if n := server.Client().DBSize(t.Context()).Val(); n != 4 {
		t.Errorf("there are %d keys, want the four of before", n)
	}
	if ttl := server.Client().PTTL(t.Context(), "session:cs_live_1").Val(); ttl != -1*time.Nanosecond {
		t.Errorf("the TTL of a session is %v now", ttl)
	}
}

// notify has a server notify of writes until the test ends.
func notify(t *testing.T, server *redistest.Server) {
	t.Helper()
	configure(t, server, "notify-keyspace-events", "KA")
}

// configure sets an option of a server until the test ends.
func configure(t *testing.T, server *redistest.Server, option, value string) {
	t.Helper()
	before := server.Client().ConfigGet(t.Context(), option).Val()
	must(t, server.Client().ConfigSet(t.Context(), option, value).Err())
	t.Cleanup(func() { must(t, server.Client().ConfigSet(context.Background(), option, before[option]).Err()) })
}

func TestNotifications(t *testing.T) {
	t.Parallel()
	cluster := redistest.LockCluster(t)
	r := open(t, cluster.URL())
	for want := range 4 {
		if want > 0 {
			notify(t, cluster.Nodes[want-1])
		}
		if n, err := r.Notifications(t.Context()); n != (Notifications{want, 3 - want, 3}) || err != nil {
			t.Errorf("%+v, %v; want them on at %d", n, err, want)
		}
	}
}

// TestNotificationsOfSessions: of all the kinds only writes of strings in the
// channels of keys are listened to.
func TestNotificationsOfSessions(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	for events, on := range map[string]bool{"": false, "KA": true, "K$": true, "KEA": true, "$": false, "EA": false, "Kg": false, "Kx": false} {
		must(t, server.Client().ConfigSet(t.Context(), "notify-keyspace-events", events).Err())
		if n, err := open(t, server.URL()).Notifications(t.Context()); (n.On == 1) != on || n.On+n.Off != 1 || err != nil {
			t.Errorf("%q: %+v, %v", events, n, err)
		}
	}
	if n, err := as(t, server, "~* &* +@all -config").Notifications(t.Context()); n != (Notifications{Masters: 1}) || err != nil {
		t.Errorf("where the settings may not be read: %+v, %v", n, err)
	}
	for _, rule := range []string{"~* &* +@all -psubscribe", "~* +@all resetchannels"} {
		if n, err := as(t, server, rule).Notifications(t.Context()); !errors.Is(err, ErrNotAllowed) || n != (Notifications{}) {
			t.Errorf("%s: %+v, %v", rule, n, err)
		}
	}
	if keys := server.Client().Keys(t.Context(), "*").Val(); len(keys) > 0 {
		t.Errorf("it wrote %q", keys)
	}
}
