package store

import (
	"bufio"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/redistest"
)

// TestRefusalsByCodeAndShape: the wordings of servers, managed services and
// proxies. What is no refusal stays what it is.
func TestRefusalsByCodeAndShape(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]error{
		"ERR unknown command 'INFO', with args beginning with: 'server' ": ErrNoCommand,
		"ERR unknown command `info`, with args beginning with: ":          ErrNoCommand,
		"ERR unknown command": ErrNoCommand,
		"ERR Unknown subcommand or wrong number of arguments for 'usage'. Try MEMORY HELP.":                                            ErrNoCommand,
		"ERR unknown subcommand 'usage'. Try MEMORY HELP.":                                                                             ErrNoCommand,
		"ERR unsupported command 'WAIT'":                                                                                               ErrNoCommand,
		"ERR command 'INFO' not support for your account":                                                                              ErrNoCommand,
		"ERR command config not support for normal user":                                                                               ErrNoCommand,
		"ERR Command is not available: 'WATCH'. See https://example.com for details":                                                   ErrNoCommand,
		"ERR 'WATCH' command is not allowed":                                                                                           ErrNoCommand,
		"ERR This command is disabled":                                                                                                 ErrNoCommand,
		"ERR Unknown Redis command called from script script: 0, on @user_script:1.":                                                   ErrNoCommand,
		"ERR Error running script (call to f_0): @user_script:1: @user_script: 1: Unknown Redis command called from Lua script":        ErrNoCommand,
		"ERR No permission to execute this command":                                                                                    ErrNoPermission,
		"ERR The user executing the script can't run this command or subcommand script: 0":                                             ErrNoPermission,
		"NOPERM this user has no permissions to run the 'watch' command":                                                               ErrNoPermission,
		"ERR max number of clients reached":                                                                                            ErrCrowded,
		"ERR max number of clients + cluster connections reached":                                                                      ErrCrowded,
		"ERR DB index is out of range":                                                                                                 ErrNoDatabase,
		"ERR unknown command 'SELECT', with args beginning with: '2' ":                                                                 ErrNoDatabase,
		"NOPERM this user has no permissions to run the 'select' command":                                                              ErrNoDatabase,
		"ERR SELECT is not allowed in cluster mode":                                                                                    ErrNoDatabase,
		"ERR invalid password":                                                                                                         ErrWrongPassword,
		"ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?": ErrWrongPassword,
		"ERR This instance has cluster support disabled":                                                                               nil,
		"ERR wrong number of arguments for 'get' command":                                                                              nil,
		"ERR value is not an integer or out of range":                                                                                  nil,
		"WRONGTYPE Operation against a key holding the wrong kind of value":                                                            nil,
		"NOSCRIPT No matching script. Please use EVAL.":                                                                                nil,
	} {
		if got := troubleOf(answered(text)); got != want { //nolint:errorlint // the very kind
			t.Errorf("%s: %v, want %v", text, got, want)
		}
		if got := Trouble(Classify(answered(text))); got != want { //nolint:errorlint // the very kind
			t.Errorf("%s is classified as %v, want %v", text, got, want)
		}
	}
}

