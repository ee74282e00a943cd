// Package rdbtest opens Redis servers for tests.
package rdbtest

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store/rdb"
)

// Open opens a Redis until the test ends.
func Open(t *testing.T, url string) *rdb.Redis {
	t.Helper()
	r, err := rdb.Open(context.Background(), redistest.Patient(t, url))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return r
}

// Deaf is the URL of a Redis for a client that waits for an answer without end,
// unless the context has a deadline.
func Deaf(url string) string { return url + "?read_timeout=-1" }

// As opens the server as a user with a rule.
func As(t *testing.T, server *redistest.Server, rule string) *rdb.Redis {
	t.Helper()
	args := []any{"ACL", "SETUSER", "least", "reset", "on", ">secret"}
	for word := range strings.FieldsSeq(rule) {
		args = append(args, word)
	}
	if err := server.Client().Do(t.Context(), args...).Err(); err != nil {
		t.Fatal(err)
	}
	r, err := rdb.Open(t.Context(), "redis://least:secret@"+server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// Notify has a server notify of writes until the test ends.
func Notify(t *testing.T, server *redistest.Server) {
	t.Helper()
	Configure(t, server, "notify-keyspace-events", "KA")
}

// Configure sets an option of a server until the test ends.
func Configure(t *testing.T, server *redistest.Server, option, value string) {
	t.Helper()
	before := server.Client().ConfigGet(t.Context(), option).Val()
	testenv.Must(t, server.Client().ConfigSet(t.Context(), option, value).Err())
	t.Cleanup(func() { testenv.Must(t, server.Client().ConfigSet(context.Background(), option, before[option]).Err()) })
}

// Everywhere runs a story on one server, on three masters and on the embedded
// server.
func Everywhere(t *testing.T, story func(t *testing.T, client redis.UniversalClient, r *rdb.Redis)) {
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		addr := miniredis.RunT(t).Addr()
		client := redis.NewClient(&redis.Options{Addr: addr})
		defer client.Close() //nolint:errcheck // a test's own client
		story(t, client, Open(t, "redis://"+addr))
	})
	t.Run("server", func(t *testing.T) {
		t.Parallel()
		server := redistest.NewDatabase(t)
		story(t, server.Client(), Open(t, server.URL()))
	})
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		cluster := redistest.LockCluster(t)
		story(t, cluster.Client(), Open(t, cluster.URL()))
	})
}

// RoundTrips counts what is sent at a time.
type RoundTrips struct{ N atomic.Int32 }

// DialHook counts nothing.
func (*RoundTrips) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook counts a command.
func (r *RoundTrips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { r.N.Add(1); return next(ctx, cmd) }
}

// ProcessPipelineHook counts a pipeline once.
func (r *RoundTrips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error { r.N.Add(1); return next(ctx, cmds) }
}

// Hook has each command of the client pass the hook.
func Hook(t *testing.T, r *rdb.Redis, by redis.Hook) {
	t.Helper()
	client, err := r.Client(t.Context())
	testenv.Must(t, err)
	client.AddHook(by)
}

// Line carries bytes to a Redis server and back. While Lose is above zero the
// answer to the command, an EXEC unless it is set, is read, discarded, and
// the connection cut.
type Line struct {
	Addr    string
	Command string
	Lose    atomic.Int32
	Lost    func()      // called for each answer that is lost, before the cut
	Down    atomic.Bool // nothing is carried
}

// NewLine returns a line to a server.
func NewLine(t *testing.T, server string) *Line {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &Line{Addr: listener.Addr().String(), Command: "exec", Lost: func() {}}
	var open sync.WaitGroup
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		open.Wait()
	})
	open.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			open.Go(func() { l.carry(client, server) })
		}
	})
	return l
}

func (l *Line) carry(client net.Conn, addr string) {
	defer client.Close() //nolint:errcheck // the cut is what it is for
	if l.Down.Load() {
		return
	}
	server, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer server.Close() //nolint:errcheck // the cut is what it is for
	answered := make(chan struct{})
	var cut atomic.Bool
	go func() {
		defer close(answered)
		defer client.Close() //nolint:errcheck // ends the other direction too
		buffer := make([]byte, 64<<10)
		for {
			n, err := server.Read(buffer)
			if err != nil {
				return
			}
			if cut.Load() {
				l.Lost()
				return
			}
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			break
		}
		if bytes.Contains(bytes.ToLower(buffer[:n]), []byte("\r\n"+l.Command+"\r\n")) && l.Lose.Add(-1) >= 0 {
			cut.Store(true)
		}
		if _, err := io.Copy(server, bytes.NewReader(buffer[:n])); err != nil {
			break
		}
	}
	_ = server.Close() // ends the reading of answers
	<-answered
}
