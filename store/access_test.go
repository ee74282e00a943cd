package store

import (
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
	server := redistest.Start(t)
	for _, use := range []Use{ForProduct, ForState, ForProduct | ForState} {
		rule := ACLRule(use, false)
		whole, err := as(t, server, rule).Access(t.Context(), use)
		if err != nil || len(whole.Denied) > 0 || whole.ReadOnly != "" {
			t.Errorf("with %s: %+v, %v", rule, whole, err)
		}
		if beyond, err := as(t, server, rule).Beyond(t.Context(), use); err != nil || len(beyond) > 0 {
			t.Errorf("with %s it may also %q, %v", rule, beyond, err)
		}
		for word := range strings.FieldsSeq(rule) {
			command, ok := strings.CutPrefix(word, "+")
			untried := []string{"subscribe", "psubscribe", "unsubscribe", "punsubscribe", "unlink", "unwatch", "select", "time", "dbsize", "set"}
			if !ok || slices.Contains(untried, command) {
				continue
			}
			name, _, _ := strings.Cut(command, "|")
			access, err := as(t, server, rule+" -"+command).Access(t.Context(), use)
			named := slices.ContainsFunc(access.Denied, func(label string) bool {
				return slices.Contains(strings.FieldsFunc(strings.ToLower(label), func(r rune) bool { return r == ' ' || r == ',' }), name)
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
	server := redistest.Start(t)
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
	if _, _, err := r.Notifies(t.Context()); err != nil {
		t.Error(err)
	}
	if n := server.Client().DBSize(t.Context()).Val(); n != 4 {
		t.Errorf("there are %d keys, want the four of before", n)
	}
	if ttl := server.Client().PTTL(t.Context(), "session:cs_live_1").Val(); ttl != -1*time.Nanosecond {
		t.Errorf("the TTL of a session is %v now", ttl)
	}
}

func TestNotifies(t *testing.T) {
	cluster := redistest.StartCluster(t)
	r, err := Open(t.Context(), cluster.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close() //nolint:errcheck // a test's own client
	for want := range 4 {
		if want > 0 {
			if err := cluster.Nodes[want-1].Client().ConfigSet(t.Context(), "notify-keyspace-events", "KA").Err(); err != nil {
				t.Fatal(err)
			}
		}
		if on, of, err := r.Notifies(t.Context()); on != want || of != 3 || err != nil {
			t.Errorf("on at %d of %d masters, %v; want %d of 3", on, of, err, want)
		}
	}
}
