package rdb_test

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
)

// TestWrongURLsAreNamed: each as a real server answers it.
func TestWrongURLsAreNamed(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	sentinel := redistest.NewSentinelDatabase(t)
	sentinelURL, _, _ := strings.Cut(sentinel.URL(), "?")
	full := redistest.Start(t, "--maxclients", "1") // which redistest has
	for _, c := range []struct {
		name, url string
		want      error
	}{
		{"no such database", server.URL() + "/99", rdb.ErrNoDatabase},
		{"no such master", sentinelURL + "?master_name=another", rdb.ErrNoMaster},
		{"no Sentinel", server.URL() + "?master_name=main", rdb.ErrNoSentinel},
		{"a Sentinel", sentinelURL, rdb.ErrSentinel},
		{"no more clients", full.URL(), rdb.ErrTooManyClients},
		{"no such database behind a Sentinel", sentinelURL[:strings.LastIndex(sentinelURL, "/")] + "/9999?master_name=main", rdb.ErrNoDatabase},
		{"no server at all", "redis://" + rdb.Serve(t, func(conn net.Conn) { _, _ = fmt.Fprint(conn, "HTTP/1.1 400 Bad Request\r\n\r\n") }), rdb.ErrNoAnswer},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := rdb.Open(t.Context(), redistest.Patient(t, c.url))
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close() //nolint:errcheck // a test's own
			for i, ask := range []func(*testing.T, *rdb.Redis) error{reads, writes, func(t *testing.T, r *rdb.Redis) error { _, err := r.Ping(t.Context()); return err }} {
				if err := ask(t, r); rdb.Kind(err) != c.want { //nolint:errorlint // the very kind
					t.Errorf("%d: %v, want %v", i, err, c.want)
				}
			}
		})
	}
}

// TestAnnouncedAddressesAreNamed: a cluster that announces unreachable
// addresses is distinguished from one that is down.
func TestAnnouncedAddressesAreNamed(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	r := rdbtest.Open(t, cluster.Nodes[0].URL())
	if _, err := r.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	cluster.Nodes[2].Kill(t)
	if _, err := r.Ping(t.Context()); !errors.Is(err, rdb.ErrNoAnswer) || errors.Is(err, rdb.ErrAnnounced) {
		t.Errorf("a node that was reached and is away: %v", err)
	}
	for _, node := range cluster.Nodes[:2] {
		testenv.Must(t, node.Client().ConfigSet(t.Context(), "cluster-announce-port", "1").Err())
	}
	if _, err := rdbtest.Open(t, cluster.Nodes[0].URL()).Ping(t.Context()); rdb.Kind(err) != rdb.ErrAnnounced { //nolint:errorlint // the very kind
		t.Errorf("an address that nobody reaches: %v", err)
	}
}
