package rdb

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
		{"too few replicas", config{{"CONFIG", "SET", "min-replicas-to-write", "1"}}, ErrNotPersisted, nil},
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
			err := get(t, r, "session:cs_live_1")
			if !errors.Is(err, c.reads) {
				t.Errorf("read: %v, want %v", err, c.reads)
			}
			err = set(t, r)
			if !errors.Is(err, c.want) || Kind(err) != c.want { //nolint:errorlint // the very kind is returned, and not wrapped
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

// TestRefusalsByCodeAndShape: the wordings of servers, managed services and
// proxies. What is no refusal stays what it is.
func TestRefusalsByCodeAndShape(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]error{
		"ERR unknown command 'INFO', with args beginning with: 'server' ": ErrNoCommand,
		"ERR unknown command `info`, with args beginning with: ":          ErrNoCommand,
		"ERR unknown command": ErrNoCommand,
		"ERR Unknown subcommand or wrong number of arguments for 'usage'. Try MEMORY HELP.":                                     ErrNoCommand,
		"ERR unknown subcommand 'usage'. Try MEMORY HELP.":                                                                      ErrNoCommand,
		"ERR unsupported command 'WAIT'":                                                                                        ErrNoCommand,
		"ERR command 'INFO' not support for your account":                                                                       ErrNoCommand,
		"ERR command config not support for normal user":                                                                        ErrNoCommand,
		"ERR Command is not available: 'WATCH'. See https://example.com for details":                                            ErrNoCommand,
		"ERR 'WATCH' command is not allowed":                                                                                    ErrNoCommand,
		"ERR This command is disabled":                                                                                          ErrNoCommand,
		"ERR Unknown Redis command called from script script: 0, on @user_script:1.":                                            ErrNoCommand,
		"ERR Error running script (call to f_0): @user_script:1: @user_script: 1: Unknown Redis command called from Lua script": ErrNoCommand,
		"ERR No permission to execute this command":                                                                             ErrNoPermission,
		"ERR The user executing the script can't run this command or subcommand script: 0":                                      ErrNoPermission,
		"NOPERM this user has no permissions to run the 'watch' command":                                                        ErrNoPermission,
		"ERR max clients reached":                                                                                               ErrTooManyClients,
		"ERR max number of connections reached":                                                                                 ErrTooManyClients,
		"ERR access denied":                                                                                                     ErrNoPermission,
		"ERR forbidden":                                                                                                         ErrNoPermission,
		"ERR Command 'INFO' is restricted":                                                                                      ErrNoCommand,
		"ERR command 'INFO' cannot be used in this tier":                                                                        ErrNoCommand,
		"ERR unimplemented command":                                                                                             ErrNoCommand,
		"DENIED Redis is running in protected mode because protected mode is enabled":                                           ErrRefused,
		"ERR max number of clients reached":                                                                                     ErrTooManyClients,
		"ERR max number of clients + cluster connections reached":                                                               ErrTooManyClients,
		"ERR DB index is out of range":                                                                                          ErrNoDatabase,
		"ERR unknown command 'SELECT', with args beginning with: '2' ":                                                          ErrNoDatabase,
		"NOPERM this user has no permissions to run the 'select' command":                                                       ErrNoDatabase,
		"ERR SELECT is not allowed in cluster mode":                                                                             ErrNoDatabase,
		"ERR invalid password":                                                                                                  ErrWrongPassword,
		"ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?": ErrWrongPassword,
		"ERR This instance has cluster support disabled":                    nil,
		"ERR wrong number of arguments for 'get' command":                   nil,
		"ERR value is not an integer or out of range":                       nil,
		"WRONGTYPE Operation against a key holding the wrong kind of value": nil,
		"NOSCRIPT No matching script. Please use EVAL.":                     nil,
	} {
		if got := kindOf(answered(text)); got != want { //nolint:errorlint // the very kind
			t.Errorf("%s: %v, want %v", text, got, want)
		}
		if got := Kind(Classify(answered(text))); got != want { //nolint:errorlint // the very kind
			t.Errorf("%s is classified as %v, want %v", text, got, want)
		}
	}
}

// get reads a value.
func get(t *testing.T, r *Redis, key string) error {
	t.Helper()
	client, err := r.Client(t.Context())
	if err != nil {
		return err
	}
	return Classify(client.GetRange(t.Context(), key, 0, 1).Err())
}

// set writes two values in one transaction.
func set(t *testing.T, r *Redis) error {
	t.Helper()
	client, err := r.Client(t.Context())
	testenv.Must(t, err)
	pipe := client.TxPipeline()
	pipe.HSet(t.Context(), "{x}hash", "field", "value")
	pipe.PExpire(t.Context(), "{x}hash", time.Hour)
	cmds, err := pipe.Exec(t.Context())
	return Classify(ExecError(cmds, err))
}
