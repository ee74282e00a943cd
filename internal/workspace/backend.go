package workspace

import "net/http"

// page is the browser page.
func (s *Server) page() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("The workspace is running.\n")) // the browser may have gone
	})
}
