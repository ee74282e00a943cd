package rdb_test

import (
	"bufio"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store/ledger"
	"github.com/superduperai/sessionbot/store/probe"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/sessions"
)

// TestInfoRefused: however INFO is refused, all but its figures works.
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
			r := rdbtest.Open(t, url)
			if _, err := (sessions.Reader{Redis: r}).Session(t.Context(), "cs_live_1"); err != nil {
				t.Error(err)
			}
			ledger := ledger.New(r)
			if err := ledger.SavePlan(t.Context(), repair.Plan{ID: "x", Created: time.Now(), Expires: time.Now().Add(time.Hour)}); err != nil {
				t.Error(err)
			}
			if seen, err := r.Server(t.Context()); err != nil || seen.Nodes == 0 || seen.Version != "" {
				t.Errorf("%+v, %v", seen, err)
			}
			if seen, err := ledger.Replication(t.Context()); err != nil || seen.Reported || seen.Needed {
				t.Errorf("%+v, %v", seen, err)
			}
			if err := ledger.NoteReplicas(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// reworded returns the address of a proxy that replaces the lines with a prefix.
func reworded(t *testing.T, addr, begins, replacement string) string {
	t.Helper()
	return rdb.Serve(t, func(client net.Conn) {
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
				line = replacement + "\r\n"
			}
			if _, broken := client.Write([]byte(line)); err != nil || broken != nil {
				return
			}
		}
	})
}

// TestMissingCommandsAreNamed: as we sent them, both when probed and when used.
func TestMissingCommandsAreNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		command string
		needs   func(t *testing.T, r *rdb.Redis) error
	}{
		{"WATCH", writes}, {"STRLEN", writes}, {"SET", writes},
		{"EXISTS", func(t *testing.T, r *rdb.Redis) error {
			_, err := ledger.New(r).Replication(t.Context())
			return err
		}},
		{"GETRANGE", reads}, {"PTTL", reads},
		{"DBSIZE", func(t *testing.T, r *rdb.Redis) error { _, err := r.Server(t.Context()); return err }},
		{"HGETALL", func(t *testing.T, r *rdb.Redis) error {
			_, err := ledger.New(r).LoadJob(t.Context(), "x")
			return err
		}},
	} {
		t.Run(c.command, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, "--rename-command", c.command, "")
			testenv.Must(t, server.Client().Append(t.Context(), "prompt:cs_live_1", "{}").Err())
			r := rdbtest.Open(t, server.URL())
			access, err := probe.TryAccess(t.Context(), r, probe.ForProduct|probe.ForState)
			if err != nil || len(access.Denied) > 0 || !slices.ContainsFunc(access.Missing, func(label string) bool { return strings.Contains(label, c.command) }) {
				t.Errorf("%+v, %v", access, err)
			}
			if err := c.needs(t, r); !errors.Is(err, rdb.ErrNoCommand) || rdb.Command(err) != c.command || !strings.Contains(err.Error(), c.command) {
				t.Errorf("%q is named in %v", rdb.Command(err), err)
			}
			if n := server.Client().DBSize(t.Context()).Val(); n > 1 {
				t.Errorf("it wrote all the same")
			}
		})
	}
}

func reads(t *testing.T, r *rdb.Redis) error {
	_, err := (sessions.Reader{Redis: r}).Session(t.Context(), "cs_live_1")
	return err
}

func writes(t *testing.T, r *rdb.Redis) error {
	_, err := sessions.Writer{Product: r, State: r}.Write(t.Context(), sessions.KeyWrite{Session: "cs_live_1", Kind: "webhook"}, "")
	return err
}
