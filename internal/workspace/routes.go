package workspace

import (
	"net/http"
)

// maxBody bounds every request body, in bytes.
const maxBody = 2 << 20

func (s *Server) routes(cfg Config) http.Handler {
	ownOrigin := http.NewCrossOriginProtection().Handler
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", s.withFaults(s.serveAPI))
	mux.HandleFunc("GET /socket/{ticket}", s.serveSocket)
	mux.HandleFunc("POST /response/{token}", s.withFaults(s.serveResponse))
	mux.Handle("/control/", ownOrigin(s.controlRoutes()))
	mux.Handle("/", ownOrigin(s.page(cfg)))
	return s.withHostCheck(mux)
}
