// Package health serves the process's liveness, readiness, metrics and profiles.
// No session, user or channel id is a label of a metric.
package health

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Check checks one part of the process; Run returns nil if it works. A Note is
// reported without making the process unready.
type Check struct {
	Name string
	Note bool
	Run  func(ctx context.Context) error
}

// readyTimeout bounds all checks of a request for readiness.
const readyTimeout = time.Second

// Handler serves /healthz, /readyz and /metrics.
func Handler(m *Metrics, checks ...Check) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		faults, notes := map[string]string{}, map[string]string{}
		for _, check := range checks {
			err := check.Run(ctx)
			switch {
			case err == nil:
			case check.Note:
				notes[check.Name] = err.Error()
			default:
				faults[check.Name] = err.Error()
			}
		}
		body := map[string]any{"ready": len(faults) == 0, "faults": faults}
		if len(notes) > 0 {
			body["notes"] = notes
		}
		if state := m.watch.Load(); state != nil {
			body["watch"] = state.Ages(time.Now())
		}
		w.Header().Set("Content-Type", "application/json")
		if len(faults) > 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(body) // the client is gone
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{DisableCompression: true})) // it would take more memory than it saves
	return mux
}

// Profiles serves /debug/pprof.
func Profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}
