package redistest

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
)

// Sentinel is a master that one Sentinel watches.
type Sentinel struct {
	Master *Server
	Watch  *Server
}

// StartSentinel runs a master named "main" and a Sentinel over it until the
// test ends.
func StartSentinel(t testing.TB) *Sentinel {
	t.Helper()
	return startSentinel(t, start(t))
}

// startSentinel runs a Sentinel over a master.
func startSentinel(t testing.TB, master *Server) *Sentinel {
	t.Helper()
	s := &Sentinel{Master: master}
	host, port, err := net.SplitHostPort(s.Master.addr)
	if err != nil {
		t.Fatalf("address of the master: %v", err)
	}
	// The Sentinel writes what it learns into its own configuration.
	config := filepath.Join(t.TempDir(), "sentinel.conf")
	if err := os.WriteFile(config, []byte("sentinel monitor main "+host+" "+port+" 1\n"), 0o600); err != nil {
		t.Fatalf("configuration of the sentinel: %v", err)
	}
	s.Watch = start(t, config, "--sentinel")
	ctx, cancel := context.WithTimeout(t.Context(), readyWithin)
	defer cancel()
	err = until(ctx, s.Watch.exited, func() error {
		return s.Watch.client.Do(ctx, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main").Err()
	})
	if err != nil {
		t.Fatalf("the sentinel does not know its master: %v", err)
	}
	return s
}

// URL names the Sentinel and the master's name, as configuration does.
func (s *Sentinel) URL() string { return s.Watch.URL() + "?master_name=main" }
