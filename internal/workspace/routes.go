package workspace

import (
	"net/http"
	"net/url"
)

// maxBody bounds every request body, in bytes.
const maxBody = 2 << 20

func (s *Server) routes(cfg Config) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", s.spoilt(s.serveAPI))
	mux.HandleFunc("GET /socket/{ticket}", s.serveSocket)
	mux.HandleFunc("POST /response/{token}", s.spoilt(s.serveResponse))
	mux.Handle("/control/", ownOrigin(s.controlRoutes()))
	mux.Handle("/", ownOrigin(s.page(cfg)))
	return s.ownHost(mux)
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
