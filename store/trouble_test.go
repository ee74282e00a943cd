package store

import (
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
)

// TestTrouble: each kind, as a real server makes it.
func TestTrouble(t *testing.T) {
	t.Parallel()
	type config [][]any
	for _, c := range []struct {
		name  string
		make  config
		want  error // of a write
		reads error // of a question
	}{
		{"no password", config{{"CONFIG", "SET", "requirepass", "hunter2"}, {"CLIENT", "KILL", "TYPE", "normal"}}, ErrNoPassword, ErrNoPassword},
		{"no permission", config{{"ACL", "SETUSER", "default", "-hset", "-set"}}, ErrNoPermission, nil},
		{"a replica", config{{"REPLICAOF", "127.0.0.1", "1"}}, ErrReadOnly, nil},
		{"full", config{{"CONFIG", "SET", "maxmemory", "1"}}, ErrFull, nil},
		{"too few replicas", config{{"CONFIG", "SET", "min-replicas-to-write", "1"}}, ErrUnsaved, nil},
		{"a master away", config{{"CONFIG", "SET", "replica-serve-stale-data", "no"}, {"REPLICAOF", "127.0.0.1", "1"}}, ErrReadOnly, ErrStarting},
		{"a script that does not end", config{{"CONFIG", "SET", "busy-reply-threshold", "1"}}, ErrStarting, ErrStarting},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			r := open(t, server.URL())
			for _, command := range c.make {
				if err := server.Client().Do(t.Context(), command...).Err(); err != nil {
					t.Fatal(err)
				}
			}
			if c.name == "a script that does not end" {
				endless(t, server)
			}
			_, err := r.Session(t.Context(), "cs_live_1")
			if !errors.Is(err, c.reads) {
				t.Errorf("read: %v, want %v", err, c.reads)
			}
			err = NewLedger(r).SavePlan(t.Context(), Plan{ID: "x", Created: time.Now(), Expires: time.Now().Add(time.Hour)})
			if !errors.Is(err, c.want) || Trouble(err) != c.want { //nolint:errorlint // the very kind is returned, and not wrapped
				t.Errorf("written: %v, want %v", err, c.want)
			}
		})
	}
}

// endless keeps the server busy until the test ends.
func endless(t *testing.T, server *redistest.Server) {
	t.Helper()
	u, err := url.Parse(server.URL() + "?read_timeout=-1&max_retries=-1")
	if err != nil {
		t.Fatal(err)
	}
	busy := open(t, u.String())
	client, err := busy.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		client.Eval(t.Context(), "while true do end", nil)
	}()
	t.Cleanup(func() {
		server.Client().Do(t.Context(), "SCRIPT", "KILL")
	})
	testenv.Until(t, "the server is busy", func() bool { return server.Client().Ping(t.Context()).Err() != nil })
}