// TestInfoRefused: whatever the words, all but the figures of INFO works.
func TestInfoRefused(t *testing.T) {
	t.Parallel()
	without := []string{"--rename-command", "INFO", ""}
	server := redistest.Start(t, without...)
	for _, c := range []struct{ name, words, url string }{
		{"unknown", "", server.URL()},
		{"a cluster", "", redistest.StartCluster(t, without...).Nodes[1].URL()},
		{"no permission", "ERR No permission to execute this command", ""},
		{"an account", "ERR command 'INFO' not support for your account", ""},
		{"words of nobody", "ERR go away", ""},
		{"a code of nobody", "DENIED by policy", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url := c.url
			if url == "" {
				url = "redis://" + reworded(t, server.Addr(), "-ERR unknown command 'INFO'", "-"+c.words)
			}
			r := open(t, url)
			if _, err := r.Session(t.Context(), "cs_live_1"); err != nil {
				t.Error(err)
			}
			ledger := NewLedger(r)
			if err := ledger.SavePlan(t.Context(), Plan{ID: "x", Created: time.Now(), Expires: time.Now().Add(time.Hour)}); err != nil {
				t.Error(err)
			}
			if seen, err := r.Server(t.Context()); err != nil || seen.Nodes == 0 || seen.Version != "" {
				t.Errorf("%+v, %v", seen, err)
			}
			if seen, err := ledger.Replication(t.Context()); err != nil || seen.Told || seen.Needed {
				t.Errorf("%+v, %v", seen, err)
			}
			if err := ledger.NoteReplicas(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// reworded is the address of a server in front of another one, that says the
// lines anew that begin so.
func reworded(t *testing.T, addr, begins, anew string) string {
	t.Helper()
	return serve(t, func(client net.Conn) {
		server, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		defer func() { _ = server.Close() }()
		go func() {
			_, _ = bufio.NewReader(client).WriteTo(server)
			_ = server.Close()
		}()
		answers := bufio.NewReader(server)
		for {
			line, err := answers.ReadString('\n')
			if strings.HasPrefix(line, begins) {
				line = anew + "\r\n"
			}
			if _, broken := client.Write([]byte(line)); err != nil || broken != nil {
				return
			}
		}
	})
}

// serve is the address of a server of the test's own.
func serve(t *testing.T, talk func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				talk(conn)
			}()
		}
	}()
	return listener.Addr().String()
}

// TestMissingCommandsAreNamed: as we sent them, by who tries them and by who
// needs them.
func TestMissingCommandsAreNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		command string
		needs   func(t *testing.T, r *Redis) error
	}{
		{"WATCH", writes}, {"STRLEN", writes}, {"SET", writes},
		{"EXISTS", func(t *testing.T, r *Redis) error { _, err := NewLedger(r).Replication(t.Context()); return err }},
		{"GETRANGE", reads}, {"PTTL", reads},
		{"DBSIZE", func(t *testing.T, r *Redis) error { _, err := r.Server(t.Context()); return err }},
		{"HGETALL", func(t *testing.T, r *Redis) error { _, err := NewLedger(r).LoadJob(t.Context(), "x"); return err }},
	} {
		t.Run(c.command, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, "--rename-command", c.command, "")
			must(t, server.Client().Append(t.Context(), "prompt:cs_live_1", "{}").Err())
			r := open(t, server.URL())
			access, err := r.Access(t.Context(), ForProduct|ForState)
			if err != nil || len(access.Denied) > 0 || !slices.ContainsFunc(access.Missing, func(label string) bool { return strings.Contains(label, c.command) }) {
				t.Errorf("%+v, %v", access, err)
			}
			if err := c.needs(t, r); !errors.Is(err, ErrNoCommand) || Command(err) != c.command || !strings.Contains(err.Error(), c.command) {
				t.Errorf("%q is named in %v", Command(err), err)
			}
			if n := server.Client().DBSize(t.Context()).Val(); n > 1 {
				t.Errorf("it wrote all the same")
			}
		})
	}
}

func reads(t *testing.T, r *Redis) error { _, err := r.Session(t.Context(), "cs_live_1"); return err }

func writes(t *testing.T, r *Redis) error {
	_, err := Writer{Product: r, Ledger: NewLedger(r)}.Write(t.Context(), KeyWrite{Session: "cs_live_1", Kind: "webhook"}, "")
	return err
}

// TestNothingIsClaimedThatCannotBeCarriedOut: where the scripts that carry a job
// out lack a command, its plan is not claimed either.
func TestNothingIsClaimedThatCannotBeCarriedOut(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"EXISTS", "GET", "SET", "DEL", "HGET", "HSET", "ZADD", "ZREM", "ZREMRANGEBYSCORE", "PEXPIRE"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, "--rename-command", command, "renamed")
			ledger := NewLedger(open(t, server.URL()))
			plan := Plan{ID: "x", Session: "cs_live_1", Action: ActionFix, Created: time.Now(), Expires: time.Now().Add(time.Hour)}
			if err := ledger.SavePlan(t.Context(), plan); err != nil {
				if !errors.Is(err, ErrNoCommand) {
					t.Error(err)
				}
				return // there is none to be claimed
			}
			if answer, err := ledger.Claim(t.Context(), "x", "", Actor{ID: "U1"}, time.Now()); !errors.Is(err, ErrNoCommand) || !strings.HasPrefix(Command(err), "EVAL") {
				t.Errorf("%s, %v", answer.Verdict, err)
			}
			if record, err := ledger.LoadPlan(t.Context(), "x", time.Now()); err != nil || record.State != PlanOpen {
				t.Errorf("the plan is %s, %v", record.State, err)
			}
			if n, err := ledger.Pending(t.Context()); err != nil || len(n) > 0 {
				t.Errorf("%d jobs are pending, %v", len(n), err)
			}
		})
	}
}
