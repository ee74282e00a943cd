package workspace

import (
	"net"
	"net/http"
	"net/url"

	"github.com/superduperai/sessionbot/internal/workspace/page"
)

// maxBody bounds every request body, in bytes.
const maxBody = 2 << 20

func (s *Server) routes(hints []page.Hint) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", s.spoilt(s.serveAPI))
	mux.HandleFunc("GET /socket/{ticket}", s.serveSocket)
	mux.HandleFunc("POST /response/{token}", s.spoilt(s.serveResponse))
	mux.Handle("/control/", ownOrigin(s.controlRoutes()))
	mux.Handle("/", ownOrigin(s.page(hints)))
	return loopbackHost(mux)
}

// loopbackHost answers only requests that name a loopback host, so that a web
// page elsewhere cannot reach the workspace through a name that resolves here.
func loopbackHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopbackHost(r.Host) {
			http.Error(w, "the workspace answers only on a loopback host name", http.StatusForbidden)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

// ownOrigin refuses what a page of another origin makes a browser send.
// Programs send no Origin.
func ownOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if origin := r.Header.Get("Origin"); origin != "" {
			u, err := url.Parse(origin)
			if err != nil || u.Host != r.Host {
				http.Error(w, "requests of another origin are refused", http.StatusForbidden)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// isLoopbackHost reports whether a Host header names this machine to itself.
func isLoopbackHost(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	switch name {
	case "127.0.0.1", "localhost", "::1", "[::1]":
		return true
	}
	return false
}
