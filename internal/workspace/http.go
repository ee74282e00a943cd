package workspace

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
)

// maxBody bounds every request body, in bytes.
const maxBody = 2 << 20

// ErrNotLoopback refuses an address that others on the network could reach.
var ErrNotLoopback = errors.New("is not a loopback address; use 127.0.0.1:PORT")

// checkAddr refuses addresses that others could reach, unless that is allowed,
// and those that are no address to hand on.
func checkAddr(addr string, allowRemote bool) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("workspace: address %q: %w", addr, err)
	}
	ip := net.ParseIP(host)
	switch {
	case isLoopback(host):
		return nil
	case !allowRemote:
		return fmt.Errorf("workspace: address %q %w", addr, ErrNotLoopback)
	case host == "" || (ip != nil && ip.IsUnspecified()):
		return fmt.Errorf("workspace: address %q says everywhere; name the one address that others use: the app is told it in URLs", addr)
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// remote returns the names under which a workspace that others can reach
// answers, and the key of its page. One on loopback has neither.
func remote(cfg Config, address string) (hosts []string, pageKey string) {
	named, _, _ := net.SplitHostPort(cfg.Addr) // it has been checked
	if !cfg.AllowRemote || isLoopback(named) {
		return nil, ""
	}
	listening, _, _ := net.SplitHostPort(address) // a listener's own
	return []string{named, listening}, rand.Text()
}

// withHostCheck answers only requests that name this machine as it is meant to be
// called, so that a web page elsewhere cannot reach the workspace through a
// name of its own that resolves here.
func (s *Server) withHostCheck(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, err := url.Parse("//" + r.Host)
		if err != nil || !isLoopback(host.Hostname()) && !slices.Contains(s.hosts, host.Hostname()) {
			http.Error(w, "the workspace does not answer under this host name", http.StatusForbidden)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

func (s *Server) routes(cfg Config) http.Handler {
	ownOrigin := http.NewCrossOriginProtection().Handler
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", s.withFaults(s.serveAPI))
	mux.HandleFunc("GET /socket/{ticket}", s.serveSocket)
	mux.HandleFunc("POST /response/{token}", s.withFaults(s.serveResponse))
	mux.HandleFunc("GET /avatar/{user}", s.serveAvatar)
	mux.HandleFunc("GET /files-pri/{file}/{name}", s.serveFile)
	mux.HandleFunc("GET /files-pri/{file}/download/{name}", s.serveFile)
	mux.Handle("/control/", ownOrigin(s.controlRoutes()))
	mux.Handle("/", ownOrigin(s.page(cfg)))
	return s.withHostCheck(mux)
}
